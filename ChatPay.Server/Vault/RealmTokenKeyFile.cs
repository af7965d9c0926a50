using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Vault;

/// <summary>The key that the server signs tokens for realms with, in a <see cref="SecretFile"/> beside the realms' own.</summary>
internal static class RealmTokenKeyFile
{
    private const string Name = "realm-token.key";
    private const string Header = "chatpay realm token key v1";

    /// <summary>Reads the file, and makes it where there is none. The caller disposes of the key.</summary>
    /// <exception cref="StartupException">It cannot be read or written, or is none.</exception>
    public static Key Open(string folder)
    {
        var path = Path.Combine(Path.GetFullPath(folder), Name);
        Span<byte> seed = stackalloc byte[SecretFile.SecretBytes];
        new SecretFile(path, Header, "key file for tokens").TryOpen(mayCreate: true, seed, out _);
        var key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);
        CryptographicOperations.ZeroMemory(seed);
        return key;
    }
}
