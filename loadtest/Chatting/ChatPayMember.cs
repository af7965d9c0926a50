using ChatPay.Core.Protocol;

namespace ChatPay.LoadTest.Chatting;

/// <summary>A member on ChatPay's own hub that sends messages as its rules accept them.</summary>
internal sealed class ChatPayMember : HubMember
{
    private readonly byte[] _body;
    private readonly int _idAt;

    public ChatPayMember(
        ushort number, ExchangeGate gate, IReadOnlyList<ChatMember> members, Func<Uri> server, ChatPerson person,
        ConversationId conversation, int payloadBytes)
        : base(number, gate, members, server, person, known: null)
    {
        _body = ChatMessages.Create(conversation, new(Guid.AllBitsSet), payloadBytes);
        _idAt = _body.AsSpan().IndexOf(Guid.AllBitsSet.ToByteArray());
        Prepare(
            $$"""{"conversation":"{{conversation}}","clientId":"","epoch":{{ChatPeople.Epoch}},"body":""}""",
            _body.Length);
    }

    protected override void Write(ReadOnlySpan<byte> id, uint index)
    {
        id.CopyTo(_body.AsSpan(_idAt));
        Write(id, index, _body);
    }

    protected override void Logged(long seq, ReadOnlySpan<byte> rest)
    {
        var at = 0;
        Received(seq, MessageKey.ReadText(SignalRFrames.UuidAfter("\"clientId\":\""u8, rest, ref at)));
    }

    protected override void Replied(ReadOnlySpan<byte> message) => Answered();
}
