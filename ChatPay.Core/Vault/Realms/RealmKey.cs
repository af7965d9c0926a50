using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Vault;

/// <summary>
/// Seals a realm's records: version (1) ‖ salt (32) ‖ ciphertext and tag (459 + 16). Each row is encrypted by
/// AES-256-GCM under a key and a nonce of its own, which HKDF-SHA-256 expands from the realm key and "chatpay vault v1
/// row" ‖ salt ‖ realm (16) ‖ account (16) ‖ registration (16); these also are the associated data. So a row opens for
/// its account and registration only, and one key seals as many rows as wanted.
/// </summary>
/// <remarks>The key lies outside the database: without it the rows let nobody try a PIN.</remarks>
public sealed class RealmKey : IDisposable
{
    public const int SizeBytes = 32;

    private const byte Version = 1;
    private const int SaltBytes = 32;
    private const int IdBytes = 16;

    private readonly SecureMemory _key;

    private RealmKey(SecureMemory key) => _key = key;

    private static ReadOnlySpan<byte> Label => "chatpay vault v1 row"u8;

    private static int PlaceSize => Label.Length + SaltBytes + (3 * IdBytes);

    /// <summary>Takes the key's 32 bytes, which the caller then zeroes.</summary>
    /// <exception cref="ArgumentException">Another number of bytes.</exception>
    public static RealmKey Import(ReadOnlySpan<byte> key) => key.Length == SizeBytes
        ? new RealmKey(SecureMemory.Copy(key))
        : throw new ArgumentException($"A realm key has {SizeBytes} bytes.", nameof(key));

    /// <summary>The row's bytes.</summary>
    public byte[] Seal(RealmRecord record, FillRandom random)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(random);
        var cipher = AeadAlgorithm.Aes256Gcm;
        var row = new byte[1 + SaltBytes + record.Encoding.Length + cipher.TagSize];
        row[0] = Version;
        random(row.AsSpan(1, SaltBytes));
        Span<byte> place = stackalloc byte[PlaceSize];
        Span<byte> secret = stackalloc byte[cipher.KeySize + cipher.NonceSize];
        WritePlace(row.AsSpan(1, SaltBytes), record.Realm, record.User, record.Version, place);
        Derive(place, secret);
        cipher.Encrypt(
            secret[..cipher.KeySize], secret[cipher.KeySize..], place, record.Encoding, row.AsSpan(1 + SaltBytes));
        CryptographicOperations.ZeroMemory(secret);
        return row;
    }

    /// <summary>Opens a row for the account and registration that its place in the database says.</summary>
    /// <returns>
    /// False, and <see cref="VaultRejection.RecordUnreadable"/>, for whatever was not sealed with this key for these.
    /// </returns>
    public bool TryOpen(
        ReadOnlySpan<byte> row, RealmId realm, AccountId user, RegistrationVersion version,
        [NotNullWhen(true)] out RealmRecord? record, out VaultRejection rejection)
    {
        record = null;
        rejection = VaultRejection.RecordUnreadable;
        var cipher = AeadAlgorithm.Aes256Gcm;
        if (row.Length != 1 + SaltBytes + RealmRecord.SizeBytes + cipher.TagSize || row[0] != Version)
        {
            return false;
        }

        Span<byte> place = stackalloc byte[PlaceSize];
        Span<byte> secret = stackalloc byte[cipher.KeySize + cipher.NonceSize];
        WritePlace(row.Slice(1, SaltBytes), realm, user, version, place);
        Derive(place, secret);
        var opened = new Secret(RealmRecord.SizeBytes);
        if (!cipher.TryDecrypt(
            secret[..cipher.KeySize], secret[cipher.KeySize..], place, row[(1 + SaltBytes)..], opened.Span))
        {
            opened.Dispose();
        }
        else if (RealmRecord.TryTake(opened, out record))
        {
            rejection = VaultRejection.None;
        }

        CryptographicOperations.ZeroMemory(secret);
        return record is not null;
    }

    public void Dispose() => _key.Dispose();

    private static void WritePlace(
        ReadOnlySpan<byte> salt, RealmId realm, AccountId user, RegistrationVersion version, Span<byte> place)
    {
        var script = new ByteScript(place);
        script.Add(Label);
        script.Add(salt);
        script.Add(realm.Value);
        script.Add(user.Value);
        script.Add(version.Value);
    }

    private void Derive(ReadOnlySpan<byte> place, Span<byte> secret)
    {
        KeyDerivationAlgorithm.HkdfSha256.Expand(_key.Span, place, secret);
        GC.KeepAlive(_key);
    }
}
