using System.Globalization;
using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Transparency;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Transparency;

/// <summary>How far a log had come when it was last signed.</summary>
/// <param name="Number">Which log of this key.</param>
/// <param name="Root">32 bytes.</param>
internal sealed record LogMark(int Number, long Size, byte[] Root);

/// <summary>
/// A log's signing key, in the folder of the realms' key files, apart from the database. Beside it lies what was signed
/// last: a database that is behind that was restored from a backup, and must not sign another history under the same name.
/// </summary>
/// <remarks>
/// A <see cref="SecretFile"/>. The other file is one line: number, size and root in base64.
/// </remarks>
internal sealed class LogKeyFile : IDisposable
{
    private static readonly byte[] s_saltLabel = "chatpay log salts v1"u8.ToArray();

    private readonly string _path;
    private readonly byte[] _saltKey = new byte[SecretFile.SecretBytes];

    private LogKeyFile(string path, ReadOnlySpan<byte> seed)
    {
        _path = path;
        Key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);
        KeyDerivationAlgorithm.HkdfSha256.DeriveBytes(seed, default, s_saltLabel, _saltKey);
    }

    public Key Key { get; }

    /// <summary>32 bytes, of which a log makes the salts of its leaves where it does not store them.</summary>
    public ReadOnlySpan<byte> SaltKey => _saltKey;

    /// <summary>32 bytes.</summary>
    public byte[] PublicKey => Key.PublicKey.Export(KeyBlobFormat.RawPublicKey);

    /// <summary>Whether a note of a log of this key is right.</summary>
    /// <param name="origin">The log's, which its key is called by; anything else has no signature by it.</param>
    public LogRejection Check(SignedNote note, string origin)
    {
        ArgumentNullException.ThrowIfNull(note);
        return NoteVerifier.IsName(origin)
            ? note.Verify([new NoteVerifier(origin, Key.PublicKey)], out _) : LogRejection.SignerUnknown;
    }

    private string MarkPath => Path.ChangeExtension(_path, ".mark");

    /// <summary>Reads the file; where there is none, and <paramref name="mayCreate"/>, makes one with a new key.</summary>
    /// <returns>Null where there is none and none may be made.</returns>
    /// <exception cref="StartupException">It cannot be read or written, or is none.</exception>
    public static LogKeyFile? Open(LogDefinition log, string folder, bool mayCreate)
    {
        ArgumentNullException.ThrowIfNull(log);
        var path = Path.Combine(Path.GetFullPath(folder), log.KeyFile);
        Span<byte> seed = stackalloc byte[SecretFile.SecretBytes];
        if (!new SecretFile(path, log.KeyHeader, log.What + "'s key file").TryOpen(mayCreate, seed, out _))
        {
            return null;
        }

        var file = new LogKeyFile(path, seed);
        CryptographicOperations.ZeroMemory(seed);
        return file;
    }

    /// <summary>What was signed last, by any node that shares the folder; null before the first time.</summary>
    /// <exception cref="StartupException">The file cannot be read.</exception>
    public LogMark? ReadMark()
    {
        if (!File.Exists(MarkPath))
        {
            return null;
        }

        return File.ReadAllText(MarkPath).Trim().Split(' ') is [var number, var size, var root]
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var which)
            && long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var entries)
            && StrictBase64.Decode(root) is { Length: MerkleHash.SizeBytes } hash
            ? new LogMark(which, entries, hash)
            : throw new StartupException(
                $"The file {MarkPath} cannot be read. Whether the database was restored can then not be told; if it was not, "
                + "delete the file.");
    }

    public void WriteMark(LogMark mark) => OwnerFile.Replace(
        MarkPath,
        string.Create(
            CultureInfo.InvariantCulture, $"{mark.Number} {mark.Size} {Convert.ToBase64String(mark.Root)}\n"));

    public void Dispose()
    {
        Key.Dispose();
        CryptographicOperations.ZeroMemory(_saltKey);
    }
}
