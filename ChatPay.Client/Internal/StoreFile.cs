using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace ChatPay.Client.Internal;

/// <summary>Where a value stands in a store's file.</summary>
internal sealed record StoreLocation(long FrameAt, int FrameBytes, long FrameNumber, int ValueAt, int ValueBytes);

/// <summary>
/// One file of a store: a header and frames, each durable before the next is begun. So at most the last one can be
/// torn, and a frame that does not open with others behind it was changed by somebody else.
/// </summary>
internal sealed class StoreFile : IDisposable
{
    /// <summary>Values are read a frame at a time, so frames that hold many are kept small.</summary>
    private const int ChunkBytes = 32 * 1024;

    /// <summary>What a disk writes as a whole or not at all.</summary>
    private const int SectorBytes = 512;

    private readonly string _path;
    private readonly StoreFrames _frames;
    private SafeFileHandle _handle;
    private long _nextNumber;

    private StoreFile(string path, SafeFileHandle handle, StoreHeader header, ReadOnlySpan<byte> storeKey)
    {
        (_path, _handle, Header) = (path, handle, header);
        var fileKey = header.FileKey(storeKey);
        _frames = new StoreFrames(fileKey);
        CryptographicOperations.ZeroMemory(fileKey);
    }

    public StoreHeader Header { get; }

    /// <summary>Where the next frame goes: the file's size.</summary>
    public long End { get; private set; }

    /// <summary>Whether there is more in it than in one that was just created with nothing.</summary>
    public bool HasRemains => End > StoreHeader.SizeBytes + (2 * StoreFrames.EmptyBytes);

    /// <summary>Bytes of the keys and values that are in force, as they stand in frames.</summary>
    public long LiveBytes { get; private set; }

    /// <summary>Writes a whole file, durably, with at least one frame, by which a wrong key is told.</summary>
    public static StoreFile Create(
        string path, StoreHeader header, ReadOnlySpan<byte> storeKey, IEnumerable<StoreEntry> entries,
        OrderedMap<StoreLocation> index)
    {
        var handle = Open(path, FileMode.Create);
        var file = new StoreFile(path, handle, header, storeKey);
        try
        {
            RandomAccess.Write(handle, header.Encode(), 0);
            file.End = StoreHeader.SizeBytes;
            file.Write([], index);
            var chunk = new List<StoreChange>();
            var chunkBytes = 0;
            foreach (var (key, value) in entries)
            {
                chunk.Add(new(key, value));
                chunkBytes += value.Length;
                if (chunkBytes >= ChunkBytes)
                {
                    file.Write(chunk, index);
                    chunk.Clear();
                    chunkBytes = 0;
                }
            }

            file.Write(chunk, index);
            RandomAccess.FlushToDisk(handle);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <param name="storeKeyOf">The key, which stays the caller's to zero.</param>
    /// <exception cref="StoreException">The key is another, or the file is damaged.</exception>
    public static StoreFile Open(string path, Func<StoreHeader, byte[]> storeKeyOf, OrderedMap<StoreLocation> index)
    {
        var handle = Open(path, FileMode.Open);
        StoreFile? file = null;
        try
        {
            var header = new byte[StoreHeader.SizeBytes];
            var read = ReadFully(handle, header, 0);
            var decoded = StoreHeader.Decode(header.AsSpan(0, read));
            var storeKey = storeKeyOf(decoded);
            file = new StoreFile(path, handle, decoded, storeKey) { End = StoreHeader.SizeBytes };
            file.Replay(index);
            return file;
        }
        catch
        {
            file?.Dispose();
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Appends one frame; durable when it returns.</summary>
    /// <exception cref="IOException">Nothing was appended.</exception>
    /// <exception cref="StoreFaultedException">Whether it was appended cannot be said.</exception>
    public void Append(IReadOnlyList<StoreChange> changes, OrderedMap<StoreLocation> index)
    {
        var frame = Seal(changes);
        try
        {
            RandomAccess.Write(_handle, frame, End);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Undo();
            throw new IOException("The store could not be written.", exception);
        }

        try
        {
            RandomAccess.FlushToDisk(_handle);
        }
        catch (IOException exception)
        {
            // What the system has dropped of it by now, only reading the file anew can tell.
            throw new StoreFaultedException(exception);
        }

        Take(changes, frame.Length, index);
    }

    public byte[] Read(StoreLocation location)
    {
        var plain = ReadFrame(location);
        var value = plain.AsSpan(location.ValueAt, location.ValueBytes).ToArray();
        CryptographicOperations.ZeroMemory(plain);
        return value;
    }

    /// <summary>Several values, in the order given; neighbours in one frame cost one reading.</summary>
    public IEnumerable<StoreEntry> Read(IEnumerable<KeyValuePair<string, StoreLocation>> entries)
    {
        var frameAt = -1L;
        byte[] plain = [];
        foreach (var (key, location) in entries)
        {
            if (location.FrameAt != frameAt)
            {
                CryptographicOperations.ZeroMemory(plain);
                (frameAt, plain) = (location.FrameAt, ReadFrame(location));
            }

            yield return new(key, plain.AsSpan(location.ValueAt, location.ValueBytes).ToArray());
        }

        CryptographicOperations.ZeroMemory(plain);
    }

    /// <summary>The file takes the place of another one, in one step.</summary>
    /// <exception cref="StoreFaultedException">It does, but perhaps not for good.</exception>
    /// <exception cref="IOException">It does not; the other one is as it was.</exception>
    public StoreFile MoveTo(string path, StoreFile other)
    {
        // Some systems do not rename what is open.
        _handle.Dispose();
        other._handle.Dispose();
        try
        {
            File.Move(_path, path, overwrite: true);
        }
        catch
        {
            other._handle = Open(other._path, FileMode.Open);
            throw;
        }

        try
        {
            DirectoryFlush.Flush(System.IO.Path.GetDirectoryName(path)!);
        }
        catch (IOException exception)
        {
            // After a loss of power the older file might be back, with keys that have been used since.
            throw new StoreFaultedException(exception);
        }

        var moved = new StoreFile(path, this);
        other._frames.Dispose();
        return moved;
    }

    public void Dispose()
    {
        _handle.Dispose();
        _frames.Dispose();
    }

    private StoreFile(string path, StoreFile file)
    {
        (_path, _frames, _nextNumber, Header) = (path, file._frames, file._nextNumber, file.Header);
        (End, LiveBytes) = (file.End, file.LiveBytes);
        _handle = Open(path, FileMode.Open);
    }

    private static SafeFileHandle Open(string path, FileMode mode)
    {
        if (mode == FileMode.Create && !OperatingSystem.IsWindows())
        {
            using var made = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.ReadWrite,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }

        return File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.Read);
    }

    private static int ReadFully(SafeFileHandle handle, Span<byte> destination, long at)
    {
        var total = 0;
        while (total < destination.Length
            && RandomAccess.Read(handle, destination[total..], at + total) is > 0 and var read)
        {
            total += read;
        }

        return total;
    }

    private void Write(IReadOnlyList<StoreChange> changes, OrderedMap<StoreLocation> index)
    {
        var frame = Seal(changes);
        RandomAccess.Write(_handle, frame, End);
        Take(changes, frame.Length, index);
    }

    private byte[] Seal(IReadOnlyList<StoreChange> changes)
    {
        var plain = StoreFrames.Encode(changes);
        var frame = _frames.Seal(_nextNumber, End, plain);
        CryptographicOperations.ZeroMemory(plain);
        return frame;
    }

    private void Take(IReadOnlyList<StoreChange> changes, int frameBytes, OrderedMap<StoreLocation> index)
    {
        var valueAt = 4;
        foreach (var (key, value) in changes)
        {
            valueAt += 2 + key.Length + 4;
            Set(index, key, value is null ? null : new(End, frameBytes, _nextNumber, valueAt, value.Length));
            valueAt += value?.Length ?? 0;
        }

        End += frameBytes;
        _nextNumber++;
    }

    private void Set(OrderedMap<StoreLocation> index, string key, StoreLocation? location)
    {
        if (index.TryGet(key, out var earlier))
        {
            LiveBytes -= key.Length + earlier.ValueBytes;
        }

        index.Set(key, location);
        LiveBytes += location is null ? 0 : key.Length + location.ValueBytes;
    }

    private void Replay(OrderedMap<StoreLocation> index)
    {
        var length = RandomAccess.GetLength(_handle);
        while (End < length)
        {
            if (!TryReadFrame(length, out var plain, out var frameBytes))
            {
                if (_nextNumber == 0)
                {
                    throw new StoreException(
                        ClientErrors.StoreWrongKey, "The store does not open with this passphrase or key.");
                }

                // The program died while it wrote this: nobody has been told that it was kept.
                RandomAccess.SetLength(_handle, End);
                RandomAccess.FlushToDisk(_handle);
                return;
            }

            foreach (var (key, valueAt, valueBytes) in StoreFrames.Decode(plain))
            {
                Set(index, key, valueBytes < 0 ? null : new(End, frameBytes, _nextNumber, valueAt, valueBytes));
            }

            CryptographicOperations.ZeroMemory(plain);
            End += frameBytes;
            _nextNumber++;
        }

        if (_nextNumber == 0)
        {
            throw new StoreException(ClientErrors.StoreDamaged, "The store's file ends before its first entry.");
        }
    }

    /// <returns>False where the last frame is torn, or the first one does not open.</returns>
    /// <exception cref="StoreException">It is neither.</exception>
    private bool TryReadFrame(long fileBytes, out byte[] plain, out int frameBytes)
    {
        (plain, frameBytes) = ([], 0);
        Span<byte> head = stackalloc byte[StoreFrames.HeadBytes];
        if (ReadFully(_handle, head, End) < head.Length)
        {
            return false;
        }

        frameBytes = _frames.FrameBytes(End, head);
        if (frameBytes == 0)
        {
            return _nextNumber > 0 && !(MayBeTorn(head) && IsLast(fileBytes)) ? throw Changed() : false;
        }

        if (frameBytes > fileBytes - End)
        {
            return false;
        }

        var frame = new byte[frameBytes];
        var opened = ReadFully(_handle, frame, End) == frame.Length
            && _frames.TryOpen(_nextNumber, End, frame, out plain);
        return opened || End + frameBytes == fileBytes || _nextNumber == 0 ? opened : throw Changed();
    }

    /// <summary>
    /// Whether these are the first bytes of a frame of which a sector has not reached the disk: they are zero there.
    /// </summary>
    private bool MayBeTorn(ReadOnlySpan<byte> head)
    {
        var cut = (int)Math.Min(head.Length, SectorBytes - (End % SectorBytes));
        return !head[..cut].ContainsAnyExcept((byte)0)
            || (cut < head.Length && !head[cut..].ContainsAnyExcept((byte)0));
    }

    /// <summary>Whether no frame begins behind the one that ought to be here: then nothing is lost by dropping it.</summary>
    private bool IsLast(long fileBytes)
    {
        if (fileBytes - End > StoreFrames.MaxBytes)
        {
            return false;
        }

        var rest = new byte[fileBytes - End];
        _ = ReadFully(_handle, rest, End);
        for (var at = 1; at + StoreFrames.HeadBytes <= rest.Length; at++)
        {
            if (_frames.FrameBytes(End + at, rest.AsSpan(at)) > 0)
            {
                return false;
            }
        }

        return true;
    }

    private byte[] ReadFrame(StoreLocation location)
    {
        var frame = new byte[location.FrameBytes];
        var read = ReadFully(_handle, frame, location.FrameAt);
        return read == frame.Length
            && _frames.TryOpen(location.FrameNumber, location.FrameAt, frame, out var plain)
                ? plain : throw Changed();
    }

    private static StoreException Changed() =>
        new(ClientErrors.StoreDamaged, "The store's file was changed by somebody else.");

    /// <summary>Nothing of a failed write stays, or else it would look torn at the wrong place.</summary>
    private void Undo()
    {
        try
        {
            RandomAccess.SetLength(_handle, End);
        }
        catch (IOException exception)
        {
            throw new StoreFaultedException(exception);
        }
    }
}

/// <summary>The file has to be opened anew before anything can be said of it.</summary>
internal sealed class StoreFaultedException(Exception cause)
    : IOException("The store failed while it wrote; open it again.", cause);
