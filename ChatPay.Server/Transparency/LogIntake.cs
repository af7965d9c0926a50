using Npgsql;

namespace ChatPay.Server.Transparency;

/// <summary>
/// What a log takes in: where it waits, and how it is marked as taken. All of it happens in the transaction of a round, while
/// no other node changes the log.
/// </summary>
internal abstract class LogIntake
{
    /// <summary>Leaves that one round takes at most.</summary>
    public abstract int LeavesPerRound { get; }

    /// <summary>Whether a round may find something; true where only the round can tell.</summary>
    public virtual Task<bool> MayWaitAsync(CancellationToken cancellationToken) => Task.FromResult(true);

    /// <summary>What waits, in the order in which it goes into the log; it is kept for <see cref="AddTake"/>.</summary>
    /// <param name="number">Of the log: in a new one everything waits.</param>
    /// <returns>Leaves, 32 bytes each; no more than <see cref="LeavesPerRound"/>.</returns>
    public abstract Task<IReadOnlyList<byte[]>> FindAsync(
        NpgsqlConnection connection, int number, CancellationToken cancellationToken);

    /// <summary>Gives the leaves that were found last their places, one after another, and stores them.</summary>
    public abstract void AddTake(NpgsqlBatch batch, long firstIndex);

    /// <summary>Lets everything wait again, for another log.</summary>
    public abstract void AddRenew(NpgsqlBatch batch);

    /// <summary>The round with what was found last is committed.</summary>
    /// <returns>Whether more is there to take at once.</returns>
    public abstract bool Taken();
}
