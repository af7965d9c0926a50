using System.Text.Json;
using System.Threading.Channels;
using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Server.Presence;
using ChatPay.Server.Realtime;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Cluster;

/// <summary>
/// What other nodes tell: taken from Redis into a bounded queue at once, and from there given to this node's connections
/// by the same doors as its own news.
/// </summary>
internal sealed partial class HintReceiver(
    ClusterNode node, ConnectionRegistry registry, Rechecks rechecks, PushedMessages pushed, PushedReceipts receipts,
    PresenceBook presence, ConnectionWatch connections, Sessions sessions, IOptions<ClusterOptions> options,
    ILogger<HintReceiver> logger)
    : BackgroundService
{
    private readonly Channel<byte[]> _messages = Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(options.Value.HintsWaiting) { SingleReader = true });

    /// <summary>Called when this node hears its own pulse.</summary>
    public Action? Pulsed { get; set; }

    /// <summary>Takes a message as it came. Never waits, never throws.</summary>
    public void Take(byte[] message)
    {
        if (!_messages.Writer.TryWrite(message))
        {
            ClusterMetrics.Drop(1, "inbox");
            rechecks.All();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var hints = new List<Hint>();
        await foreach (var message in _messages.Reader.ReadAllAsync(stoppingToken))
        {
            hints.Clear();
            var whole = HintCodec.TryRead(message, out var sender, hints);
            if (sender == node.Id)
            {
                if (hints.Any(hint => hint is PulseHint))
                {
                    Pulsed?.Invoke();
                }

                continue;
            }

            if (!whole)
            {
                Log.NotUnderstood(logger, message.Length);
            }

            ClusterMetrics.Receive(hints.Count);
            foreach (var hint in hints)
            {
                TryApply(hint);
            }
        }
    }

    private void TryApply(Hint hint)
    {
        try
        {
            Apply(hint);
        }
        catch (JsonException exception)
        {
            Log.Malformed(logger, hint.GetType().Name, exception);
            rechecks.All();
        }
    }

    private void Apply(Hint hint)
    {
        switch (hint)
        {
            case EventHint logged:
                Apply(logged);
                break;
            case HeadHint head when registry.IsHeard(head.Conversation):
                rechecks.Head(head.Conversation);
                break;
            case SignalHint { Kind: PushKind.Receipts } signal when registry.IsHeard(signal.Conversation):
                if (JsonSerializer.Deserialize<Receipt>(signal.Json, Push.Json) is { } receipt && receipts.IsNew(receipt))
                {
                    registry.ToConversation(receipt.Conversation, Push.OfJson(signal.Kind, signal.Json));
                }

                break;
            case SignalHint { Kind: PushKind.Ephemeral } signal:
                registry.ToConversation(signal.Conversation, Push.OfJson(signal.Kind, signal.Json), signal.Except);
                break;
            case DeviceHint { Kind: PushKind.DeviceMessages } message when registry.IsConnected(message.Device):
                if (pushed.IsNew(message.Message))
                {
                    registry.ToDevice(message.Device, Push.OfJson(message.Kind, message.Json));
                }

                break;
            case DeviceHint { Kind: PushKind.Control } control:
                registry.ToDevice(control.Device, Push.OfJson(control.Kind, control.Json));
                break;
            case WalletHint wallet:
                registry.OfferWallet(
                    wallet.Account, wallet.Asset, wallet.Version, Push.OfJson(PushKind.WalletChanged, wallet.Json));
                break;
            case AccountHint { Kind: PushKind.Keys } keys:
                registry.ToAccount(keys.Account, Push.OfJson(keys.Kind, keys.Json));
                break;
            case JoinHint join when join.Accounts.Any(registry.IsConnected):
                rechecks.Members();
                break;
            case PresenceHint others:
                foreach (var change in others.Changes)
                {
                    presence.Heard(others.Node, change);
                }

                break;
            case VisibilityHint visibility:
                presence.Changed(visibility.Account);
                break;
            case SessionHint session:
                sessions.Forget(session.Device);
                connections.Check(session.Device);
                break;
        }
    }

    private void Apply(EventHint hint)
    {
        if (!registry.IsHeard(hint.Conversation))
        {
            return;
        }

        var push = Push.OfJson(PushKind.Events, hint.Json);
        var read = hint.HasToBeRead ? JsonSerializer.Deserialize<Event>(hint.Json, Push.Json) : null;
        var logged = read is null
            ? new LoggedPush(hint.Conversation, hint.Seq, hint.Seq - 1, push, null)
            : LoggedPush.Of(read, push) with { Conversation = hint.Conversation, Seq = hint.Seq, After = hint.Seq - 1 };
        if (registry.Offer(logged) is Offered.Gap)
        {
            ClusterMetrics.Gap();
            rechecks.Head(hint.Conversation);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4100, LogLevel.Debug, "A message of {Bytes} bytes from another node is of no version known here")]
        public static partial void NotUnderstood(ILogger logger, int bytes);

        [LoggerMessage(4101, LogLevel.Warning, "A {Hint} from another node could not be read")]
        public static partial void Malformed(ILogger logger, string hint, Exception exception);
    }
}
