using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using ChatPay.Core.Protocol;
using ChatPay.Server.Presence;
using ChatPay.Server.Realtime;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Cluster;

/// <summary>
/// Hints on their way to other nodes: a bounded queue that never holds anybody up. Without a Redis there is nobody to
/// tell and everything is dropped at the door.
/// </summary>
internal sealed class HintOutbox(IOptions<ClusterOptions> options)
{
    private readonly Channel<Hint> _hints = Channel.CreateBounded<Hint>(
        new BoundedChannelOptions(options.Value.HintsWaiting) { SingleReader = true });

    /// <summary>Whether there is anybody to tell, and so any sense in serialising for them.</summary>
    public bool IsOn { get; } = options.Value.Redis.Length > 0;

    public void Event(LoggedPush logged) => Post(logged.Push.JsonBytes.Length <= HintCodec.JsonBytesMax
        ? new EventHint(logged.Conversation, logged.Seq, logged.HasToBeRead, logged.Push.JsonBytes)
        : new HeadHint(logged.Conversation, logged.Seq));

    public void Joined(ConversationId conversation, IEnumerable<AccountId> accounts) =>
        Post(new JoinHint(conversation, [.. accounts]));

    public void ToConversation(ConversationId conversation, Push push, AccountId? except) =>
        Post(new SignalHint(conversation, except, push.Kind, push.JsonBytes));

    /// <summary>What is too large waits for the device in the database.</summary>
    public void ToDevice(DeviceId device, Push push, Guid message = default)
    {
        if (push.JsonBytes.Length <= HintCodec.JsonBytesMax)
        {
            Post(new DeviceHint(device, message, push.Kind, push.JsonBytes));
        }
    }

    public void Wallet(AccountId account, string asset, long version, Push push) =>
        Post(new WalletHint(account, asset, version, push.JsonBytes));

    public void ToAccount(AccountId account, Push push) => Post(new AccountHint(account, push.Kind, push.JsonBytes));

    public void SessionEnded(DeviceId device) => Post(new SessionHint(device));

    public void Presence(Guid node, IReadOnlyList<PresenceChange> changes) => Post(new PresenceHint(node, changes));

    public void PresenceVisibility(AccountId account) => Post(new VisibilityHint(account));

    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => _hints.Reader.WaitToReadAsync(cancellationToken);

    public bool TryTake([NotNullWhen(true)] out Hint? hint) => _hints.Reader.TryRead(out hint);

    private void Post(Hint hint)
    {
        if (IsOn && !_hints.Writer.TryWrite(hint))
        {
            ClusterMetrics.Drop(1, "outbox");
        }
    }
}
