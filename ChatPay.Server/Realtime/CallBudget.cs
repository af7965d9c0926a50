namespace ChatPay.Server.Realtime;

/// <summary>What a hub method costs a connection: each class has a bucket of its own.</summary>
internal enum CallClass
{
    Write,
    Read,
    Signal,
}

/// <summary>
/// One connection's token buckets. One call of a connection runs at a time, so they need no lock.
/// </summary>
internal sealed class CallBudget(RealtimeOptions options, TimeProvider time)
{
    private readonly Bucket _writes = new(options.WritesPerSecond, options.WriteBurst, time);
    private readonly Bucket _reads = new(options.ReadsPerSecond, options.ReadBurst, time);
    private readonly Bucket _signals = new(options.SignalsPerSecond, options.SignalBurst, time);

    /// <summary>Takes a token.</summary>
    /// <param name="retryAfterMs">When there will be one again.</param>
    public bool TryTake(CallClass kind, out int retryAfterMs) => kind switch
    {
        CallClass.Write => _writes.TryTake(out retryAfterMs),
        CallClass.Read => _reads.TryTake(out retryAfterMs),
        CallClass.Signal => _signals.TryTake(out retryAfterMs),
    };

    private sealed class Bucket(int perSecond, int burst, TimeProvider time)
    {
        private double _tokens = burst;
        private long _filledAt = time.GetTimestamp();

        public bool TryTake(out int retryAfterMs)
        {
            var now = time.GetTimestamp();
            _tokens = Math.Min(burst, _tokens + (time.GetElapsedTime(_filledAt, now).TotalSeconds * perSecond));
            _filledAt = now;
            if (_tokens >= 1)
            {
                _tokens--;
                retryAfterMs = 0;
                return true;
            }

            retryAfterMs = (int)Math.Ceiling((1 - _tokens) / perSecond * 1000);
            return false;
        }
    }
}
