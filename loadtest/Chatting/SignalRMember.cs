using System.Buffers.Text;
using System.Text;

namespace ChatPay.LoadTest.Chatting;

/// <summary>A member on a hub: what the bare relay and ChatPay have in common.</summary>
internal abstract class SignalRMember(ushort number, ExchangeGate gate, IReadOnlyList<ChatMember> members)
    : ChatMember(number, gate, members)
{
    private readonly TaskCompletionSource _shaken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[] _frame = [];
    private int _idAt;
    private int _bodyAt;
    private int _bodyChars;
    private int _invocationAt;

    private const int InvocationChars = 10;

    /// <summary>Bytes of a call as it goes out.</summary>
    protected int FrameBytes => _frame.Length;

    public override void KeepAlive()
    {
        if (Wire is not { Closed.IsCompleted: false } wire)
        {
            return;
        }

        try
        {
            wire.SendText(SignalRFrames.Ping);
        }
        catch (Exception lost) when (lost is ObjectDisposedException or System.Net.Sockets.SocketException)
        {
            // The others must go on saying that they are there.
            Fail("the connection was lost");
        }
    }

    /// <summary>Shakes hands on a connection that is open.</summary>
    protected async Task ShakeHandsAsync(CancellationToken cancellationToken)
    {
        Wire!.Start();
        Wire.SendText(SignalRFrames.Handshake);
        await _shaken.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Makes the call that every send is, with a place for the id and one for the body.</summary>
    /// <param name="argument">JSON with two empty strings after "clientId": and "body":, in this order.</param>
    /// <param name="target">What is called.</param>
    protected void Prepare(string argument, int bodyBytes, string target = "Send")
    {
        _bodyChars = Base64.GetMaxEncodedToUtf8Length(bodyBytes);
        var call = "{\"type\":1,\"invocationId\":\"" + new string('0', InvocationChars)
            + "\",\"target\":\"" + target + "\",\"arguments\":[" + argument
                .Replace("\"clientId\":\"\"", "\"clientId\":\"" + Guid.Empty + "\"", StringComparison.Ordinal)
                .Replace("\"body\":\"\"", "\"body\":\"" + new string('A', _bodyChars) + "\"", StringComparison.Ordinal)
            + "]}\u001e";
        _frame = Encoding.UTF8.GetBytes(call);
        int After(string name) => call.IndexOf(name, StringComparison.Ordinal) + name.Length;
        _invocationAt = After("\"invocationId\":\"");
        _idAt = After("\"clientId\":\"");
        _bodyAt = After("\"body\":\"");
    }

    protected void Write(ReadOnlySpan<byte> id, uint index, ReadOnlySpan<byte> body)
    {
        Utf8Formatter.TryFormat(index, _frame.AsSpan(_invocationAt), out _, new('D', InvocationChars));
        Utf8Formatter.TryFormat(new Guid(id, bigEndian: true), _frame.AsSpan(_idAt), out _);
        Base64.EncodeToUtf8(body, _frame.AsSpan(_bodyAt, _bodyChars), out _, out _);
        Wire!.SendText(_frame);
    }

    /// <summary>Takes whole messages off what has arrived.</summary>
    protected int Receive(ReadOnlySpan<byte> bytes)
    {
        var taken = 0;
        while (bytes[taken..].IndexOf(SignalRFrames.End) is var end and >= 0)
        {
            Take(bytes.Slice(taken, end));
            taken += end + 1;
        }

        return taken;
    }

    /// <summary>A call of the server.</summary>
    protected abstract void Called(ReadOnlySpan<byte> message);

    /// <summary>An answer of the server.</summary>
    protected abstract void Completed(ReadOnlySpan<byte> message);

    private void Take(ReadOnlySpan<byte> message)
    {
        switch (SignalRFrames.TypeOf(message))
        {
            case 0 when message.SequenceEqual("{}"u8):
                _shaken.TrySetResult();
                break;
            case 1:
                Called(message);
                break;
            case 3:
                Completed(message);
                break;
            case 6:
                break;
            default:
                var failure = SignalRFrames.Unexpected(message);
                _shaken.TrySetException(failure);
                throw failure;
        }
    }
}
