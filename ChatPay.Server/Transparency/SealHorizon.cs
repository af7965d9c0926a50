namespace ChatPay.Server.Transparency;

/// <summary>
/// Up to which batch of the ledger nothing can come any more. Batches are numbered in the order of deciding and commit out of
/// order, on several nodes. Whoever takes a number holds a lock on the sequence until that transaction ends: so once all who
/// held one when the newest number was N have ended, every batch up to N is there for good or never will be.
/// </summary>
/// <param name="since">Up to which batch that is known already.</param>
/// <param name="patience">How long one transaction may hold up the order of all others.</param>
internal sealed class SealHorizon(long since, TimeSpan patience, TimeProvider time)
{
    private Look? _watched;

    /// <summary>All batches up to this one have ended.</summary>
    public long Complete { get; private set; } = since;

    /// <summary>
    /// Up to which batch the log may go: beyond <see cref="Complete"/> only while a transaction hangs, whose transfers will come
    /// after those that were decided later.
    /// </summary>
    public long Open { get; private set; } = since;

    /// <summary>When it was seen that there is something beyond <see cref="Complete"/>; null where there is nothing.</summary>
    public long? WaitsSince => _watched?.At;

    /// <summary>Takes note of how things are.</summary>
    /// <param name="batch">The newest number that was taken, read before the holders were.</param>
    /// <param name="holders">The transactions that have taken one and not ended.</param>
    public void Saw(long batch, IReadOnlyCollection<string> holders)
    {
        ArgumentNullException.ThrowIfNull(holders);
        if (_watched is { } watched && !holders.Any(watched.Holders.Contains))
        {
            Complete = Math.Max(Complete, watched.Batch);
            _watched = null;
        }

        if (holders.Count == 0)
        {
            Complete = Math.Max(Complete, batch);
            _watched = null;
        }
        else if (batch > Complete)
        {
            _watched ??= new Look(batch, holders.ToHashSet(StringComparer.Ordinal), time.GetTimestamp());
        }

        var isStuck = WaitsSince is { } begun && time.GetElapsedTime(begun) > patience;
        Open = isStuck ? Math.Max(Complete, batch) : Complete;
    }

    private sealed record Look(long Batch, HashSet<string> Holders, long At);
}
