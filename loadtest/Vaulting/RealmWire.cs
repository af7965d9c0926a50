using System.Buffers.Text;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace ChatPay.LoadTest.Vaulting;

/// <summary>
/// A connection to the server that carries one HTTP/1.1 exchange at a time, and reads of an answer what it needs. A client
/// for all of HTTP costs as much CPU time as the server does, and it shares this machine.
/// </summary>
internal sealed class RealmWire : IAsyncDisposable
{
    private const int RoomBytes = 8 * 1024;
    private const int MessageMaxBytes = 1024;

    private readonly Socket _socket;
    private readonly byte[] _in = new byte[RoomBytes];
    private readonly byte[] _out = new byte[RoomBytes];
    private readonly byte[] _body = new byte[RoomBytes];
    private readonly byte[] _answer = new byte[MessageMaxBytes];

    private RealmWire(Socket socket) => _socket = socket;

    private static ReadOnlySpan<byte> HeadEnd => "\r\n\r\n"u8;

    private static ReadOnlySpan<byte> LengthHeader => "\r\nContent-Length: "u8;

    public static async Task<RealmWire> ConnectAsync(Uri server, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server.Host, server.Port, cancellationToken);
            return new RealmWire(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>What an exchange with a realm begins with, made once for each person and realm.</summary>
    public static byte[] HeadOf(Uri server, Guid realm, string token) => Encoding.ASCII.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"POST /v1/vault/realms/{realm:D} HTTP/1.1\r\nHost: {server.Authority}\r\nAuthorization: Bearer {token}\r\n")
        + "Content-Type: application/json\r\nContent-Length: ");

    /// <summary>A request for what any signed-in device may read and the server has at hand.</summary>
    public static byte[] BareRequestOf(Uri server, string token) => Encoding.ASCII.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"GET /v1/vault HTTP/1.1\r\nHost: {server.Authority}\r\nAuthorization: Bearer {token}\r\n\r\n"));

    /// <summary>Sends a message; the answer holds until the next one is sent.</summary>
    /// <exception cref="InvalidOperationException">The server answered with anything but a message.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> AskAsync(
        byte[] head, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        await _socket.SendAsync(_out.AsMemory(0, Write(head, message.Span)), cancellationToken);
        return Read(await ReceiveAsync(cancellationToken));
    }

    /// <summary>Sends a request that is whole, and waits for the answer.</summary>
    public async ValueTask AskAsync(byte[] request, CancellationToken cancellationToken)
    {
        await _socket.SendAsync(request.AsMemory(), cancellationToken);
        await ReceiveAsync(cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private int Write(byte[] head, ReadOnlySpan<byte> message)
    {
        var begin = "{\"message\":\""u8;
        var end = "\"}"u8;
        var length = begin.Length + Base64.GetMaxEncodedToUtf8Length(message.Length) + end.Length;
        head.CopyTo(_out, 0);
        length.TryFormat(_out.AsSpan(head.Length), out var at, default, CultureInfo.InvariantCulture);
        at += head.Length;
        Add(HeadEnd);
        Add(begin);
        Base64.EncodeToUtf8(message, _out.AsSpan(at), out _, out var encoded);
        at += encoded;
        Add(end);
        return at;

        void Add(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_out.AsSpan(at));
            at += bytes.Length;
        }
    }

    /// <summary>How many bytes of a body were received; they are in its room.</summary>
    private async ValueTask<int> ReceiveAsync(CancellationToken cancellationToken)
    {
        var filled = 0;
        while (true)
        {
            var read = filled == _in.Length
                ? 0 : await _socket.ReceiveAsync(_in.AsMemory(filled), cancellationToken);
            filled += read > 0 ? read : throw new InvalidOperationException("The server closed a connection or said too much.");
            if (TryTakeBody(_in.AsSpan(0, filled), out var length))
            {
                return length;
            }
        }
    }

    private bool TryTakeBody(ReadOnlySpan<byte> all, out int length)
    {
        length = 0;
        var headEnd = all.IndexOf(HeadEnd);
        if (headEnd < 0)
        {
            return false;
        }

        var head = all[..(headEnd + 2)];
        var rest = all[(headEnd + HeadEnd.Length)..];
        if (!head.StartsWith("HTTP/1.1 200"u8))
        {
            throw new InvalidOperationException("The server refused: " + Encoding.UTF8.GetString(all));
        }

        if (head.IndexOf(LengthHeader) is >= 0 and var at)
        {
            if (!Utf8Parser.TryParse(head[(at + LengthHeader.Length)..], out length, out _) || length > _body.Length)
            {
                throw new InvalidOperationException("The server's answer has no length that can be read.");
            }

            if (rest.Length < length)
            {
                return false;
            }

            rest[..length].CopyTo(_body);
            return true;
        }

        // In chunks: their sizes in hexadecimal, each on a line, and an empty one at the end.
        while (true)
        {
            var line = rest.IndexOf("\r\n"u8);
            if (line < 0 || !Utf8Parser.TryParse(rest[..line], out int size, out _, 'x')
                || rest.Length < line + 2 + size + 2)
            {
                return false;
            }

            if (size == 0)
            {
                return true;
            }

            rest.Slice(line + 2, size).CopyTo(_body.AsSpan(length));
            length += size;
            rest = rest[(line + 2 + size + 2)..];
        }
    }

    private ReadOnlyMemory<byte> Read(int length)
    {
        var reader = new Utf8JsonReader(_body.AsSpan(0, length));
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.String
                && Base64.DecodeFromUtf8(reader.ValueSpan, _answer, out _, out var written)
                    == System.Buffers.OperationStatus.Done)
            {
                return _answer.AsMemory(0, written);
            }
        }

        throw new InvalidOperationException("The server's answer has no message.");
    }
}
