using System.Globalization;
using System.Security.Cryptography;

namespace ChatPay.LoadTest.Chatting;

/// <summary>A member on the bare SignalR relay.</summary>
internal sealed class SignalRRelayMember : SignalRMember
{
    private readonly Func<Uri> _server;
    private readonly int _room;
    private readonly byte[] _body;

    public SignalRRelayMember(
        ushort number, ExchangeGate gate, IReadOnlyList<ChatMember> members, Func<Uri> server, int room,
        int payloadBytes)
        : base(number, gate, members)
    {
        (_server, _room) = (server, room);
        _body = RandomNumberGenerator.GetBytes(payloadBytes);
        Prepare($$"""{"room":{{room}},"clientId":"","body":""}""", payloadBytes);
    }

    public override async Task OpenAsync(CancellationToken cancellationToken)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/hub?room={_room}");
        Wire = await WireSocket.ConnectAsync(_server(), path, null, Receive, cancellationToken);
        await ShakeHandsAsync(cancellationToken);
    }

    protected override void Write(ReadOnlySpan<byte> id, uint index) => Write(id, index, _body);

    protected override void Called(ReadOnlySpan<byte> message)
    {
        var at = 0;
        var seq = SignalRFrames.NumberAfter("\"seq\":"u8, message, ref at);
        Received(seq, MessageKey.ReadText(SignalRFrames.UuidAfter("\"clientId\":\""u8, message, ref at)));
    }

    protected override void Completed(ReadOnlySpan<byte> message)
    {
        if (message.IndexOf("\"result\":"u8) < 0)
        {
            throw SignalRFrames.Unexpected(message);
        }

        Answered();
    }
}
