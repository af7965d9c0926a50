using System.Globalization;
using System.Security.Cryptography;
using ChatPay.Core.Vault;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Vault;

/// <summary>
/// A realm's key file: its id and its key, in a folder that only the server's user may read, apart from the database. Beside
/// it lies a file that says which database it is used with, and how far that has come.
/// </summary>
/// <remarks>
/// A <see cref="SecretFile"/> with an id. The other file is one line: the database's id and a number.
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
        Span<byte> key = stackalloc byte[RealmKey.SizeBytes];
        if (!new SecretFile(path, Header, "realm key file", hasId: true).TryOpen(mayCreate, key, out var id))
        {
            return null;
        }

        var file = new RealmKeyFile(path, new RealmId(id), RealmKey.Import(key));
        CryptographicOperations.ZeroMemory(key);
        return file;
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

    public void WriteBeat(Guid database, long beat) => OwnerFile.Replace(
        BeatPath, string.Create(CultureInfo.InvariantCulture, $"{database:D} {beat}\n"));
}
