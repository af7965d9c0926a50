using System.Security.Cryptography;
using ChatPay.Client.Internal;

namespace ChatPay.Client;

/// <summary>
/// The store on a disk: one file in a folder of its own, sealed with AES-256-GCM under a key of 32 bytes, or under a
/// passphrase by way of Argon2id. Safe for concurrent use; one object, of one program, has it open at a time.
/// </summary>
/// <remarks>
/// Every write is appended and flushed as one sealed frame; a frame that is torn because the program or the machine
/// died meanwhile was never acknowledged, and is dropped at the next opening. From time to time the file is written
/// anew beside the old one, flushed, and renamed over it, which also gets rid of replaced keys. Sealing tells damage
/// and tampering, but not that the whole file was put back to an earlier copy: never do that, for the device would use
/// keys again. Of the names in the store, only their number and lengths could be guessed from the file.
/// </remarks>
/// <example>
/// <code>
/// await using var store = await FileStore.OpenAsync("/var/lib/bot", passphrase, null, cancellationToken);
/// var options = new ChatPayDeviceOptions { Address = address, Store = store };
/// await using var device = await ChatPayDevice.OpenAsync(options, cancellationToken);
/// </code>
/// </example>
public sealed class FileStore : IDeviceStore
{
    /// <summary>Bytes of a key that is given instead of a passphrase.</summary>
    public const int KeyBytes = StoreHeader.KeyBytes;

    private const string FileName = "device.store";
    private const string TemporaryName = "device.store.new";
    private const string LockName = "device.lock";

    private readonly SemaphoreSlim _gate = new(1);
    private readonly string _folder;
    private readonly FileStream _lock;
    private readonly byte[] _storeKey;
    private readonly int _compactAfterBytes;
    private StoreFile _file;
    private OrderedMap<StoreLocation> _index;
    private StoreFaultedException? _fault;
    private bool _disposed;

    private FileStore(
        string folder, FileStream @lock, StoreFile file, OrderedMap<StoreLocation> index, byte[] storeKey,
        int compactAfterBytes)
    {
        (_folder, _lock, _file, _index, _storeKey) = (folder, @lock, file, index, storeKey);
        _compactAfterBytes = compactAfterBytes;
    }

    /// <summary>Opens the store of a folder with its passphrase, or makes one where there is none.</summary>
    /// <param name="folder">A folder of the store's own; made where it is missing, readable by its owner alone.</param>
    /// <param name="passphrase">Not empty. Opening costs what <see cref="FileStoreOptions"/> says, once.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.StoreInUse"/>; <see cref="ClientErrors.StoreWrongKey"/>: another passphrase;
    /// <see cref="ClientErrors.StoreDamaged"/>; <see cref="ClientErrors.StoreTooNew"/>;
    /// <see cref="ClientErrors.StoreFailed"/>: the folder cannot be used.
    /// </exception>
    /// <example>
    /// <code>
    /// await using var store = await FileStore.OpenAsync("/var/lib/bot", passphrase, null, cancellationToken);
    /// </code>
    /// </example>
    public static Task<FileStore> OpenAsync(
        string folder, string passphrase, FileStoreOptions? options, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(passphrase);
        return OpenAsync(
            folder, StoreKeyKind.Passphrase, header => header.StoreKey(passphrase), options, cancellationToken);
    }

    /// <summary>Opens the store of a folder with its key, or makes one where there is none.</summary>
    /// <param name="folder">A folder of the store's own; made where it is missing, readable by its owner alone.</param>
    /// <param name="key">32 random bytes that are kept elsewhere.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.StoreInUse"/>; <see cref="ClientErrors.StoreWrongKey"/>: another key;
    /// <see cref="ClientErrors.StoreDamaged"/>; <see cref="ClientErrors.StoreTooNew"/>;
    /// <see cref="ClientErrors.StoreFailed"/>: the folder cannot be used.
    /// </exception>
    /// <example>
    /// <code>
    /// await using var store = await FileStore.OpenAsync("/var/lib/bot", keyBytes, null, cancellationToken);
    /// </code>
    /// </example>
    public static Task<FileStore> OpenAsync(
        string folder, ReadOnlyMemory<byte> key, FileStoreOptions? options, CancellationToken cancellationToken)
    {
        if (key.Length != KeyBytes)
        {
            throw new ArgumentException($"A store's key has {KeyBytes} bytes.", nameof(key));
        }

        return OpenAsync(folder, StoreKeyKind.Key, _ => key.ToArray(), options, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<byte[]?> ReadAsync(string key, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            Require();
            return _index.TryGet(key, out var location) ? _file.Read(location) : null;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<StoreEntry>> ListAsync(StoreQuery query, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            Require();
            return [.. _file.Read(_index.List(query))];
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask WriteAsync(IReadOnlyList<StoreChange> changes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(changes);
        foreach (var change in changes)
        {
            StoreChange.RequireKey(change.Key);
        }

        await _gate.WaitAsync(cancellationToken);
        try
        {
            Require();
            if (changes.Count > 0)
            {
                // Flushing may take long, and the caller may be somebody's only thread.
                await Task.Run(() => Write(changes), CancellationToken.None);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Closes the file and lets another program open it. There is nothing to flush.</summary>
    public async ValueTask DisposeAsync()
    {
        await _gate.WaitAsync();
        if (!_disposed)
        {
            _disposed = true;
            _file.Dispose();
            CryptographicOperations.ZeroMemory(_storeKey);
            await _lock.DisposeAsync();
        }

        _gate.Release();
    }

    private static async Task<FileStore> OpenAsync(
        string folder, StoreKeyKind kind, Func<StoreHeader, byte[]> storeKeyOf, FileStoreOptions? options,
        CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var settings = (options ?? new()).Checked();
        try
        {
            return await Task.Run(() => Open(folder, kind, storeKeyOf, settings), cancellationToken);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw LocalErrors.StoreClosed(failed);
        }
    }

    private static FileStore Open(
        string folder, StoreKeyKind kind, Func<StoreHeader, byte[]> storeKeyOf, FileStoreOptions options)
    {
        MakeFolder(folder);
        var held = Hold(folder);
        StoreFile? file = null;
        byte[]? storeKey = null;
        try
        {
            File.Delete(Path.Combine(folder, TemporaryName));
            var path = Path.Combine(folder, FileName);
            byte[] KeyFor(StoreHeader header) => storeKey ??= header.Kind == kind
                ? storeKeyOf(header)
                : throw new StoreException(ClientErrors.StoreWrongKey, header.Kind == StoreKeyKind.Key
                    ? "The store opens with a key, not with a passphrase."
                    : "The store opens with a passphrase, not with a key.");

            var index = new OrderedMap<StoreLocation>();
            if (!File.Exists(path))
            {
                // As a whole or not at all: what is there from here on can be opened.
                var header = StoreHeader.New(kind, options.Argon2);
                var temporary = Path.Combine(folder, TemporaryName);
                StoreFile.Create(temporary, header, KeyFor(header), [], new()).Dispose();
                File.Move(temporary, path);
                DirectoryFlush.Flush(folder);
            }

            file = StoreFile.Open(path, KeyFor, index);
            return new FileStore(folder, held, file, index, storeKey!, options.CompactAfterBytes);
        }
        catch
        {
            CryptographicOperations.ZeroMemory(storeKey);
            file?.Dispose();
            held.Dispose();
            throw;
        }
    }

    private static void MakeFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(
                folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>The system gives the lock back when the program ends, however it ends.</summary>
    private static FileStream Hold(string folder)
    {
        try
        {
            return new FileStream(
                Path.Combine(folder, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (exception is not (DirectoryNotFoundException or PathTooLongException))
        {
            throw new StoreException(ClientErrors.StoreInUse, "Another program has this store open.", exception);
        }
    }

    private void Require()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_fault is not null)
        {
            throw _fault;
        }
    }

    private void Write(IReadOnlyList<StoreChange> changes)
    {
        try
        {
            _file.Append(changes, _index);
        }
        catch (StoreFaultedException fault)
        {
            _fault = fault;
            throw;
        }

        // A device that has signed out leaves nothing of its keys.
        var isEmpty = _index.Count == 0 && _file.HasRemains;
        if (isEmpty || _file.End > 2 * _file.LiveBytes + _compactAfterBytes)
        {
            Compact();
        }
    }

    /// <summary>The write before it has succeeded, whatever becomes of this.</summary>
    private void Compact()
    {
        var temporary = Path.Combine(_folder, TemporaryName);
        var index = new OrderedMap<StoreLocation>();
        try
        {
            var entries = _file.Read(_index.All.OrderBy(entry => entry.Value.FrameAt));
            var fresh = StoreFile.Create(temporary, _file.Header.ForAnotherFile(), _storeKey, entries, index);
            (_file, _index) = (fresh.MoveTo(Path.Combine(_folder, FileName), _file), index);
        }
        catch (StoreFaultedException fault)
        {
            _fault = fault;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // No room for a second file, perhaps: the old one is still good, and the next write tries again.
            File.Delete(temporary);
        }
    }
}
