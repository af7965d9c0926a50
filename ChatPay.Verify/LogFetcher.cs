using System.Globalization;
using ChatPay.Core.Transparency;

namespace ChatPay.Verify;

/// <summary>
/// Downloads the public files of a log. What is there already is kept, so that a download that was cut off goes on, and a later
/// one takes only what is new. The checkpoint is written last: a folder that has one has the files for it.
/// </summary>
internal sealed class LogFetcher(LogFiles remote, string folder)
{
    private const int AtOnce = 4;

    /// <returns>How many files were downloaded, and how many entries the log has.</returns>
    /// <exception cref="UnreadableException">The server gave something that is no log, or one that is too long.</exception>
    public async Task<(int Files, long Entries)> FetchAsync(long maxEntries, CancellationToken cancellationToken)
    {
        var note = await remote.ReadAsync(LogFiles.CheckpointName, cancellationToken)
            ?? throw new UnreadableException("There is no log at this address.");
        if (!SignedNote.TryParse(note, out var signed, out _) || !Checkpoint.TryParse(signed.Text, out var checkpoint))
        {
            throw new UnreadableException("The log's checkpoint is no signed note; this is the address of something else.");
        }

        if (checkpoint.Size > maxEntries)
        {
            throw new UnreadableException(string.Create(
                CultureInfo.InvariantCulture,
                $"The log has {checkpoint.Size:N0} entries and --max-entries is {maxEntries:N0}: name a higher one if there is "
                + $"room for about 100 bytes of each."));
        }

        var fetched = 0;
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(TilePath.NewSince(0, checkpoint.Size), options, async (path, stop) =>
        {
            if (!IsThere(path))
            {
                await SaveAsync(path.ToString(), await ReadAsync(path, stop), stop);
                Interlocked.Increment(ref fetched);
            }
        });
        await SaveAsync(LogFiles.CheckpointName, note, cancellationToken);
        return (fetched, checkpoint.Size);
    }

    private bool IsThere(TilePath path)
    {
        var file = new FileInfo(Path.Combine(folder, path.ToString()));
        return file.Exists && (path.Level == TilePath.EntriesLevel
            ? file.Length > 0 : file.Length == path.Width * MerkleHash.SizeBytes);
    }

    private async Task<byte[]> ReadAsync(TilePath path, CancellationToken cancellationToken) =>
        await remote.ReadAsync(path.ToString(), cancellationToken)
        ?? throw new UnreadableException($"The server does not have the file {path} of the log that it signed.");

    /// <summary>Whole or not at all: what is cut off is downloaded again.</summary>
    private async Task SaveAsync(string path, byte[] bytes, CancellationToken cancellationToken)
    {
        var file = Path.Combine(folder, path);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
            var unfinished = file + ".new";
            await File.WriteAllBytesAsync(unfinished, bytes, cancellationToken);
            File.Move(unfinished, file, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new UnreadableException($"{file} cannot be written: {failure.Message}", failure);
        }
    }
}
