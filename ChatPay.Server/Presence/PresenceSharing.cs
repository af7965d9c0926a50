using ChatPay.Core.Protocol;
using ChatPay.Server.Cluster;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Presence;

/// <summary>
/// Tells other nodes who is here, and finds out who is there. Redis holds it, hints tell of changes at once, and a look
/// every so often makes up for hints that were lost. While Redis is away each node knows its own people only.
/// </summary>
internal sealed partial class PresenceSharing(
    PresenceBook book, PresenceSignals signals, PresenceKeys keys, PresenceStore store, ClusterNode node,
    HintOutbox outbox, IOptions<PresenceOptions> options, TimeProvider time, ILogger<PresenceSharing> logger) : BackgroundService
{
    private const int AccountsPerWrite = 1000;
    private const int RoundsPerLife = 3;
    private const int RoundsPerLook = 6;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(250);

    private readonly TimeSpan _nodeLife = TimeSpan.FromSeconds(options.Value.NodeTtlSeconds);

    private bool _allUnwritten = true;
    private bool _isUp;
    private long _answeredAt = time.GetTimestamp();
    private long _writtenAt;
    private long _roundAt;
    private int _rounds;

    /// <summary>Reads on which nodes accounts are that nobody here has watched so far; without Redis, on none.</summary>
    public async Task ReadAsync(IReadOnlyList<AccountId> accounts, CancellationToken cancellationToken)
    {
        if (!signals.IsShared || !node.IsRedisUp || accounts.Count == 0)
        {
            return;
        }

        try
        {
            book.EndRead(await keys.ReadAsync(accounts, cancellationToken));
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Log.RedisFailed(logger, exception);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!signals.IsShared)
        {
            return;
        }

        using var timer = new PeriodicTimer(s_pause, time);
        var tick = timer.WaitForNextTickAsync(stoppingToken).AsTask();
        var work = signals.Sharing.WaitToReadAsync(stoppingToken).AsTask();
        while (true)
        {
            await Task.WhenAny(tick, work);
            if (work.IsCompleted)
            {
                await work;
                signals.Sharing.TryRead(out _);
                work = signals.Sharing.WaitToReadAsync(stoppingToken).AsTask();
            }

            if (tick.IsCompleted)
            {
                await tick;
                tick = timer.WaitForNextTickAsync(stoppingToken).AsTask();
            }

            try
            {
                await ShareAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever it is, also a connection that was given up meanwhile: the next round begins anew.
                PresenceMetrics.Failed("share");
                Log.RedisFailed(logger, exception);
                _allUnwritten = true;
                await Task.Delay(s_pause, time, stoppingToken);
            }
        }
    }

    private async Task ShareAsync(CancellationToken cancellationToken)
    {
        if (!node.IsRedisUp)
        {
            _isUp = false;
            _allUnwritten = true;
            if (time.GetElapsedTime(_answeredAt) >= _nodeLife)
            {
                Forget();
            }

            return;
        }

        var changes = book.TakeUnshared();
        if (!_isUp || _roundAt == 0 || time.GetElapsedTime(_roundAt) >= _nodeLife / RoundsPerLife)
        {
            await GoRoundAsync(cancellationToken);
        }

        await WriteAsync(changes, cancellationToken);
        _answeredAt = time.GetTimestamp();
    }

    /// <summary>First written, then told: who reads after having heard reads what was told.</summary>
    private async Task WriteAsync(IEnumerable<PresenceChange> changes, CancellationToken cancellationToken)
    {
        foreach (var chunk in changes.Chunk(AccountsPerWrite))
        {
            await keys.WriteAsync(chunk, cancellationToken);
            outbox.Presence(node.Id, chunk);
        }
    }

    private async Task GoRoundAsync(CancellationToken cancellationToken)
    {
        var isKnown = await keys.LiveAsync(cancellationToken);
        _roundAt = time.GetTimestamp();
        if (!isKnown || _allUnwritten || time.GetElapsedTime(_writtenAt) >= PresenceKeys.AccountLife / RoundsPerLife)
        {
            await WriteAsync(
                book.Shown().Select(account => new PresenceChange(account, Online: true, LastSeen: null)), cancellationToken);
            _writtenAt = time.GetTimestamp();
            _allUnwritten = false;
        }

        foreach (var dead in await keys.DeadAsync(book.OtherNodes(), cancellationToken))
        {
            Log.NodeVanished(logger, dead);
            book.Vanished(dead, await SeenAsync(book.OnlyOn(dead), cancellationToken));
        }

        if (!_isUp || _rounds++ % RoundsPerLook == 0)
        {
            foreach (var chunk in book.Watched().Chunk(AccountsPerWrite))
            {
                book.BeginRead();
                book.EndRead(await keys.ReadAsync(chunk, cancellationToken));
            }
        }

        _isUp = true;
    }

    /// <summary>Nobody else is left to write down when they were last seen.</summary>
    private async Task<IReadOnlyDictionary<AccountId, DateTimeOffset>> SeenAsync(
        IReadOnlyList<AccountId> accounts, CancellationToken cancellationToken)
    {
        try
        {
            return await store.SeenAsync(accounts, _nodeLife, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Log.SeenFailed(logger, exception);
            return new Dictionary<AccountId, DateTimeOffset>();
        }
    }

    /// <summary>What other nodes have said is too old to go by.</summary>
    private void Forget()
    {
        foreach (var other in book.OtherNodes())
        {
            book.Vanished(other, new Dictionary<AccountId, DateTimeOffset>());
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4210, LogLevel.Information, "Redis did not answer while presence was shared; it is tried again")]
        public static partial void RedisFailed(ILogger logger, Exception exception);

        [LoggerMessage(4211, LogLevel.Information, "Node {Node} is gone, and with it the people that were only there")]
        public static partial void NodeVanished(ILogger logger, Guid node);

        [LoggerMessage(4212, LogLevel.Warning, "When the people of a node that is gone were last seen could not be noted")]
        public static partial void SeenFailed(ILogger logger, Exception exception);
    }
}
