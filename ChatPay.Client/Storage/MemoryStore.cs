using System.Security.Cryptography;
using ChatPay.Client.Internal;

namespace ChatPay.Client;

/// <summary>
/// A store that is gone with the program: for tests, and for devices that sign in anew each time. It keeps nothing at
/// rest, so it encrypts nothing.
/// </summary>
/// <example>
/// <code>
/// await using var store = new MemoryStore();
/// await store.WriteAsync([new("greeting", "hello"u8.ToArray())], cancellationToken);
/// </code>
/// </example>
public sealed class MemoryStore : IDeviceStore
{
    private readonly Lock _lock = new();
    private readonly OrderedMap<byte[]> _entries = new();

    /// <inheritdoc/>
    public ValueTask<byte[]?> ReadAsync(string key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return new(_entries.TryGet(key, out var value) ? value.ToArray() : null);
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoreEntry>> ListAsync(StoreQuery query, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return new([.. _entries.List(query).Select(entry => new StoreEntry(entry.Key, entry.Value.ToArray()))]);
        }
    }

    /// <inheritdoc/>
    public ValueTask WriteAsync(IReadOnlyList<StoreChange> changes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(changes);
        cancellationToken.ThrowIfCancellationRequested();
        foreach (var change in changes)
        {
            StoreChange.RequireKey(change.Key);
        }

        lock (_lock)
        {
            foreach (var (key, value) in changes)
            {
                if (_entries.TryGet(key, out var replaced))
                {
                    CryptographicOperations.ZeroMemory(replaced);
                }

                _entries.Set(key, value?.ToArray());
            }
        }

        return default;
    }

    /// <summary>Does nothing: what it holds stays as long as it is referred to, for a test's next device.</summary>
    public ValueTask DisposeAsync() => default;
}
