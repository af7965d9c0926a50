using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Vault;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Vault;

/// <summary>
/// A realm's key file: its id and its key, in a folder that only the server's user may read, apart from the database. Beside
/// it lies a file that says which database it is used with, and how far that has come.
/// </summary>
/// <remarks>
/// Text of three lines: <c>chatpay realm key v1</c>, the id, and 32 bytes as base64url. The other file is one line: the
/// database's id and a number.
/// </remarks>
internal sealed class RealmKeyFile
{
    private const string Header = "chatpay realm key v1";

    private readonly string _path;

    private RealmKeyFile(string path, RealmId id, RealmKey key) => (_path, Id, Key) = (path, id, key);

    public RealmId Id { get; }

    /// <summary>Lives as long as the program.</summary>
    public RealmKey Key { get; }

    private string BeatPath => Path.ChangeExtension(_path, ".beat");

    /// <summary>Reads the file; where there is none, and <paramref name="mayCreate"/>, makes one with a new id and key.</summary>
    /// <returns>Null where there is none and none may be made.</returns>
    /// <exception cref="StartupException">It cannot be read or written, or is none.</exception>
    public static RealmKeyFile? Open(string folder, string name, bool mayCreate)
    {
        var path = Path.Combine(Path.GetFullPath(folder), name + ".key");
        try
        {
            if (!File.Exists(path))
            {
                if (!mayCreate)
                {
                    return null;
                }

                Create(path);
            }

            return Read(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"The realm key file {path} cannot be read or made: {failure.Message} Vault:KeyFolder names its folder.",
                failure);
        }
    }

    /// <summary>The database that the key is used with and how far it had come; null where it has not been used here.</summary>
    /// <exception cref="StartupException">The file cannot be read.</exception>
    public (Guid Database, long Beat)? ReadBeat()
    {
        if (!File.Exists(BeatPath))
        {
            return null;
        }

        return File.ReadAllText(BeatPath).Trim().Split(' ') is [var id, var number]
            && Guid.TryParseExact(id, "D", out var database)
            && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var beat)
            ? (database, beat)
            : throw new StartupException(
                $"The file {BeatPath} cannot be read. Whether the database was restored can then not be told; if it was not, "
                + "delete the file.");
    }

    public void WriteBeat(Guid database, long beat)
    {
        // Nodes that share the folder write at the same moment; which of them is last makes no difference.
        var unfinished = $"{BeatPath}.{RandomId.Create():N}.new";
        File.WriteAllText(unfinished, string.Create(CultureInfo.InvariantCulture, $"{database:D} {beat}\n"));
        File.Move(unfinished, BeatPath, overwrite: true);
    }

    private static void Create(string path)
    {
        var key = RandomNumberGenerator.GetBytes(RealmKey.SizeBytes);
        OwnedFile.CreateOnce(
            path, Encoding.ASCII.GetBytes($"{Header}\n{RandomId.Create():D}\n{Base64Url.EncodeToString(key)}\n"));
        CryptographicOperations.ZeroMemory(key);
    }

    private static RealmKeyFile Read(string path)
    {
        var lines = File.ReadAllText(path).Split(
            '\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        Span<byte> key = stackalloc byte[RealmKey.SizeBytes];
        if (lines is not [Header, var id, var text] || !Guid.TryParseExact(id, "D", out var realm)
            || !Base64Url.TryDecodeFromChars(text, key, out var written) || written != RealmKey.SizeBytes)
        {
            throw new StartupException($"The file {path} is no realm key file; restore it from where its copy is kept.");
        }

        var file = new RealmKeyFile(path, new RealmId(realm), RealmKey.Import(key));
        CryptographicOperations.ZeroMemory(key);
        return file;
    }
}
