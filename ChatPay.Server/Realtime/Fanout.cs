using System.Threading.Channels;
using ChatPay.Core.Protocol;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Realtime;

/// <summary>
/// Tells this node's connections what was committed. The write path hands batches over and goes on; one task takes them
/// in commit order, serialises each event once and puts it into the queues of those who may see it.
/// </summary>
internal sealed partial class Fanout(
    ConnectionRegistry registry, HeadRequests heads, IOptions<RealtimeOptions> options, ILogger<Fanout> logger)
    : BackgroundService
{
    private const int ReconnectAfterMs = 1000;

    private readonly Channel<Batch> _batches = Channel.CreateBounded<Batch>(
        new BoundedChannelOptions(options.Value.FanoutBatches) { SingleReader = true });

    /// <summary>Hands over a committed batch, in commit order. Never waits, never throws.</summary>
    public void Committed(IReadOnlyList<Event> events, IReadOnlyList<(DeviceId Device, DeviceMessage Message)> messages)
    {
        if (!_batches.Writer.TryWrite(new(events, messages)))
        {
            // Far behind, and who may hear what is in the batches too: only a new Hello puts that right.
            ReconnectEverybody();
        }
    }

    /// <summary>Wallet changes and the like: to all live connections of the account.</summary>
    public void ToAccount(AccountId account, Push push)
    {
        foreach (var connection in registry.OfAccount(account))
        {
            connection.Enqueue(push);
        }
    }

    public void ToDevice(DeviceId device, Push push)
    {
        foreach (var connection in registry.OfDevice(device))
        {
            connection.Enqueue(push);
        }
    }

    public void ToConversation(ConversationId conversation, Push push, AccountId? except = null) =>
        registry.ToConversation(conversation, push, except);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var batch in _batches.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                Deliver(batch);
            }
            catch (Exception exception)
            {
                Log.DeliveryFailed(logger, exception);
                ReconnectEverybody();
            }
        }
    }

    private void Deliver(Batch batch)
    {
        foreach (var logged in batch.Events)
        {
            // Who comes in by an event sees it, and so does who goes out by it.
            if (logged.Members is { Added.Count: > 0 } members)
            {
                foreach (var added in members.Added)
                {
                    registry.Join(logged.Conversation, added.Account);
                }

                heads.Ask(logged.Conversation, [.. members.Added.Select(added => added.Account)]);
            }

            if (registry.IsHeard(logged.Conversation))
            {
                registry.ToConversation(logged.Conversation, Push.Of(logged));
            }

            foreach (var gone in (logged.Members?.Removed ?? []).Concat(logged.Members?.Left ?? []))
            {
                registry.Leave(logged.Conversation, gone);
            }
        }

        foreach (var (device, message) in batch.Messages)
        {
            if (registry.OfDevice(device).Count > 0)
            {
                ToDevice(device, Push.Of(message));
            }
        }
    }

    private void ReconnectEverybody()
    {
        Log.FellBehind(logger);
        foreach (var connection in registry.All)
        {
            connection.Finish(Push.Of(new ControlSignal(ControlKind.Reconnect, ReconnectAfterMs: ReconnectAfterMs)));
        }
    }

    private sealed record Batch(
        IReadOnlyList<Event> Events, IReadOnlyList<(DeviceId Device, DeviceMessage Message)> Messages);

    private static partial class Log
    {
        [LoggerMessage(4000, LogLevel.Error, "A committed batch could not be delivered")]
        public static partial void DeliveryFailed(ILogger logger, Exception exception);

        [LoggerMessage(4001, LogLevel.Warning, "Fan-out fell behind; all connections are told to reconnect")]
        public static partial void FellBehind(ILogger logger);
    }
}
