using System.Security.Cryptography;

namespace ChatPay.Server.Hosting;

/// <summary>
/// Small files that only the server's user may read, in a folder that several nodes may share: each appears whole or not.
/// </summary>
internal static class OwnerFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerFolder = OwnerOnly | UnixFileMode.UserExecute;

    /// <summary>Makes a file, and its folder; one that somebody else made meanwhile stays.</summary>
    public static void CreateOnce(string path, ReadOnlySpan<byte> content)
    {
        var folder = Path.GetDirectoryName(path)!;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, OwnerFolder);
        }

        var unfinished = Unfinished(path);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        using (var file = new FileStream(unfinished, options))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        try
        {
            File.Move(unfinished, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another node that shares the folder was quicker; its file is the one.
            File.Delete(unfinished);
        }
    }

    /// <summary>Puts another content in a file's place. Of several nodes at one moment, the last one's stays.</summary>
    public static void Replace(string path, string content)
    {
        var unfinished = Unfinished(path);
        File.WriteAllText(unfinished, content);
        File.Move(unfinished, path, overwrite: true);
    }

    private static string Unfinished(string path) => $"{path}.{RandomNumberGenerator.GetHexString(32, lowercase: true)}.new";
}
