using ChatPay.Client;

namespace ChatPay.Tests.Client;

/// <summary>
/// A store in memory whose test sees what is read, and every write before it happens; it heeds cancellation.
/// </summary>
internal sealed class WatchedStore(MemoryStore inner) : IDeviceStore
{
    /// <summary>Is shown every write; null for nobody.</summary>
    public Func<IReadOnlyList<StoreChange>, Task>? Writing { get; set; }

    /// <summary>Is shown every value that is read, as it is given out; null for nobody.</summary>
    public Action<StoreEntry>? Giving { get; set; }

    public async ValueTask<byte[]?> ReadAsync(string key, CancellationToken cancellationToken)
    {
        var value = await inner.ReadAsync(key, cancellationToken);
        if (value is not null)
        {
            Giving?.Invoke(new(key, value));
        }

        return value;
    }

    public async ValueTask<IReadOnlyList<StoreEntry>> ListAsync(StoreQuery query, CancellationToken cancellationToken)
    {
        var entries = await inner.ListAsync(query, cancellationToken);
        foreach (var entry in entries)
        {
            Giving?.Invoke(entry);
        }

        return entries;
    }

    public async ValueTask WriteAsync(IReadOnlyList<StoreChange> changes, CancellationToken cancellationToken)
    {
        if (Writing is { } watch)
        {
            await watch(changes);
        }

        await inner.WriteAsync(changes, cancellationToken);
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
