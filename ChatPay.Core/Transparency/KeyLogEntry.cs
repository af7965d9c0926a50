using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Transparency;

/// <summary>
/// One entry of an account's chain: version (1), type (1), account (16), number (8, from 0 on), hash of the entry
/// before it (32; zeros for the first), what it says, signature (64) of the identity key in force. What it says is, by
/// type:
/// <list type="bullet">
/// <item>identity: key (32), the new key's signature (64) that it is held;</item>
/// <item>identity reset: key (32), the signature (64) likewise; the new key also makes the last signature;</item>
/// <item>device added: device (16), its key (32), the device key's signature (64) likewise;</item>
/// <item>device revoked: device (16);</item>
/// <item>vault configured: digest (32; zeros for none).</item>
/// </list>
/// Numbers and ids are in network order. An entry's hash is SHA-256 of "chatpay key log v1 entry" and the whole entry.
/// </summary>
/// <remarks>
/// A signature of possession is over "chatpay key log v1 key" and the entry up to it, the last one over "chatpay key
/// log v1 sign" and the entry up to that. The public log holds only SHA-256 of "chatpay key log v1 leaf" ‖ salt (32) ‖
/// entry hash (32), so it tells nobody whose entry it is, not even to one who guesses, unless the salt was shown too.
/// </remarks>
public sealed class KeyLogEntry
{
    public const int HashSize = SHA256.HashSizeInBytes;
    public const int SaltSize = 32;
    public const int KeySize = 32;
    public const int DigestSize = 32;

    private const byte Version = 1;
    private const int IdBytes = 16;
    private const int SignatureSize = 64;
    private const int AccountAt = 2;
    private const int SequenceAt = AccountAt + IdBytes;
    private const int PreviousAt = SequenceAt + sizeof(ulong);
    private const int BodyAt = PreviousAt + HashSize;

    private readonly byte[] _bytes;

    private KeyLogEntry(byte[] bytes) => _bytes = bytes;

    public ReadOnlySpan<byte> Encoding => _bytes;

    public KeyLogEntryType Type => (KeyLogEntryType)_bytes[1];

    public AccountId Account => new(new Guid(_bytes.AsSpan(AccountAt, IdBytes), bigEndian: true));

    public long Sequence => BinaryPrimitives.ReadInt64BigEndian(_bytes.AsSpan(SequenceAt));

    /// <summary>32 bytes.</summary>
    public ReadOnlySpan<byte> PreviousHash => _bytes.AsSpan(PreviousAt, HashSize);

    /// <summary>The device that was added or revoked.</summary>
    /// <exception cref="InvalidOperationException">The entry is of no device.</exception>
    public DeviceId Device => Type is KeyLogEntryType.DeviceAdded or KeyLogEntryType.DeviceRevoked
        ? new DeviceId(new Guid(_bytes.AsSpan(BodyAt, IdBytes), bigEndian: true))
        : throw new InvalidOperationException("This entry is of no device.");

    /// <summary>The new identity's or device's key: Ed25519, 32 bytes.</summary>
    /// <exception cref="InvalidOperationException">The entry brings no key.</exception>
    public ReadOnlySpan<byte> NewKey => KeyAt(Type) is > 0 and var at
        ? _bytes.AsSpan(at, KeySize)
        : throw new InvalidOperationException("This entry brings no key.");

    /// <summary>The registration's digest, or zeros where the PIN was removed: 32 bytes.</summary>
    /// <exception cref="InvalidOperationException">The entry is of no vault.</exception>
    public ReadOnlySpan<byte> VaultDigest => Type == KeyLogEntryType.VaultConfigured
        ? _bytes.AsSpan(BodyAt, DigestSize)
        : throw new InvalidOperationException("This entry is of no vault.");

    private static ReadOnlySpan<byte> HashLabel => "chatpay key log v1 entry"u8;

    private static ReadOnlySpan<byte> KeyLabel => "chatpay key log v1 key"u8;

    private static ReadOnlySpan<byte> SignLabel => "chatpay key log v1 sign"u8;

    private static ReadOnlySpan<byte> LeafLabel => "chatpay key log v1 leaf"u8;

    /// <summary>The account's first entry, or its next identity key.</summary>
    /// <param name="signer">The identity key in force; for the first entry the key itself.</param>
    public static KeyLogEntry Identity(KeyLogPlace place, Key identityKey, Key signer) =>
        Make(KeyLogEntryType.Identity, place, [], identityKey, signer);

    /// <summary>A new identity key where the old one is lost.</summary>
    public static KeyLogEntry IdentityReset(KeyLogPlace place, Key identityKey) =>
        Make(KeyLogEntryType.IdentityReset, place, [], identityKey, identityKey);

    public static KeyLogEntry DeviceAdded(KeyLogPlace place, DeviceId device, Key deviceKey, Key signer) =>
        Make(KeyLogEntryType.DeviceAdded, place, device.Value.ToByteArray(bigEndian: true), deviceKey, signer);

    public static KeyLogEntry DeviceRevoked(KeyLogPlace place, DeviceId device, Key signer) =>
        Make(KeyLogEntryType.DeviceRevoked, place, device.Value.ToByteArray(bigEndian: true), null, signer);

    /// <param name="digest">32 bytes; zeros where the PIN is removed.</param>
    /// <exception cref="ArgumentException">A digest of another size.</exception>
    public static KeyLogEntry VaultConfigured(KeyLogPlace place, ReadOnlySpan<byte> digest, Key signer) =>
        digest.Length == DigestSize
            ? Make(KeyLogEntryType.VaultConfigured, place, digest, null, signer)
            : throw new ArgumentException($"A digest has {DigestSize} bytes.", nameof(digest));

    /// <summary>Reads an entry. Its signatures are <see cref="KeyChain"/>'s matter.</summary>
    public static bool TryRead(
        ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out KeyLogEntry? entry, out LogRejection rejection)
    {
        entry = null;
        rejection = bytes.Length < BodyAt || bytes[0] != Version || !Enum.IsDefined((KeyLogEntryType)bytes[1])
            || bytes.Length != SizeOf((KeyLogEntryType)bytes[1])
            || BinaryPrimitives.ReadInt64BigEndian(bytes[SequenceAt..]) < 0
                ? LogRejection.EntryMalformed
                : KeyAt((KeyLogEntryType)bytes[1]) is > 0 and var at && !IsKey(bytes.Slice(at, KeySize))
                    ? LogRejection.KeyInvalid
                    : LogRejection.None;
        entry = rejection == LogRejection.None ? new KeyLogEntry(bytes.ToArray()) : null;
        return entry is not null;
    }

    /// <summary>What the next entry names, 32 bytes.</summary>
    public byte[] Hash() => SHA256.HashData([.. HashLabel, .. _bytes]);

    /// <summary>What stands of the entry in the public log, 32 bytes.</summary>
    /// <param name="salt">32 random bytes, shown with the entry to those who may see it.</param>
    /// <exception cref="ArgumentException">A salt of another size.</exception>
    public byte[] Leaf(ReadOnlySpan<byte> salt) => salt.Length == SaltSize
        ? SHA256.HashData([.. LeafLabel, .. salt, .. Hash()])
        : throw new ArgumentException($"A salt has {SaltSize} bytes.", nameof(salt));

    /// <summary>Whether the holder of a new key made this, and the identity key given signed it.</summary>
    internal bool IsSignedBy(ReadOnlySpan<byte> identityKey)
    {
        var end = _bytes.Length - SignatureSize;
        return IsPossessed(end)
            && SignatureAlgorithm.Ed25519.Verify(
                identityKey, [.. SignLabel, .. _bytes.AsSpan(0, end)], _bytes.AsSpan(end));
    }

    private bool IsPossessed(int end)
    {
        var proofAt = end - SignatureSize;
        return KeyAt(Type) == 0 || SignatureAlgorithm.Ed25519.Verify(
            NewKey, [.. KeyLabel, .. _bytes.AsSpan(0, proofAt)], _bytes.AsSpan(proofAt, SignatureSize));
    }

    private static KeyLogEntry Make(
        KeyLogEntryType type, KeyLogPlace place, ReadOnlySpan<byte> body, Key? newKey, Key signer)
    {
        ArgumentNullException.ThrowIfNull(place);
        var bytes = new byte[SizeOf(type)];
        bytes[0] = Version;
        bytes[1] = (byte)type;
        place.Account.Value.TryWriteBytes(bytes.AsSpan(AccountAt), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(SequenceAt), place.Sequence);
        place.PreviousHash.Span.CopyTo(bytes.AsSpan(PreviousAt));
        body.CopyTo(bytes.AsSpan(BodyAt));
        var end = bytes.Length - SignatureSize;
        if (newKey is not null)
        {
            newKey.PublicKey.Bytes.CopyTo(bytes.AsSpan(KeyAt(type)));
            var proofAt = end - SignatureSize;
            SignatureAlgorithm.Ed25519.Sign(
                newKey, [.. KeyLabel, .. bytes.AsSpan(0, proofAt)], bytes.AsSpan(proofAt, SignatureSize));
        }

        SignatureAlgorithm.Ed25519.Sign(signer, [.. SignLabel, .. bytes.AsSpan(0, end)], bytes.AsSpan(end));
        return new KeyLogEntry(bytes);
    }

    private static int SizeOf(KeyLogEntryType type) => BodyAt + SignatureSize + type switch
    {
        KeyLogEntryType.Identity or KeyLogEntryType.IdentityReset => KeySize + SignatureSize,
        KeyLogEntryType.DeviceAdded => IdBytes + KeySize + SignatureSize,
        KeyLogEntryType.DeviceRevoked => IdBytes,
        KeyLogEntryType.VaultConfigured => DigestSize,
    };

    /// <summary>Where the new key stands, or zero where there is none.</summary>
    private static int KeyAt(KeyLogEntryType type) => type switch
    {
        KeyLogEntryType.Identity or KeyLogEntryType.IdentityReset => BodyAt,
        KeyLogEntryType.DeviceAdded => BodyAt + IdBytes,
        KeyLogEntryType.DeviceRevoked or KeyLogEntryType.VaultConfigured => 0,
    };

    private static bool IsKey(ReadOnlySpan<byte> key)
    {
        Sodium.Initialize();
        return SignatureAlgorithm.Ed25519.IsPublicKey(key);
    }
}
