using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace ChatPay.Server.Hosting;

/// <summary>
/// A secret of 32 bytes in a file that only the server's user may read, apart from the database and shared by all nodes. Text
/// of lines: a header that says what it is, an id where it has one, and the secret as base64url.
/// </summary>
/// <param name="what">What it is called in messages: "realm key file".</param>
internal sealed class SecretFile(string path, string header, string what, bool hasId = false)
{
    public const int SecretBytes = 32;

    /// <summary>
    /// Reads the file; where there is none, and <paramref name="mayCreate"/>, makes one with a new id and secret.
    /// </summary>
    /// <param name="secret">Of 32 bytes, which the caller zeroes.</param>
    /// <param name="id">Empty where the file has none.</param>
    /// <returns>False where there is none and none may be made.</returns>
    /// <exception cref="StartupException">It cannot be read or written, or is none.</exception>
    public bool TryOpen(bool mayCreate, Span<byte> secret, out Guid id)
    {
        id = Guid.Empty;
        try
        {
            if (!File.Exists(path))
            {
                if (!mayCreate)
                {
                    return false;
                }

                Create();
            }

            Read(secret, out id);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"The {what} {path} cannot be read or made: {failure.Message} Vault:KeyFolder names its folder.", failure);
        }
    }

    private void Create()
    {
        var secret = RandomNumberGenerator.GetBytes(SecretBytes);
        var id = hasId ? $"{RandomId.Create():D}\n" : "";
        OwnerFile.CreateOnce(path, Encoding.ASCII.GetBytes($"{header}\n{id}{Base64Url.EncodeToString(secret)}\n"));
        CryptographicOperations.ZeroMemory(secret);
    }

    private void Read(Span<byte> secret, out Guid id)
    {
        id = Guid.Empty;
        var lines = File.ReadAllText(path).Split(
            '\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length != (hasId ? 3 : 2) || lines[0] != header || (hasId && !Guid.TryParseExact(lines[1], "D", out id))
            || !Base64Url.TryDecodeFromChars(lines[^1], secret, out var written) || written != SecretBytes)
        {
            throw new StartupException($"The file {path} is no {what}; restore it from where its copy is kept.");
        }
    }
}
