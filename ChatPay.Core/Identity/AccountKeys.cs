using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Identity;

/// <summary>
/// What belongs to an account rather than to one of its devices: the identity key's seed (32 bytes), and the archive key (32)
/// of those who keep an archive. Every device of the account holds them; the server holds them wrapped by the root secret
/// that a PIN brings back.
/// </summary>
/// <remarks>
/// Wrapped: 1 ‖ nonce (12) ‖ AES-256-GCM of seed ‖ flag (1) ‖ archive key, zeros without one. The key is
/// HKDF-Expand-SHA-256 of the root secret (32) with "chatpay account keys v1 key" ‖ account (16); associated data is
/// "chatpay account keys v1" ‖ account.
/// </remarks>
public sealed class AccountKeys : IDisposable
{
    public const int KeySize = 32;
    public const int RootSecretSize = 32;

    /// <summary>Bytes of <see cref="Wrap"/>.</summary>
    public const int WrappedSize = Limits.WrappedKeysBytes;

    internal const int PlainSize = KeySize + 1 + KeySize;

    private const byte Version = 1;
    private const int IdBytes = 16;
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private const int CiphertextAt = 1 + NonceSize;

    private readonly Secret _plain;

    private AccountKeys(Secret plain) => _plain = plain;

    /// <summary>Ed25519, 32 bytes.</summary>
    public ReadOnlySpan<byte> IdentitySeed => _plain.Span[..KeySize];

    /// <summary>32 bytes; empty for an account that keeps no archive.</summary>
    public ReadOnlySpan<byte> ArchiveKey => _plain.Span[KeySize] == 1 ? _plain.Span[(KeySize + 1)..] : default;

    internal ReadOnlySpan<byte> Plain => _plain.Span;

    private static AeadAlgorithm Aead => AeadAlgorithm.Aes256Gcm;

    private static ReadOnlySpan<byte> KeyLabel => "chatpay account keys v1 key"u8;

    private static ReadOnlySpan<byte> Label => "chatpay account keys v1"u8;

    /// <param name="identitySeed">32 bytes.</param>
    /// <param name="archiveKey">32 bytes, or none.</param>
    /// <exception cref="ArgumentException">Keys of another size.</exception>
    public static AccountKeys Of(ReadOnlySpan<byte> identitySeed, ReadOnlySpan<byte> archiveKey)
    {
        if (identitySeed.Length != KeySize || archiveKey.Length is not (0 or KeySize))
        {
            throw new ArgumentException($"Keys have {KeySize} bytes.", nameof(identitySeed));
        }

        var plain = new Secret(PlainSize);
        identitySeed.CopyTo(plain.Span);
        plain.Span[KeySize] = (byte)(archiveKey.IsEmpty ? 0 : 1);
        archiveKey.CopyTo(plain.Span[(KeySize + 1)..]);
        return new AccountKeys(plain);
    }

    /// <summary>Opens wrapped keys.</summary>
    /// <returns>False where they were wrapped by another root secret or for another account, or were changed.</returns>
    public static bool TryUnwrap(
        ReadOnlySpan<byte> wrapped, AccountId account, ReadOnlySpan<byte> rootSecret,
        [NotNullWhen(true)] out AccountKeys? keys)
    {
        keys = null;
        if (wrapped.Length != WrappedSize || wrapped[0] != Version)
        {
            return false;
        }

        using var key = KeyOf(account, rootSecret);
        using var plain = new Secret(PlainSize);
        return Aead.TryDecrypt(
                key.Span, wrapped.Slice(1, NonceSize), [.. Label, .. Bytes(account)], wrapped[CiphertextAt..], plain.Span)
            && TryRead(plain.Span, out keys);
    }

    /// <summary>The identity key itself; the caller disposes of it.</summary>
    public Key ImportIdentityKey() =>
        Key.Import(SignatureAlgorithm.Ed25519, IdentitySeed, KeyBlobFormat.RawPrivateKey);

    /// <param name="rootSecret">32 bytes.</param>
    public byte[] Wrap(AccountId account, ReadOnlySpan<byte> rootSecret, FillRandom random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var wrapped = new byte[WrappedSize];
        wrapped[0] = Version;
        random(wrapped.AsSpan(1, NonceSize));
        using var key = KeyOf(account, rootSecret);
        Aead.Encrypt(
            key.Span, wrapped.AsSpan(1, NonceSize), [.. Label, .. Bytes(account)], _plain.Span,
            wrapped.AsSpan(CiphertextAt));
        return wrapped;
    }

    public void Dispose() => _plain.Dispose();

    internal static bool TryRead(ReadOnlySpan<byte> plain, [NotNullWhen(true)] out AccountKeys? keys)
    {
        var isOne = plain.Length == PlainSize
            && (plain[KeySize] == 1 || (plain[KeySize] == 0 && !plain[(KeySize + 1)..].ContainsAnyExcept((byte)0)));
        keys = isOne ? new AccountKeys(Secret.Copy(plain)) : null;
        return isOne;
    }

    private static Secret KeyOf(AccountId account, ReadOnlySpan<byte> rootSecret)
    {
        if (rootSecret.Length != RootSecretSize)
        {
            throw new ArgumentException($"A root secret has {RootSecretSize} bytes.", nameof(rootSecret));
        }

        var key = new Secret(KeySize);
        KeyDerivationAlgorithm.HkdfSha256.Expand(rootSecret, [.. KeyLabel, .. Bytes(account)], key.Span);
        return key;
    }

    private static byte[] Bytes(AccountId account) => account.Value.ToByteArray(bigEndian: true);
}
