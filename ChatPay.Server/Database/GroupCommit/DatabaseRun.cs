namespace ChatPay.Server.Database.GroupCommit;

/// <summary>
/// Which run of PostgreSQL the node last decided in, by the time it was started. What a batch remembers of an earlier run may
/// be of another history: a backup may have been restored in between, or a replica promoted. A connection that broke tells
/// as much, but whoever else reads may have met it first, and then nothing breaks here.
/// </summary>
internal sealed class DatabaseRun
{
    private readonly Lock _lock = new();
    private DateTimeOffset? _startedAt;

    /// <exception cref="DatabaseReplacedException">It is another run than the one before.</exception>
    public void Check(DateTimeOffset startedAt)
    {
        lock (_lock)
        {
            _startedAt ??= startedAt;
            if (_startedAt != startedAt)
            {
                throw new DatabaseReplacedException();
            }
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
