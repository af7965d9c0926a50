using ChatPay.Client;

namespace ChatPay.Tests.Client;

/// <summary>
/// A store whose program dies at a chosen write: the write itself happens or not, everything after it fails, and what
/// was written can be opened again.
/// </summary>
internal sealed class MortalStore(IDeviceStore inner) : IDeviceStore
{
    private int _writes;
    private volatile bool _dead;

    /// <summary>The write that is the last; 0 for never.</summary>
    public int DiesAt { get; set; }

    /// <summary>Or the first one like this; null for none.</summary>
    public Func<IReadOnlyList<StoreChange>, bool>? DiesOn { get; set; }

    /// <summary>Whether that one still happens.</summary>
    public bool LastOneHappens { get; set; }

    public bool IsDead => _dead;

    /// <summary>Writes so far.</summary>
    public int Writes => _writes;

    public IDeviceStore Inner => inner;

    public ValueTask<byte[]?> ReadAsync(string key, CancellationToken cancellationToken)
    {
        Live();
        return inner.ReadAsync(key, cancellationToken);
    }

    public ValueTask<IReadOnlyList<StoreEntry>> ListAsync(StoreQuery query, CancellationToken cancellationToken)
    {
        Live();
        return inner.ListAsync(query, cancellationToken);
    }

    public async ValueTask WriteAsync(IReadOnlyList<StoreChange> changes, CancellationToken cancellationToken)
    {
        Live();
        var isLast = Interlocked.Increment(ref _writes) == DiesAt || DiesOn?.Invoke(changes) == true;
        if (isLast)
        {
            _dead = true;
        }

        if (!isLast || LastOneHappens)
        {
            await inner.WriteAsync(changes, cancellationToken);
        }

        if (isLast)
        {
            Live();
        }
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private void Live()
    {
        if (_dead)
        {
            throw new IOException("The program has died.");
        }
    }
}
