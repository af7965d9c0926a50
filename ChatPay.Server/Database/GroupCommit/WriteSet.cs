using Npgsql;

namespace ChatPay.Server.Database.GroupCommit;

/// <summary>
/// One feature's rows in a batch: collects what is needed, loads it under row locks in key order, holds it while
/// commands decide, and writes the changes with set-based statements.
/// </summary>
internal abstract class WriteRows
{
    /// <summary>
    /// Features lock in this order, and rows within a feature by id, so that batches of several nodes never wait for each
    /// other in a circle: cards 200, conversations 300, accounts of the ledger 350. The busiest come last and are held
    /// for the shortest time.
    /// </summary>
    public abstract int LockOrder { get; }

    /// <summary>Features write in this order: what others refer to comes first.</summary>
    public virtual int WriteOrder => LockOrder;

    /// <summary>Called once every command has declared, and again where the set has waited for earlier ones since.</summary>
    public virtual void Declared()
    {
    }

    /// <summary>
    /// Whether this batch must not load before the ones before it are over: it would lock what they have decided on
    /// without a lock.
    /// </summary>
    public virtual bool WaitsForEarlier => false;

    /// <summary>Whether loading locked rows that a batch beside this one may have to wait for.</summary>
    public virtual bool HoldsRows => false;

    /// <summary>Adds the load statements, each ending in <c>for update</c> where the rows will change.</summary>
    public abstract void AddLoads(NpgsqlBatch batch);

    /// <summary>Reads exactly the result sets that <see cref="AddLoads"/> asked for; starts on the first of them.</summary>
    /// <returns>How many result sets were read is the caller's concern: leave the reader after the last one.</returns>
    public abstract Task ReadLoadsAsync(LoadReader reader, CancellationToken cancellationToken);

    /// <summary>Adds the statements that write what the commands changed; nothing if nothing changed.</summary>
    public abstract void AddWrites(NpgsqlBatch batch);

    /// <summary>
    /// Whether something was decided on states that no lock of this transaction holds. What it writes then fails the
    /// transaction where they have changed since, and it waits for the batches it was decided after.
    /// </summary>
    public virtual bool IsSpeculative => false;

    /// <summary>
    /// Whether the time is decided on: then the database's clock is read, also where nothing else is. What is only stamped with
    /// it may be stamped with an estimate.
    /// </summary>
    public virtual bool NeedsClock => false;

    /// <summary>Adds the statements that only make sense once the batches before are committed.</summary>
    public virtual void AddLastWrites(NpgsqlBatch batch)
    {
    }

    /// <summary>Called once all commands have decided and before anything is written.</summary>
    public virtual void Decided()
    {
    }

    /// <summary>Called when a decided batch was not committed: nothing of it came true.</summary>
    public virtual void Abandoned()
    {
    }

    /// <summary>Called once after the commit: hand what happened to fan-out. Must not block or throw.</summary>
    public virtual void Committed()
    {
    }
}

/// <summary>Steps through the result sets of the load batch, one per load statement, in order.</summary>
internal sealed class LoadReader(NpgsqlDataReader reader)
{
    private bool _started;

    /// <summary>Moves to the next statement's result set and returns the reader standing before its first row.</summary>
    public async Task<NpgsqlDataReader> NextAsync(CancellationToken cancellationToken)
    {
        if (_started && !await reader.NextResultAsync(cancellationToken))
        {
            throw new InvalidOperationException("Fewer result sets than load statements.");
        }

        _started = true;
        return reader;
    }
}

/// <summary>Makes one feature's rows for each attempt at a batch.</summary>
internal interface IWriteRowsFactory
{
    WriteRows Create(WriteSet set);

    /// <summary>
    /// The database has gone away. What comes back may be another: restored, or a replica that was promoted. Whatever the
    /// feature remembers of the old one is to be forgotten.
    /// </summary>
    void DatabaseLost()
    {
    }
}

/// <summary>All features' rows of one attempt at a batch, and the database's time once they are locked.</summary>
internal sealed class WriteSet
{
    private readonly WriteRows[] _inLockOrder;
    private readonly WriteRows[] _inWriteOrder;

    /// <summary>For an attempt that locks every row it decides on, and follows no other.</summary>
    public WriteSet(IEnumerable<IWriteRowsFactory> factories)
        : this(factories, locks: true, [])
    {
    }

    /// <summary>For an attempt that may decide on what earlier ones, not committed yet, have decided.</summary>
    public WriteSet(IEnumerable<IWriteRowsFactory> factories, IReadOnlyList<WriteSet> earlier)
        : this(factories, locks: false, earlier)
    {
    }

    private WriteSet(IEnumerable<IWriteRowsFactory> factories, bool locks, IReadOnlyList<WriteSet> earlier)
    {
        Locks = locks;
        Earlier = earlier;
        _inLockOrder = [.. factories.Select(factory => factory.Create(this)).OrderBy(rows => rows.LockOrder)];
        _inWriteOrder = [.. _inLockOrder.OrderBy(rows => rows.WriteOrder)];
    }

    /// <summary>The database's clock, read after every row was locked; the time of everything in this batch.</summary>
    public DateTimeOffset Now { get; internal set; }

    /// <summary>Whether every row that something is decided on is to be locked, whatever it costs.</summary>
    public bool Locks { get; }

    /// <summary>Decided before this one on the same node and perhaps not committed; oldest first.</summary>
    public IReadOnlyList<WriteSet> Earlier { get; private set; }

    public bool WaitsForEarlier => Earlier.Count > 0 && _inLockOrder.Any(rows => rows.WaitsForEarlier);

    public bool IsSpeculative => _inLockOrder.Any(rows => rows.IsSpeculative);

    public bool HoldsRows => _inLockOrder.Any(rows => rows.HoldsRows);

    public bool NeedsClock => _inLockOrder.Any(rows => rows.NeedsClock);

    public IReadOnlyList<WriteRows> InLockOrder => _inLockOrder;

    public IReadOnlyList<WriteRows> InWriteOrder => _inWriteOrder;

    public T Rows<T>()
        where T : WriteRows
    {
        foreach (var rows in _inLockOrder)
        {
            if (rows is T wanted)
            {
                return wanted;
            }
        }

        throw new InvalidOperationException($"No feature registered {typeof(T).Name}.");
    }

    internal void Declare(IEnumerable<WriteCommand> commands)
    {
        foreach (var command in commands)
        {
            command.Declare(this);
        }

        Declared();
    }

    internal void Declared()
    {
        foreach (var rows in _inLockOrder)
        {
            rows.Declared();
        }
    }

    /// <summary>Once everything is decided; otherwise each set would keep all before it.</summary>
    internal void ForgetEarlier() => Earlier = [];

    internal void Abandon()
    {
        foreach (var rows in _inLockOrder)
        {
            rows.Abandoned();
        }
    }
}
