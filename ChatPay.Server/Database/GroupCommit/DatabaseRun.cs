namespace ChatPay.Server.Database.GroupCommit;

/// <summary>
/// Which run of PostgreSQL the node last decided in, by the time it was started. What a batch remembers of an earlier run may
/// be of another history: a backup may have been restored in between, or a replica promoted. A connection that broke tells
/// as much, but whoever else reads may have met it first, and then nothing breaks here.
/// </summary>
/// <remarks>
/// It also keeps the database's time: what is remembered needs no statement, and so must not need one to tell the time.
/// </remarks>
internal sealed class DatabaseRun(TimeProvider time)
{
    /// <summary>How long a reading of the clock is good for.</summary>
    private static readonly TimeSpan s_trust = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private DateTimeOffset? _startedAt;
    private DateTimeOffset _now = DateTimeOffset.UnixEpoch;
    private long _readAt;

    /// <summary>What a batch has read: the database's time, and when it was started.</summary>
    /// <exception cref="DatabaseReplacedException">It is another run than the one before.</exception>
    public void Read(DateTimeOffset now, DateTimeOffset startedAt)
    {
        lock (_lock)
        {
            _startedAt ??= startedAt;
            if (_startedAt != startedAt)
            {
                throw new DatabaseReplacedException();
            }

            // An answer that came late must not set the time back, but a clock that was set back must.
            var reckoned = _now + time.GetElapsedTime(_readAt);
            _now = reckoned > now && reckoned - now < s_trust ? reckoned : now;
            _readAt = time.GetTimestamp();
        }
    }

    /// <summary>
    /// The database's time without asking it; it comes late by as long as the answer took that it is reckoned from.
    /// </summary>
    /// <returns>False where it has to be asked.</returns>
    public bool TryEstimate(out DateTimeOffset now, out DateTimeOffset startedAt)
    {
        lock (_lock)
        {
            var since = time.GetElapsedTime(_readAt);
            var estimate = _now + since;

            // As exact as PostgreSQL keeps it: whoever asks again is told the same.
            now = estimate.AddTicks(-(estimate.Ticks % TimeSpan.TicksPerMicrosecond));
            startedAt = _startedAt ?? default;
            return _startedAt is not null && since < s_trust;
        }
    }

    /// <summary>Whatever was remembered is forgotten; the next run is as good as any.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _startedAt = null;
        }
    }
}

/// <summary>The database was started anew since the last batch. The same batch may be decided on what is there now.</summary>
internal sealed class DatabaseReplacedException() : Exception("The database was started anew, perhaps as another.");
