using System.Globalization;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Database;

/// <summary>
/// A server's data folder and the lock that keeps it to one server. The lock belongs to the process, not to the file:
/// the system releases it when the process ends, however it ends, so a file left behind blocks nobody.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const string HolderFile = "server.pid";

    private readonly FileStream? _lock;

    private DataFolder(string path, FileStream? held)
    {
        Path = path;
        _lock = held;
    }

    /// <summary>Absolute.</summary>
    public string Path { get; }

    /// <summary>False where another server holds the folder and this process may only look.</summary>
    public bool IsHeld => _lock is not null;

    /// <summary>Creates the folder where it is missing, and holds it until disposed.</summary>
    /// <exception cref="StartupException">Another server holds it, or it cannot be written.</exception>
    public static DataFolder Hold(string path)
    {
        var folder = TryHold(path);
        return folder.IsHeld ? folder : throw new StartupException(
            $"Another ChatPay server{folder.Holder()} is using the data folder {folder.Path}; "
            + "stop it, or give this one a folder of its own with --data.");
    }

    /// <summary>As <see cref="Hold"/>, but leaves the folder unheld where another server holds it.</summary>
    public static DataFolder TryHold(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        try
        {
            Directory.CreateDirectory(full);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The data folder {full} cannot be created: {failure.Message}", failure);
        }

        try
        {
            if (OpenLock(full) is not { } held)
            {
                return new DataFolder(full, null);
            }

            // Beside the lock, because nobody else can read a locked file.
            var process = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
            File.WriteAllText(System.IO.Path.Combine(full, HolderFile), process);
            return new DataFolder(full, held);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The data folder {full} cannot be written: {failure.Message}", failure);
        }
    }

    /// <summary>The folder's file of that name, readable by its owner alone; null where there is none.</summary>
    public async Task<string?> ReadSecretAsync(string name, CancellationToken cancellationToken)
    {
        var path = System.IO.Path.Combine(Path, name);
        return File.Exists(path) ? (await File.ReadAllTextAsync(path, cancellationToken)).Trim() : null;
    }

    /// <summary>Writes a file that only its owner can read; a crash leaves the whole file or none.</summary>
    public async Task WriteSecretAsync(string name, string text, CancellationToken cancellationToken)
    {
        var path = System.IO.Path.Combine(Path, name);
        var unfinished = path + ".new";
        File.Delete(unfinished);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        await using (var file = new FileStream(unfinished, options))
        await using (var writer = new StreamWriter(file))
        {
            await writer.WriteAsync(text.AsMemory(), cancellationToken);
            await writer.FlushAsync(cancellationToken);
            file.Flush(flushToDisk: true);
        }

        File.Move(unfinished, path, overwrite: true);
    }

    public void Dispose() => _lock?.Dispose();

    /// <summary>Null where another process has it open; a full or read-only disk is an exception.</summary>
    private static FileStream? OpenLock(string folder)
    {
        var path = System.IO.Path.Combine(folder, "lock");
        if (!File.Exists(path))
        {
            File.Open(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite).Dispose();
        }

        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure) when (failure is not FileNotFoundException)
        {
            return null;
        }
    }

    private string Holder()
    {
        try
        {
            var text = File.ReadAllText(System.IO.Path.Combine(Path, HolderFile));
            return text.Length > 0 ? $" (process {text})" : "";
        }
        catch (IOException)
        {
            return "";
        }
    }
}
