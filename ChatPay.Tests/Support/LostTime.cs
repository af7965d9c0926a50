using System.Diagnostics;

namespace ChatPay.Tests.Support;

/// <summary>
/// How long this process, with the servers and clients in it, was kept from running: a promise in seconds is held against
/// what a machine that is busy with something else has left of them, and against no guess.
/// </summary>
internal sealed class LostTime : IAsyncDisposable
{
    private static readonly TimeSpan s_beat = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource _enough = new();
    private readonly Task _beating;
    private long _lostTicks;

    public LostTime() => _beating = Task.Run(BeatAsync);

    /// <summary>So far; beats that come no later than the next one would are not counted.</summary>
    public TimeSpan Total => TimeSpan.FromTicks(Interlocked.Read(ref _lostTicks));

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        await _beating;
        _enough.Dispose();
    }

    private async Task BeatAsync()
    {
        while (!_enough.IsCancellationRequested)
        {
            var began = Stopwatch.GetTimestamp();
            await Task.Delay(s_beat, CancellationToken.None);
            var late = Stopwatch.GetElapsedTime(began) - s_beat;
            if (late > s_beat)
            {
                Interlocked.Add(ref _lostTicks, late.Ticks);
            }
        }
    }
}
