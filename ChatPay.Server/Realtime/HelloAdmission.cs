using System.Threading.RateLimiting;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Realtime;

/// <summary>
/// Who may say Hello now. It is what a returning client costs most, and after the loss of a node thousands return at
/// once: so many are answered at a time, some wait their turn, and all others are told when there will be room.
/// </summary>
internal sealed class HelloAdmission(IOptions<RealtimeOptions> options, Draining draining, TimeProvider time) : IDisposable
{
    private readonly ConcurrencyLimiter _places = new(new()
    {
        PermitLimit = options.Value.HellosAtOnce,
        QueueLimit = options.Value.HellosWaiting,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    private readonly HelloPace _pace = new(
        options.Value.HellosAtOnce, TimeSpan.FromMilliseconds(options.Value.HelloRetryMaxMs), time);

    public async Task<Result<HelloReply>> AdmitAsync(
        Func<CancellationToken, Task<Result<HelloReply>>> hello, CancellationToken cancellationToken)
    {
        if (draining.HasBegun)
        {
            return Draining.Refusal;
        }

        using var place = await WaitAsync(cancellationToken);
        if (!place.IsAcquired)
        {
            AdmissionMetrics.HelloRefused();
            return RetryLater.Of(
                ErrorCode.Overloaded, "Many are connecting right now. It will be your turn in a moment.",
                _pace.NextPlace((int)(_places.GetStatistics()?.CurrentQueuedCount ?? 0)));
        }

        AdmissionMetrics.HelloAdmitted();
        var started = time.GetTimestamp();
        try
        {
            return await hello(cancellationToken);
        }
        finally
        {
            _pace.Took(time.GetElapsedTime(started));
        }
    }

    public void Dispose() => _places.Dispose();

    private async Task<RateLimitLease> WaitAsync(CancellationToken cancellationToken)
    {
        var place = _places.AcquireAsync(1, cancellationToken);
        if (place.IsCompleted)
        {
            return await place;
        }

        AdmissionMetrics.HelloWaits(1);
        try
        {
            return await place;
        }
        finally
        {
            AdmissionMetrics.HelloWaits(-1);
        }
    }
}

/// <summary>
/// Measures what Hellos take and gives each refused one a place of its own in the time to come, so that those who
/// were refused together do not come back together. Clients add up to as much again, which leaves a third of the room
/// to others.
/// </summary>
internal sealed class HelloPace(int atOnce, TimeSpan longest, TimeProvider time)
{
    private static readonly TimeSpan s_shortest = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_guess = TimeSpan.FromMilliseconds(10);

    /// <summary>Each new measurement counts for one part in this many.</summary>
    private const int Memory = 16;

    private readonly Lock _lock = new();
    private readonly long _since = time.GetTimestamp();
    private TimeSpan _each = s_guess / atOnce;
    private TimeSpan _next;

    public void Took(TimeSpan elapsed)
    {
        lock (_lock)
        {
            _each += ((elapsed / atOnce) - _each) / Memory;
        }
    }

    /// <summary>How long to stay away, given how many wait here already.</summary>
    public TimeSpan NextPlace(int waiting)
    {
        lock (_lock)
        {
            var now = time.GetElapsedTime(_since);
            var room = now + (waiting * _each);
            _next = (_next > room ? _next : room) + _each;
            _next = _next < now + longest ? _next : now + longest;
            return _next - now > s_shortest ? _next - now : s_shortest;
        }
    }
}
