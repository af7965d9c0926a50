using System.Text;
using ChatPay.Core.Protocol;

namespace ChatPay.LoadTest.Chatting;

/// <summary>How far a client knows a conversation before it connects; the server then need not show it whole.</summary>
internal sealed record KnownLog(Guid Lineage, ConversationId Conversation, long Seq);

/// <summary>A member on ChatPay's own hub: signed in, greeted, and given its conversation's log in order.</summary>
/// <param name="known">Null for a client that has seen nothing.</param>
internal abstract class HubMember(
    ushort number, ExchangeGate gate, IReadOnlyList<ChatMember> members, Func<Uri> server, ChatPerson person, KnownLog? known)
    : SignalRMember(number, gate, members)
{
    private readonly TaskCompletionSource _greeted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _head = long.MaxValue;

    public override async Task OpenAsync(CancellationToken cancellationToken)
    {
        Wire = await WireSocket.ConnectAsync(server(), "/hub", person.Token, Receive, cancellationToken);
        await ShakeHandsAsync(cancellationToken);
        var position = known is null
            ? "\"cursors\":[]"
            : $$"""
                "lineage":"{{known.Lineage}}","cursors":[{"conversation":"{{known.Conversation}}","seq":{{known.Seq}}}]
                """;
        var hello = $$"""
            {"type":1,"invocationId":"hello","target":"Hello","arguments":[{"device":"{{person.Device}}",
            "protocol":{{Limits.ProtocolVersion}},"capabilities":[],{{position}}}]}
            """;
        Wire.SendText([.. Encoding.UTF8.GetBytes(hello), SignalRFrames.End]);
        await _greeted.Task.WaitAsync(cancellationToken);
    }

    /// <summary>An event of the conversation's log, from after the greeting.</summary>
    /// <param name="rest">What is said of it from its seq on.</param>
    protected abstract void Logged(long seq, ReadOnlySpan<byte> rest);

    /// <summary>An answer to one of its calls.</summary>
    protected abstract void Replied(ReadOnlySpan<byte> message);

    /// <summary>An answer that is an error; what is not expected ends the connection.</summary>
    protected virtual void Refused(ReadOnlySpan<byte> message) => throw SignalRFrames.Unexpected(message);

    protected sealed override void Called(ReadOnlySpan<byte> message)
    {
        var at = 0;
        if (message.IndexOf("\"target\":\"Events\""u8) < 0)
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

            var rest = message[at..];
            var next = rest.IndexOf("\"seq\":"u8);
            Logged(seq, next < 0 ? rest : rest[..next]);
        }
    }

    protected sealed override void Completed(ReadOnlySpan<byte> message)
    {
        if (_greeted.Task.IsCompleted)
        {
            if (SignalRFrames.IsOk(message))
            {
                Replied(message);
            }
            else
            {
                Refused(message);
            }

            return;
        }

        if (!SignalRFrames.IsOk(message))
        {
            var failure = SignalRFrames.Unexpected(message);
            _greeted.TrySetException(failure);
            throw failure;
        }

        var at = 0;
        _head = known?.Seq ?? SignalRFrames.NumberAfter("\"head\":"u8, message, ref at);
        BeginAt(_head);
        _greeted.TrySetResult();
    }
}
