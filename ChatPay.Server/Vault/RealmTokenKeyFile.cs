using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Cryptography;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Vault;

/// <summary>
/// The key that the server signs tokens for realms with, in a file beside the realms' own: <c>chatpay realm token key v1</c>
/// and 32 bytes as base64url. Nodes share it.
/// </summary>
internal static class RealmTokenKeyFile
{
    private const string Name = "realm-token.key";
    private const string Header = "chatpay realm token key v1";

    /// <summary>Reads the file, and makes it where there is none. The caller disposes of the key.</summary>
    /// <exception cref="StartupException">It cannot be read or written, or is none.</exception>
    public static Key Open(string folder)
    {
        var path = Path.Combine(Path.GetFullPath(folder), Name);
        try
        {
            if (!File.Exists(path))
            {
                var seed = RandomNumberGenerator.GetBytes(RealmToken.KeyBytes);
                OwnerFile.CreateOnce(path, Encoding.ASCII.GetBytes($"{Header}\n{Base64Url.EncodeToString(seed)}\n"));
                CryptographicOperations.ZeroMemory(seed);
            }

            return Read(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"The key file {path} cannot be read or made: {failure.Message} Vault:KeyFolder names its folder.", failure);
        }
    }

    private static Key Read(string path)
    {
        var lines = File.ReadAllText(path).Split(
            '\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        Span<byte> seed = stackalloc byte[RealmToken.KeyBytes];
        if (lines is not [Header, var text] || !Base64Url.TryDecodeFromChars(text, seed, out var written)
            || written != seed.Length)
        {
            throw new StartupException($"The file {path} is no key file for tokens; restore it from where its copy is kept.");
        }

        var key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);
        CryptographicOperations.ZeroMemory(seed);
        return key;
    }
}
