namespace ChatPay.Client;

/// <summary>
/// Where a device keeps what must outlive the program: keys, ratchets, cursors, what waits to be sent and what was
/// received. Keys are ASCII text, values are bytes.
/// </summary>
/// <remarks>
/// An implementation keeps three promises, on which everything else rests. A write happens as a whole or not at all,
/// whenever the program or the machine dies. A write that has completed is durable. Only one open store changes the
/// data at a time, for two devices with the same ratchet would encrypt twice under one key. It also encrypts at rest:
/// values hold the device's private key and what people wrote. The same data must never be brought back from an older
/// copy: sign in as a new device instead. Calls may come from several threads. One that fails leaves the data as it
/// was; a device whose store fails ends.
/// </remarks>
public interface IDeviceStore : IAsyncDisposable
{
    /// <summary>The value under a key, or null where there is none.</summary>
    /// <exception cref="IOException">The data cannot be read.</exception>
    /// <example>
    /// <code>var greeting = await store.ReadAsync("greeting", cancellationToken);</code>
    /// </example>
    ValueTask<byte[]?> ReadAsync(string key, CancellationToken cancellationToken);

    /// <summary>Entries in the order of their keys, compared by character codes.</summary>
    /// <exception cref="IOException">The data cannot be read.</exception>
    /// <example>
    /// <code>
    /// var newest = await store.ListAsync(new("item/") { Backwards = true, Limit = 1 }, cancellationToken);
    /// </code>
    /// </example>
    ValueTask<IReadOnlyList<StoreEntry>> ListAsync(StoreQuery query, CancellationToken cancellationToken);

    /// <summary>Makes all the changes or none of them; durable when it completes.</summary>
    /// <exception cref="IOException">Nothing was changed, or the store is of no use any more.</exception>
    /// <example>
    /// <code>
    /// await store.WriteAsync([new("greeting", "hello"u8.ToArray()), new("draft", null)], cancellationToken);
    /// </code>
    /// </example>
    ValueTask WriteAsync(IReadOnlyList<StoreChange> changes, CancellationToken cancellationToken);
}

/// <summary>A key and what is kept under it.</summary>
/// <param name="Key">ASCII text, 1 to 200 characters.</param>
/// <param name="Value">The bytes; the receiver's own copy.</param>
public readonly record struct StoreEntry(string Key, byte[] Value);

/// <summary>One change of a write.</summary>
/// <param name="Key">ASCII text, 1 to 200 characters.</param>
/// <param name="Value">
/// What is kept under the key from now on; null removes it. The array stays the caller's, who may zero it once the
/// write has completed.
/// </param>
public readonly record struct StoreChange(string Key, byte[]? Value)
{
    /// <summary>Longest key, in characters.</summary>
    public const int KeyMaxChars = 200;

    internal static void RequireKey(string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        if (key.Length > KeyMaxChars || key.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            throw new ArgumentException("A key is 1 to 200 characters of printable ASCII.", nameof(key));
        }
    }
}

/// <summary>Which entries to list.</summary>
/// <param name="Prefix">What their keys begin with; may be empty for all.</param>
public readonly record struct StoreQuery(string Prefix)
{
    /// <summary>Only keys behind this one; null for no such bound.</summary>
    public string? After { get; init; }

    /// <summary>Only keys before this one; null for no such bound.</summary>
    public string? Before { get; init; }

    /// <summary>Whether to begin at the end.</summary>
    public bool Backwards { get; init; }

    /// <summary>At most this many entries; default 1,000.</summary>
    public int Limit { get; init; } = 1000;
}
