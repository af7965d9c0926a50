using ChatPay.Client;

namespace ChatPay.Tests.Client;

/// <summary>A store in memory whose test sees every write before it happens; it heeds cancellation.</summary>
internal sealed class WatchedStore(MemoryStore inner) : IDeviceStore
{
    /// <summary>Is shown every write; null for nobody.</summary>
    public Func<IReadOnlyList<StoreChange>, Task>? Writing { get; set; }

    public ValueTask<byte[]?> ReadAsync(string key, CancellationToken cancellationToken) =>
        inner.ReadAsync(key, cancellationToken);

    public ValueTask<IReadOnlyList<StoreEntry>> ListAsync(StoreQuery query, CancellationToken cancellationToken) =>
        inner.ListAsync(query, cancellationToken);

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
