using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using ChatPay.Core.Transparency;

namespace ChatPay.Verify;

/// <summary>The public files of a log, wherever they are.</summary>
internal abstract class LogFiles : IDisposable
{
    public const string CheckpointName = "checkpoint";

    /// <summary>A bundle of 256 entries of the greatest length.</summary>
    public const int FileMaxBytes = TilePath.FullWidth * (sizeof(ushort) + LogLimits.EntryBytes);

    /// <summary>A folder, or the address of a server or of its log.</summary>
    /// <param name="time">By which a server is waited for; the system's by default.</param>
    /// <exception cref="UnreadableException">There is no such folder.</exception>
    public static LogFiles Open(string place, TimeProvider? time = null)
    {
        if (TryReadAddress(place, out var address))
        {
            return new RemoteLogFiles(address, time ?? TimeProvider.System);
        }

        return Directory.Exists(place)
            ? new LogFolder(place)
            : throw new UnreadableException($"There is no folder {place}, and it is no address either.");
    }

    /// <summary>An address as people write it: of the server, or of the log below it.</summary>
    public static bool TryReadAddress(string place, [NotNullWhen(true)] out Uri? address)
    {
        address = null;
        if (!Uri.TryCreate(place, UriKind.Absolute, out var read)
            || (read.Scheme != Uri.UriSchemeHttp && read.Scheme != Uri.UriSchemeHttps))
        {
            return false;
        }

        var path = read.AbsolutePath.TrimEnd('/');
        address = new Uri(read, (path.Length == 0 ? "/log/keys" : path) + "/");
        return true;
    }

    /// <summary>A file's bytes; null where there is none.</summary>
    /// <param name="path">As the log names it, such as <c>tile/0/000</c>.</param>
    /// <exception cref="UnreadableException">It could not be had, or is larger than any file of a log.</exception>
    public abstract Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken);

    /// <summary>A file as wide as it is asked for, or a wider one, where it has been replaced by that.</summary>
    public async Task<(TilePath Path, byte[] Bytes)?> ReadAsync(TilePath path, CancellationToken cancellationToken)
    {
        var full = path with { Width = TilePath.FullWidth };
        return await ReadAsync(path.ToString(), cancellationToken) is { } exact ? (path, exact)
            : path.IsPartial && await ReadAsync(full.ToString(), cancellationToken) is { } wider ? (full, wider)
            : null;
    }

    /// <summary>Makes the proof that a log only grew of its tiles.</summary>
    /// <exception cref="UnreadableException">A tile is missing.</exception>
    public async Task<IReadOnlyList<byte[]>> ProveAsync(long from, long to, CancellationToken cancellationToken)
    {
        var known = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        while (true)
        {
            var missing = new Dictionary<string, TilePath>(StringComparer.Ordinal);
            var tiles = new Tiles(to, path =>
            {
                if (known.TryGetValue(path.ToString(), out var bytes))
                {
                    return bytes;
                }

                missing[path.ToString()] = path;
                return default;
            });
            var proof = ConsistencyProof.Generate(from, to, tiles.ReadHash);
            if (missing.Count == 0)
            {
                return proof ?? throw new UnreadableException("The log that was named has tiles of another size.");
            }

            foreach (var (name, path) in missing)
            {
                var width = path.Width * MerkleHash.SizeBytes;
                known[name] = await ReadAsync(path, cancellationToken) is { Bytes: { } bytes } && bytes.Length >= width
                    ? bytes[..width] : throw new UnreadableException($"The file {name} of the log is missing, or cut off.");
            }
        }
    }

    public virtual void Dispose() => GC.SuppressFinalize(this);

    private sealed class LogFolder(string folder) : LogFiles
    {
        public override async Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken)
        {
            var file = new FileInfo(Path.Combine(folder, path));
            try
            {
                return !file.Exists ? null
                    : file.Length > FileMaxBytes
                        ? throw new UnreadableException($"The file {path} is larger than any file of a log.")
                    : await File.ReadAllBytesAsync(file.FullName, cancellationToken);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw new UnreadableException($"The file {path} cannot be read: {failure.Message}", failure);
            }
        }
    }

    private sealed class RemoteLogFiles(Uri address, TimeProvider time) : LogFiles
    {
        private const int Attempts = 5;
        private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);
        private static readonly TimeSpan s_waitMin = TimeSpan.FromSeconds(1);
        private static readonly TimeSpan s_waitMax = TimeSpan.FromMinutes(1);

        /// <summary>Of all waits for one file: whoever asks for more patience than that gives nothing.</summary>
        private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(15);

        private readonly HttpClient _http = new()
        {
            BaseAddress = address,
            Timeout = s_timeout,
            MaxResponseContentBufferSize = FileMaxBytes,
        };

        public override async Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken)
        {
            var waited = TimeSpan.Zero;
            for (var attempt = 1; ; attempt++)
            {
                var wait = TimeSpan.FromSeconds(attempt);
                string reason;
                try
                {
                    using var response = await _http.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
                    if (response.IsSuccessStatusCode)
                    {
                        return await response.Content.ReadAsByteArrayAsync(cancellationToken);
                    }

                    if (response.StatusCode == HttpStatusCode.NotFound)
                    {
                        return null;
                    }

                    // A server that is asked for much asks for patience, which is no failure.
                    if (response.StatusCode == HttpStatusCode.TooManyRequests)
                    {
                        wait = response.Headers.RetryAfter?.Delta is not { } asked || asked > s_waitMax ? s_waitMax
                            : asked < s_waitMin ? s_waitMin : asked;
                        attempt--;
                    }

                    reason = string.Create(CultureInfo.InvariantCulture, $"it answered {(int)response.StatusCode}");
                }
                catch (Exception failure) when (failure is HttpRequestException or IOException
                    || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
                {
                    reason = failure.Message;
                }

                waited += wait;
                if (attempt == Attempts || waited > s_patience)
                {
                    throw new UnreadableException($"{new Uri(address, path)} could not be had: {reason}.");
                }

                await Task.Delay(wait, time, cancellationToken);
            }
        }

        public override void Dispose()
        {
            _http.Dispose();
            base.Dispose();
        }
    }
}
