using System.Security.Cryptography;

namespace ChatPay.LoadTest.Chatting;

/// <summary>A member that calls the bare SignalR hub, which answers and does nothing.</summary>
internal sealed class SignalRCallMember : SignalRMember
{
    private const string Target = "Call";
    private const int Base64Chars = 4;
    private const int Base64Bytes = 3;
    private readonly Func<Uri> _server;
    private readonly byte[] _body;

    /// <param name="frameBytes">Bytes of a call as it goes out, but for the last three at most.</param>
    public SignalRCallMember(
        ushort number, ExchangeGate gate, IReadOnlyList<ChatMember> members, Func<Uri> server, int frameBytes)
        : base(number, gate, members)
    {
        const string Argument = """{"room":0,"clientId":"","body":""}""";
        _server = server;
        Prepare(Argument, 0, Target);
        _body = RandomNumberGenerator.GetBytes(Math.Max(0, frameBytes - FrameBytes) / Base64Chars * Base64Bytes);
        Prepare(Argument, _body.Length, Target);
    }

    /// <summary>So many of them, not yet connected.</summary>
    public static IReadOnlyList<ChatMember> Several(int count, Func<Uri> server, ExchangeGate gate, int frameBytes)
    {
        var members = new List<ChatMember>(count);
        for (var number = 0; number < count; number++)
        {
            members.Add(new SignalRCallMember(checked((ushort)number), gate, members, server, frameBytes));
        }

        return members;
    }

    /// <summary>An answer is all there is of a call.</summary>
    public override long Delivered => Acknowledged;

    public override async Task OpenAsync(CancellationToken cancellationToken)
    {
        Wire = await WireSocket.ConnectAsync(_server(), "/hub?room=0", null, Receive, cancellationToken);
        await ShakeHandsAsync(cancellationToken);
    }

    protected override void Write(ReadOnlySpan<byte> id, uint index) => Write(id, index, _body);

    protected override void Called(ReadOnlySpan<byte> message) => throw SignalRFrames.Unexpected(message);

    protected override void Completed(ReadOnlySpan<byte> message)
    {
        if (message.IndexOf("\"result\":"u8) < 0)
        {
            throw SignalRFrames.Unexpected(message);
        }

        Answered();
    }
}
