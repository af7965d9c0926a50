using System.Buffers.Text;
using System.Security.Cryptography;

namespace ChatPay.Server.Accounts;

/// <summary>
/// 32 random bytes that stand for a session, or that a device is recognised by: base64url outside, and only their SHA-256 in
/// the database. A plain hash is enough for a secret that nobody can guess.
/// </summary>
internal static class SessionToken
{
    public const int Bytes = 32;
    public const int Chars = 43;

    public static string Create()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        RandomNumberGenerator.Fill(bytes);
        var token = Base64Url.EncodeToString(bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return token;
    }

    /// <summary>The hash it is stored under; null for a text that is no token.</summary>
    public static byte[]? HashOf(string? token)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        return token is { Length: Chars } && Base64Url.IsValid(token)
            && Base64Url.TryDecodeFromChars(token, bytes, out var written) && written == Bytes
            ? SHA256.HashData(bytes)
            : null;
    }
}
