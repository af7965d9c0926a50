using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace ChatPay.LoadTest.Chatting;

/// <summary>
/// The client's half of RFC 6455, as thin as it gets: one receive buffer, one system call for a message, nothing allocated
/// for either. Every server of a scenario is spoken to through it, so that they all have the same client.
/// </summary>
/// <remarks>Messages are taken for a stream of bytes: what the servers send has its own ends of records.</remarks>
internal sealed class WireSocket : IDisposable
{
    /// <summary>Hands over what has arrived and is told how much of it was whole records; the rest comes again.</summary>
    public delegate int Receive(ReadOnlySpan<byte> bytes);

    private const int BufferStartBytes = 2048;
    private const int BufferMaxBytes = 16 * 1024 * 1024;
    private const int HeaderMaxBytes = 14;
    private const int MaskBytes = 4;
    private const int KeyBytes = 16;
    private const byte Final = 0x80;
    private const byte Masked = 0x80;
    private const byte Close = 0x8;
    private const byte Ping = 0x9;
    private const byte Pong = 0xA;
    private const byte Control = 0x8;

    [ThreadStatic]
    private static byte[]? s_frame;

    private readonly Socket _socket;
    private readonly Receive _receive;
    private readonly Lock _sending = new();
    private readonly SocketAsyncEventArgs _receiving = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[] _buffer = new byte[BufferStartBytes];
    private int _length;
    private byte[] _record = [];
    private int _recordLength;

    private WireSocket(Socket socket, Receive receive)
    {
        _socket = socket;
        _receive = receive;
        _receiving.Completed += (_, _) => Pump(received: true);
    }

    /// <summary>Ends when the connection has, whoever ended it; fails if a handler did.</summary>
    public Task Closed => _closed.Task;

    /// <param name="server">Where it listens, as http://host:port.</param>
    /// <param name="receive">Called on one thread at a time, from when <see cref="Start"/> was called.</param>
    public static async Task<WireSocket> ConnectAsync(
        Uri server, string path, string? bearer, Receive receive, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(
                IPAddress.TryParse(server.Host, out var address) ? address : IPAddress.Loopback, server.Port,
                cancellationToken);
            var wire = new WireSocket(socket, receive);
            await wire.UpgradeAsync(server, path, bearer, cancellationToken);
            return wire;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>From here on what arrives is handed over.</summary>
    public void Start() => Pump(received: false);

    public void SendText(ReadOnlySpan<byte> payload) => Send(1, payload);

    public void SendBinary(ReadOnlySpan<byte> payload) => Send(2, payload);

    public void Dispose()
    {
        _socket.Dispose();
        _closed.TrySetResult();
    }

    private async Task UpgradeAsync(Uri server, string path, string? bearer, CancellationToken cancellationToken)
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes));
        var authorization = bearer is null ? "" : $"Authorization: Bearer {bearer}\r\n";
        var request = $"GET {path} HTTP/1.1\r\nHost: {server.Authority}\r\n{authorization}Upgrade: websocket\r\n"
            + $"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n";
        await _socket.SendAsync(Encoding.ASCII.GetBytes(request), cancellationToken);
        while (true)
        {
            var end = _buffer.AsSpan(0, _length).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                var head = Encoding.ASCII.GetString(_buffer, 0, end);
                if (!head.StartsWith("HTTP/1.1 101", StringComparison.Ordinal))
                {
                    throw new WireRefusedException(head.Split('\r', 2)[0]);
                }

                _length -= end + 4;
                Buffer.BlockCopy(_buffer, end + 4, _buffer, 0, _length);
                return;
            }

            GrowIfFull();
            var got = await _socket.ReceiveAsync(_buffer.AsMemory(_length), cancellationToken);
            _length += got > 0 ? got : throw new WireRefusedException("closed before it was open");
        }
    }

    private void Pump(bool received)
    {
        try
        {
            while (true)
            {
                if (received)
                {
                    if (_receiving.SocketError != SocketError.Success || _receiving.BytesTransferred == 0)
                    {
                        Dispose();
                        return;
                    }

                    _length += _receiving.BytesTransferred;
                }

                TakeFrames();
                GrowIfFull();
                _receiving.SetBuffer(_buffer, _length, _buffer.Length - _length);
                if (_socket.ReceiveAsync(_receiving))
                {
                    return;
                }

                received = true;
            }
        }
        catch (ObjectDisposedException)
        {
            _closed.TrySetResult();
        }
        catch (Exception failure)
        {
            _closed.TrySetException(failure);
            _socket.Dispose();
        }
    }

    private void TakeFrames()
    {
        var taken = 0;
        while (TryReadHeader(_buffer.AsSpan(taken, _length - taken), out var opcode, out var header, out var payload)
            && _length - taken >= header + payload)
        {
            var bytes = _buffer.AsSpan(taken + header, payload);
            taken += header + payload;
            if ((opcode & Control) == 0)
            {
                TakePayload(bytes);
            }
            else if (opcode == Ping)
            {
                Send(Pong, bytes);
            }
            else if (opcode == Close)
            {
                Dispose();
            }
        }

        _length -= taken;
        if (taken > 0 && _length > 0)
        {
            Buffer.BlockCopy(_buffer, taken, _buffer, 0, _length);
        }
    }

    private void TakePayload(ReadOnlySpan<byte> bytes)
    {
        if (_recordLength == 0)
        {
            var rest = bytes[_receive(bytes)..];
            if (!rest.IsEmpty)
            {
                Keep(rest);
            }

            return;
        }

        Keep(bytes);
        var used = _receive(_record.AsSpan(0, _recordLength));
        _recordLength -= used;
        Buffer.BlockCopy(_record, used, _record, 0, _recordLength);
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (_record.Length < _recordLength + bytes.Length)
        {
            Array.Resize(ref _record, Math.Max(2 * _record.Length, _recordLength + bytes.Length));
        }

        bytes.CopyTo(_record.AsSpan(_recordLength));
        _recordLength += bytes.Length;
    }

    private static bool TryReadHeader(ReadOnlySpan<byte> bytes, out byte opcode, out int header, out int payload)
    {
        (opcode, header, payload) = (0, 0, 0);
        if (bytes.Length < 2)
        {
            return false;
        }

        opcode = (byte)(bytes[0] & 0x0f);
        var length = bytes[1] & 0x7f;
        header = length switch { 126 => 4, 127 => 10, _ => 2 };
        if (bytes.Length < header)
        {
            return false;
        }

        payload = length switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            127 => checked((int)BinaryPrimitives.ReadInt64BigEndian(bytes[2..])),
            _ => length,
        };
        return true;
    }

    private void GrowIfFull()
    {
        if (_length == _buffer.Length)
        {
            Array.Resize(
                ref _buffer, _buffer.Length < BufferMaxBytes ? 2 * _buffer.Length
                    : throw new InvalidOperationException("A frame is larger than any server should send."));
        }
    }

    /// <summary>One system call. The mask is zero, which leaves the payload as it is; servers unmask all the same.</summary>
    private void Send(byte opcode, ReadOnlySpan<byte> payload)
    {
        var frame = s_frame is { } scratch && scratch.Length >= payload.Length + HeaderMaxBytes
            ? scratch : s_frame = new byte[Math.Max(BufferStartBytes, 2 * (payload.Length + HeaderMaxBytes))];
        frame[0] = (byte)(Final | opcode);
        var header = 2;
        if (payload.Length < 126)
        {
            frame[1] = (byte)(Masked | payload.Length);
        }
        else if (payload.Length <= ushort.MaxValue)
        {
            frame[1] = Masked | 126;
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
            header = 4;
        }
        else
        {
            frame[1] = Masked | 127;
            BinaryPrimitives.WriteInt64BigEndian(frame.AsSpan(2), payload.Length);
            header = 10;
        }

        frame.AsSpan(header, MaskBytes).Clear();
        payload.CopyTo(frame.AsSpan(header + MaskBytes));
        var whole = frame.AsSpan(0, header + MaskBytes + payload.Length);
        lock (_sending)
        {
            while (!whole.IsEmpty)
            {
                whole = whole[_socket.Send(whole)..];
            }
        }
    }
}

/// <summary>The server answered an upgrade with something else; the message is its status line.</summary>
[SuppressMessage("Design", "CA1032", Justification = "Made in one place.")]
internal sealed class WireRefusedException(string message) : Exception(message);
