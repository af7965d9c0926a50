using System.Diagnostics;
using System.Threading.Channels;
using ChatPay.Core.Protocol;
using ChatPay.Server.Cluster;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Realtime;

/// <summary>
/// Tells connections what was committed, those of this node itself and those of others by hints. The write path hands
/// batches over and goes on; one task takes them in commit order, serialises each event once and puts it into the queues
/// of those who may see it.
/// </summary>
internal sealed partial class Fanout(
    ConnectionRegistry registry, Departures departures, HintOutbox outbox, Rechecks rechecks,
    PushedMessages pushed, PushedReceipts receipts, IOptions<RealtimeOptions> options, ILogger<Fanout> logger) : BackgroundService
{
    private readonly Channel<Batch> _batches = Channel.CreateBounded<Batch>(
        new BoundedChannelOptions(options.Value.FanoutBatches) { SingleReader = true });

    /// <summary>Hands over a committed batch, in commit order. Never waits, never throws.</summary>
    public void Committed(IReadOnlyList<Event> events, IReadOnlyList<(DeviceId Device, DeviceMessage Message)> messages)
    {
        RealtimeMetrics.FanoutWaits(1);

        // Answers do not wait for a fan-out that has others to tell first.
        var together = _batches.Reader.Count == 0;
        if (together)
        {
            departures.Begin();
        }

        if (!_batches.Writer.TryWrite(new(events, messages, Stopwatch.GetTimestamp(), together)))
        {
            if (together)
            {
                departures.EndSoon();
            }

            RealtimeMetrics.FanoutWaits(-1);
            RealtimeMetrics.FanoutDropped();

            // Far behind: what is dropped here is found in the database.
            Log.FellBehind(logger);
            rechecks.All();
        }
    }

    /// <summary>A wallet as a commit left it: to all live connections of the account.</summary>
    /// <param name="version">Of the ledger account; an older one never follows a newer one.</param>
    public void WalletChanged(AccountId account, WalletBalance balance, long version)
    {
        if (outbox.IsOn || registry.IsConnected(account))
        {
            var push = Push.Of(balance);
            registry.OfferWallet(account, balance.Asset, version, push);
            outbox.Wallet(account, balance.Asset, version, push);
        }
    }

    /// <summary>Something about an account's keys: to all its live connections. Never waits; it may be lost.</summary>
    public void KeysChanged(KeysSignal signal)
    {
        if (outbox.IsOn || registry.IsConnected(signal.Account))
        {
            var push = Push.Of(signal);
            registry.ToAccount(signal.Account, push);
            outbox.ToAccount(signal.Account, push);
        }
    }

    /// <summary>As <see cref="KeysChanged"/>, of what each node hears by itself: to this node's connections.</summary>
    public void KeysHeard(KeysSignal signal)
    {
        if (registry.IsConnected(signal.Account))
        {
            registry.ToAccount(signal.Account, Push.Of(signal));
        }
    }

    /// <summary>A control signal, to all live connections of the device.</summary>
    public void ToDevice(DeviceId device, Push push)
    {
        registry.ToDevice(device, push);
        outbox.ToDevice(device, push);
    }

    /// <summary>A receipt that has been written.</summary>
    public void Raised(Receipt receipt)
    {
        if (receipts.IsNew(receipt) && (outbox.IsOn || registry.IsHeard(receipt.Conversation)))
        {
            ToConversation(receipt.Conversation, Push.Of(receipt));
        }
    }

    public void ToConversation(ConversationId conversation, Push push, AccountId? except = null)
    {
        registry.ToConversation(conversation, push, except);
        outbox.ToConversation(conversation, push, except);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var batch in _batches.Reader.ReadAllAsync(stoppingToken))
            {
                Take(batch);
            }
        }
        finally
        {
            // What is committed while the node stops is told as well, or answers would wait for it for ever.
            _batches.Writer.TryComplete();
            while (_batches.Reader.TryRead(out var last))
            {
                Take(last);
            }
        }
    }

    private void Take(Batch batch)
    {
        RealtimeMetrics.FanoutWaits(-1);
        try
        {
            Deliver(batch);
        }
        catch (Exception exception)
        {
            Log.DeliveryFailed(logger, exception);
            rechecks.All();
        }
        finally
        {
            if (batch.Together)
            {
                departures.EndSoon();
            }
        }
    }

    private void Deliver(Batch batch)
    {
        foreach (var logged in batch.Events)
        {
            Deliver(logged, batch.CommittedAt);
        }

        foreach (var (device, message) in batch.Messages)
        {
            Deliver(device, message);
        }
    }

    private void Deliver(Event logged, long committedAt)
    {
        // What nobody hears, here or elsewhere, is not even serialised.
        if (!outbox.IsOn && logged.Members is null && !registry.IsHeard(logged.Conversation))
        {
            return;
        }

        var push = LoggedPush.Of(logged, committedAt);
        if (registry.Offer(push, opens: true) is Offered.Gap)
        {
            rechecks.Head(logged.Conversation);
        }

        outbox.Event(push);
        if (logged.Members is { Added.Count: > 0 } members)
        {
            outbox.Joined(logged.Conversation, members.Added.Select(added => added.Account));
        }
    }

    private void Deliver(DeviceId device, DeviceMessage message)
    {
        if (!outbox.IsOn && !registry.IsConnected(device))
        {
            return;
        }

        var push = Push.Of(message);
        if (pushed.IsNew(message.Id))
        {
            registry.ToDevice(device, push);
        }

        outbox.ToDevice(device, push, message.Id);
    }

    private sealed record Batch(
        IReadOnlyList<Event> Events, IReadOnlyList<(DeviceId Device, DeviceMessage Message)> Messages, long CommittedAt,
        bool Together);

    private static partial class Log
    {
        [LoggerMessage(4000, LogLevel.Error, "A committed batch could not be delivered")]
        public static partial void DeliveryFailed(ILogger logger, Exception exception);

        [LoggerMessage(4001, LogLevel.Warning, "Fan-out fell behind; what was committed is read from the log")]
        public static partial void FellBehind(ILogger logger);
    }
}
