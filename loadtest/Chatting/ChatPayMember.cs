using System.Text;
using ChatPay.Core.Protocol;

namespace ChatPay.LoadTest.Chatting;

/// <summary>A member on ChatPay's own hub: signed in, greeted, and sending what its rules accept.</summary>
internal sealed class ChatPayMember : SignalRMember
{
    private readonly Func<Uri> _server;
    private readonly ChatPerson _person;
    private readonly TaskCompletionSource _greeted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[] _body;
    private readonly int _idAt;
    private long _head = long.MaxValue;

    public ChatPayMember(
        ushort number, ExchangeGate gate, IReadOnlyList<ChatMember> members, Func<Uri> server, ChatPerson person,
        ConversationId conversation, int payloadBytes)
        : base(number, gate, members)
    {
        (_server, _person) = (server, person);
        _body = ChatMessages.Create(conversation, new(Guid.AllBitsSet), payloadBytes);
        _idAt = _body.AsSpan().IndexOf(Guid.AllBitsSet.ToByteArray());
        Prepare(
            $$"""{"conversation":"{{conversation}}","clientId":"","epoch":{{ChatPeople.Epoch}},"body":""}""",
            _body.Length);
    }

    public override async Task OpenAsync(CancellationToken cancellationToken)
    {
        Wire = await WireSocket.ConnectAsync(_server(), "/hub", _person.Token, Receive, cancellationToken);
        await ShakeHandsAsync(cancellationToken);
        var hello = $$"""
            {"type":1,"invocationId":"hello","target":"Hello","arguments":[{"device":"{{_person.Device}}",
            "protocol":{{Limits.ProtocolVersion}},"capabilities":[],"cursors":[]}]}
            """;
        Wire.SendText([.. Encoding.UTF8.GetBytes(hello), SignalRFrames.End]);
        await _greeted.Task.WaitAsync(cancellationToken);
    }

    protected override void Write(ReadOnlySpan<byte> id, uint index)
    {
        id.CopyTo(_body.AsSpan(_idAt));
        Write(id, index, _body);
    }

    protected override void Called(ReadOnlySpan<byte> message)
    {
        var at = 0;
        if (message[at..].IndexOf("\"target\":\"Events\""u8) < 0)
        {
            // A resync means that the server gave up on this connection; nothing else is expected under load.
            if (message.IndexOf("\"target\":\"Control\""u8) >= 0)
            {
                Fail(Encoding.UTF8.GetString(message));
            }

            return;
        }

        while (message[at..].IndexOf("\"seq\":"u8) >= 0)
        {
            var seq = SignalRFrames.NumberAfter("\"seq\":"u8, message, ref at);
            if (seq <= _head)
            {
                // From before Hello: a client drops it.
                continue;
            }

            Received(seq, MessageKey.ReadText(SignalRFrames.UuidAfter("\"clientId\":\""u8, message, ref at)));
        }
    }

    protected override void Completed(ReadOnlySpan<byte> message)
    {
        if (!SignalRFrames.IsOk(message))
        {
            var failure = SignalRFrames.Unexpected(message);
            _greeted.TrySetException(failure);
            throw failure;
        }

        if (_greeted.Task.IsCompleted)
        {
            Answered();
            return;
        }

        var at = 0;
        _head = SignalRFrames.NumberAfter("\"head\":"u8, message, ref at);
        BeginAt(_head);
        _greeted.TrySetResult();
    }
}
