using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Identity;

/// <summary>
/// The account's keys on their way from an approving device to a new one: 1 (version) ‖ 1 (kind) ‖ encapsulated key (32) ‖
/// ciphertext, by RFC 9180's base mode (DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM) to the code's key. The
/// plaintext is identity seed (32) ‖ flag (1) ‖ root secret (32) ‖ flag (1) ‖ archive key (32), zeros for what is not there;
/// info is "chatpay approval v1" ‖ account (16) ‖ device (16).
/// </summary>
/// <remarks>
/// Whoever sent it is not proved by it: the new device takes the keys only where the identity key is that of its account's
/// chain in the key log.
/// </remarks>
public static class SealedApproval
{
    public const int SizeBytes = HeaderSize + Hpke.EncapsulatedKeySize + PlainSize + TagSize;

    private const byte Version = 1;
    private const byte AccountKeysKind = 1;
    private const int HeaderSize = 2;
    private const int KeySize = AccountKeys.KeySize;
    private const int TagSize = 16;
    private const int PlainSize = KeySize + 1 + KeySize + 1 + KeySize;
    private const int ArchiveFlagAt = KeySize + 1 + KeySize;

    private static Hpke Suite => Hpke.X25519Aes128Gcm;

    private static ReadOnlySpan<byte> Label => "chatpay approval v1"u8;

    /// <summary>A key pair for one code.</summary>
    /// <param name="privateKey">32 bytes to fill.</param>
    /// <returns>The public key, 32 bytes.</returns>
    public static byte[] NewKey(FillRandom random, Span<byte> privateKey)
    {
        ArgumentNullException.ThrowIfNull(random);
        random(privateKey);
        return PublicKeyOf(privateKey);
    }

    /// <summary>The public key of a code's private key; both have 32 bytes.</summary>
    public static byte[] PublicKeyOf(ReadOnlySpan<byte> privateKey)
    {
        var publicKey = new byte[KeySize];
        X25519.DerivePublicKey(privateKey, publicKey);
        return publicKey;
    }

    /// <summary>Seals the account's keys for the device that shows the code.</summary>
    /// <param name="rootSecret">32 bytes, or none where there is no PIN.</param>
    /// <returns>Null where the code's key is none.</returns>
    public static byte[]? Seal(ApprovalCode code, AccountKeys keys, ReadOnlySpan<byte> rootSecret, FillRandom random)
    {
        ArgumentNullException.ThrowIfNull(code);
        ArgumentNullException.ThrowIfNull(keys);
        if (rootSecret.Length is not (0 or AccountKeys.RootSecretSize))
        {
            throw new ArgumentException($"A root secret has {AccountKeys.RootSecretSize} bytes.", nameof(rootSecret));
        }

        using var plain = new Secret(PlainSize);
        keys.IdentitySeed.CopyTo(plain.Span);
        plain.Span[KeySize] = (byte)(rootSecret.IsEmpty ? 0 : 1);
        rootSecret.CopyTo(plain.Span[(KeySize + 1)..]);
        plain.Span[ArchiveFlagAt] = (byte)(keys.ArchiveKey.IsEmpty ? 0 : 1);
        keys.ArchiveKey.CopyTo(plain.Span[(ArchiveFlagAt + 1)..]);
        var approval = new byte[SizeBytes];
        (approval[0], approval[1]) = (Version, AccountKeysKind);
        return Suite.TrySeal(
            code.SealingKey, InfoOf(code.Account, code.Device), [], plain.Span, random,
            approval.AsSpan(HeaderSize, Hpke.EncapsulatedKeySize),
            approval.AsSpan(HeaderSize + Hpke.EncapsulatedKeySize))
                ? approval : null;
    }

    /// <summary>Opens what was sealed for this device.</summary>
    /// <param name="privateKey">The code's, 32 bytes.</param>
    /// <param name="rootSecret">32 bytes to fill; zeros where there is none.</param>
    /// <returns>False for anything else.</returns>
    public static bool TryOpen(
        ReadOnlySpan<byte> approval, AccountId account, DeviceId device, ReadOnlySpan<byte> privateKey,
        Span<byte> rootSecret, out bool hasRoot, [NotNullWhen(true)] out AccountKeys? keys)
    {
        keys = null;
        hasRoot = false;
        if (!IsOne(approval) || privateKey.Length != KeySize || rootSecret.Length != AccountKeys.RootSecretSize)
        {
            return false;
        }

        var publicKey = PublicKeyOf(privateKey);
        using var plain = new Secret(PlainSize);
        if (!Suite.TryOpen(
                privateKey, publicKey, approval.Slice(HeaderSize, Hpke.EncapsulatedKeySize), InfoOf(account, device), [],
                approval[(HeaderSize + Hpke.EncapsulatedKeySize)..], plain.Span)
            || plain.Span[KeySize] > 1 || plain.Span[ArchiveFlagAt] > 1)
        {
            return false;
        }

        hasRoot = plain.Span[KeySize] == 1;
        plain.Span.Slice(KeySize + 1, KeySize).CopyTo(rootSecret);
        keys = AccountKeys.Of(
            plain.Span[..KeySize], plain.Span[ArchiveFlagAt] == 1 ? plain.Span[(ArchiveFlagAt + 1)..] : default);
        return true;
    }

    /// <summary>Whether a message between devices is an approval, sealed for whomever.</summary>
    public static bool IsOne(ReadOnlySpan<byte> message) =>
        message.Length == SizeBytes && message[0] == Version && message[1] == AccountKeysKind;

    private static byte[] InfoOf(AccountId account, DeviceId device) =>
        [.. Label, .. account.Value.ToByteArray(bigEndian: true), .. device.Value.ToByteArray(bigEndian: true)];
}
