using System.ComponentModel.DataAnnotations;

namespace ChatPay.Server.Database.GroupCommit;

/// <summary>Configuration section <c>GroupCommit</c>.</summary>
internal sealed class GroupCommitOptions
{
    /// <summary>Commands waiting at most, 64 to 1,000,000; beyond it callers get <c>overloaded</c>. Default 8,192.</summary>
    [Range(64, 1_000_000)]
    public int QueueCapacity { get; set; } = 8192;

    /// <summary>Commands in one transaction at most, 1 to 4,096. Default 1,024.</summary>
    [Range(1, 4096)]
    public int BatchSize { get; set; } = 1024;

    /// <summary>Batches on their way at once, 1 to 4: while one commits, the next is decided and written. Default 2.</summary>
    [Range(1, 4)]
    public int Flights { get; set; } = 2;

    /// <summary>
    /// Commands that have to wait before another batch goes beside the one on its way, 0 to 1,000,000. Default 128. With fewer,
    /// two small batches would cost more than one of both, and be no sooner.
    /// </summary>
    [Range(0, 1_000_000)]
    public int CrowdSize { get; set; } = 128;

    /// <summary>
    /// How long a batch that others may follow waits for a lock, in milliseconds, 10 to 60,000; then it is tried again
    /// alone. Default 500. Nodes may wait for each other in a circle that PostgreSQL does not see, because in it a batch
    /// waits for the one before; this ends it.
    /// </summary>
    [Range(10, 60_000)]
    public int LockTimeoutMs { get; set; } = 500;

    /// <summary>Attempts at one batch before its callers get <c>unavailable</c>, 1 to 20. Default 8.</summary>
    [Range(1, 20)]
    public int MaxAttempts { get; set; } = 8;

    /// <summary>First pause before another attempt, in milliseconds, doubled each time, 1 to 1,000. Default 10.</summary>
    [Range(1, 1000)]
    public int RetryDelayMs { get; set; } = 10;
}
