using System.Buffers;
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

    private const int FileBytesMax = 512;

    /// <summary>
    /// Reads the file; where there is none, and <paramref name="mayCreate"/>, makes one with a new id and secret.
    /// </summary>
    /// <param name="secret">Of 32 bytes, which the caller zeroes; zeros where this fails.</param>
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
        var id = hasId ? $"{RandomId.Create():D}\n" : "";
        var head = Encoding.ASCII.GetBytes($"{header}\n{id}");
        Span<byte> secret = stackalloc byte[SecretBytes];
        Span<byte> content = stackalloc byte[FileBytesMax];
        try
        {
            RandomNumberGenerator.Fill(secret);
            head.CopyTo(content);
            var length = head.Length + Base64Url.EncodeToUtf8(secret, content[head.Length..]);
            content[length++] = (byte)'\n';
            OwnerFile.CreateOnce(path, content[..length]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
            CryptographicOperations.ZeroMemory(content);
        }
    }

    private void Read(Span<byte> secret, out Guid id)
    {
        // A string would keep the secret for as long as the garbage collector pleases, and a stream with a buffer, too.
        Span<byte> content = stackalloc byte[FileBytesMax];
        try
        {
            using var file = File.OpenHandle(path);
            var length = 0;
            while (length < content.Length && RandomAccess.Read(file, content[length..], length) is var read and > 0)
            {
                length += read;
            }

            if (length == content.Length || !TryParse(content[..length], secret, out id))
            {
                CryptographicOperations.ZeroMemory(secret);
                throw new StartupException($"The file {path} is no {what}; restore it from where its copy is kept.");
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }

    /// <summary>Blanks at a line's ends, empty lines and a byte order mark are what editors leave, and mean nothing.</summary>
    private bool TryParse(ReadOnlySpan<byte> content, Span<byte> secret, out Guid id)
    {
        id = Guid.Empty;
        var rest = content.StartsWith(Encoding.UTF8.Preamble) ? content[Encoding.UTF8.Preamble.Length..] : content;
        return TakeLine(ref rest).SequenceEqual(Encoding.ASCII.GetBytes(header))
            && (!hasId || Guid.TryParseExact(Encoding.ASCII.GetString(TakeLine(ref rest)), "D", out id))
            && Base64Url.DecodeFromUtf8(TakeLine(ref rest), secret, out _, out var written) == OperationStatus.Done
            && written == SecretBytes && TakeLine(ref rest).IsEmpty;
    }

    /// <summary>The next line with something on it; empty at the end.</summary>
    private static ReadOnlySpan<byte> TakeLine(ref ReadOnlySpan<byte> rest)
    {
        rest = rest.TrimStart(" \t\r\n"u8);
        var end = rest.IndexOf((byte)'\n');
        var line = end < 0 ? rest : rest[..end];
        rest = rest[line.Length..];
        return line.TrimEnd(" \t\r"u8);
    }
}
