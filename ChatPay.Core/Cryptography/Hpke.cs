using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ChatPay.Core.Cryptography;

/// <summary>
/// Hybrid public key encryption: to whoever has the private key, by whoever has the public one.
///
/// Reference: RFC 9180, base mode (section 5.1.1), single-shot (section 6): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and one of
/// the ciphers that it numbers. MLS needs no other mode and never a second message in one context, so there is none.
/// Sizes: private key 32 bytes, public key 32, encapsulated key 32; a ciphertext is longer than its plaintext by 16.
/// Strictness: public and encapsulated keys of small order are refused, as section 7.1.4 demands.
/// </summary>
internal sealed class Hpke
{
    public const int PrivateKeySize = X25519.KeyBytes;
    public const int PublicKeySize = X25519.KeyBytes;
    public const int EncapsulatedKeySize = X25519.KeyBytes;

    private const int HashBytes = 32;
    private const int SharedSecretBytes = 32;
    private const int LargestKeyBytes = 32;
    private const int LargestNonceBytes = 12;
    private const byte BaseMode = 0;

    private readonly AeadAlgorithm _aead;

    /// <summary>"KEM" and the number of the KEM, section 4.1.</summary>
    private readonly byte[] _kemSuite = [.. "KEM"u8, 0x00, 0x20];

    /// <summary>"HPKE" and the numbers of KEM, KDF and AEAD, section 5.1.</summary>
    private readonly byte[] _suite;

    /// <summary>The hash over the absent pre-shared key's absent id, which is the same for every message.</summary>
    private readonly byte[] _pskIdHash = new byte[HashBytes];

    private Hpke(AeadAlgorithm aead, byte aeadId)
    {
        _aead = aead;
        _suite = [.. "HPKE"u8, 0x00, 0x20, 0x00, 0x01, 0x00, aeadId];
        LabeledExtract(_suite, [], "psk_id_hash"u8, [], _pskIdHash);
    }

    public static Hpke X25519Aes128Gcm { get; } = new(AeadAlgorithm.Aes128Gcm, 1);

    public static Hpke X25519Aes256Gcm { get; } = new(AeadAlgorithm.Aes256Gcm, 2);

    public static Hpke X25519ChaCha20Poly1305 { get; } = new(AeadAlgorithm.ChaCha20Poly1305, 3);

    private static Hkdf Kdf => KeyDerivationAlgorithm.HkdfSha256;

    public int TagSize => _aead.TagSize;

    /// <summary>DeriveKeyPair, section 7.1.3: always the same key pair from the same secret.</summary>
    /// <param name="secret">At least as many random bytes as a private key has.</param>
    public void DeriveKeyPair(ReadOnlySpan<byte> secret, Span<byte> privateKey, Span<byte> publicKey)
    {
        Span<byte> pseudorandomKey = stackalloc byte[HashBytes];
        LabeledExtract(_kemSuite, [], "dkp_prk"u8, secret, pseudorandomKey);
        LabeledExpand(_kemSuite, pseudorandomKey, "sk"u8, [], privateKey);
        CryptographicOperations.ZeroMemory(pseudorandomKey);
        X25519.DerivePublicKey(privateKey, publicKey);
    }

    /// <summary>SealBase, section 6.1; false where the public key is none.</summary>
    /// <param name="encapsulatedKey">Filled with <see cref="EncapsulatedKeySize"/> bytes.</param>
    /// <param name="ciphertext">Longer than the plaintext by <see cref="TagSize"/>.</param>
    public bool TrySeal(
        ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> info, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> plaintext, FillRandom random, Span<byte> encapsulatedKey, Span<byte> ciphertext)
    {
        Span<byte> sharedSecret = stackalloc byte[SharedSecretBytes];
        Span<byte> key = stackalloc byte[LargestKeyBytes];
        Span<byte> nonce = stackalloc byte[LargestNonceBytes];
        if (!TryEncapsulate(publicKey, random, encapsulatedKey, sharedSecret))
        {
            return false;
        }

        key = key[.._aead.KeySize];
        ScheduleKey(sharedSecret, info, key, nonce);
        _aead.Encrypt(key, nonce, associatedData, plaintext, ciphertext);
        CryptographicOperations.ZeroMemory(sharedSecret);
        CryptographicOperations.ZeroMemory(key);
        return true;
    }

    /// <summary>OpenBase, section 6.1; false for whatever was not sealed to this key with this info.</summary>
    /// <param name="publicKey">The private key's own.</param>
    /// <param name="plaintext">Shorter than the ciphertext by <see cref="TagSize"/>, or empty.</param>
    public bool TryOpen(
        ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> encapsulatedKey,
        ReadOnlySpan<byte> info, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
    {
        Span<byte> sharedSecret = stackalloc byte[SharedSecretBytes];
        Span<byte> key = stackalloc byte[LargestKeyBytes];
        Span<byte> nonce = stackalloc byte[LargestNonceBytes];
        if (!TryDecapsulate(privateKey, publicKey, encapsulatedKey, sharedSecret))
        {
            return false;
        }

        key = key[.._aead.KeySize];
        ScheduleKey(sharedSecret, info, key, nonce);
        var opened = _aead.TryDecrypt(key, nonce, associatedData, ciphertext, plaintext);
        CryptographicOperations.ZeroMemory(sharedSecret);
        CryptographicOperations.ZeroMemory(key);
        return opened;
    }

    /// <summary>SendExportBase, section 6.2; false where the public key is none.</summary>
    /// <param name="exported">The secret that the owner of the private key can have too.</param>
    public bool TrySendExport(
        ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> info, ReadOnlySpan<byte> exporterContext, FillRandom random,
        Span<byte> encapsulatedKey, Span<byte> exported)
    {
        Span<byte> sharedSecret = stackalloc byte[SharedSecretBytes];
        if (!TryEncapsulate(publicKey, random, encapsulatedKey, sharedSecret))
        {
            return false;
        }

        Export(sharedSecret, info, exporterContext, exported);
        CryptographicOperations.ZeroMemory(sharedSecret);
        return true;
    }

    /// <summary>ReceiveExportBase, section 6.2; false where the encapsulated key is none.</summary>
    /// <param name="publicKey">The private key's own.</param>
    public bool TryReceiveExport(
        ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> encapsulatedKey,
        ReadOnlySpan<byte> info, ReadOnlySpan<byte> exporterContext, Span<byte> exported)
    {
        Span<byte> sharedSecret = stackalloc byte[SharedSecretBytes];
        if (!TryDecapsulate(privateKey, publicKey, encapsulatedKey, sharedSecret))
        {
            return false;
        }

        Export(sharedSecret, info, exporterContext, exported);
        CryptographicOperations.ZeroMemory(sharedSecret);
        return true;
    }

    /// <summary>Encap, section 4.1.</summary>
    private bool TryEncapsulate(
        ReadOnlySpan<byte> publicKey, FillRandom random, Span<byte> encapsulatedKey, Span<byte> sharedSecret)
    {
        if (!KeyAgreementAlgorithm.X25519.IsPublicKey(publicKey))
        {
            return false;
        }

        Span<byte> ephemeralKey = stackalloc byte[PrivateKeySize];
        Span<byte> agreed = stackalloc byte[SharedSecretBytes];
        random(ephemeralKey);
        X25519.DerivePublicKey(ephemeralKey, encapsulatedKey);
        var isAgreed = X25519.TryAgree(ephemeralKey, publicKey, agreed);
        CryptographicOperations.ZeroMemory(ephemeralKey);
        if (isAgreed)
        {
            ExtractAndExpand(agreed, encapsulatedKey, publicKey, sharedSecret);
        }

        CryptographicOperations.ZeroMemory(agreed);
        return isAgreed;
    }

    /// <summary>Decap, section 4.1.</summary>
    private bool TryDecapsulate(
        ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> encapsulatedKey,
        Span<byte> sharedSecret)
    {
        if (!KeyAgreementAlgorithm.X25519.IsPublicKey(encapsulatedKey))
        {
            return false;
        }

        Span<byte> agreed = stackalloc byte[SharedSecretBytes];
        var isAgreed = X25519.TryAgree(privateKey, encapsulatedKey, agreed);
        if (isAgreed)
        {
            ExtractAndExpand(agreed, encapsulatedKey, publicKey, sharedSecret);
        }

        CryptographicOperations.ZeroMemory(agreed);
        return isAgreed;
    }

    /// <summary>ExtractAndExpand, section 4.1; the KEM's context is the two public keys.</summary>
    private void ExtractAndExpand(
        ReadOnlySpan<byte> agreed, ReadOnlySpan<byte> encapsulatedKey, ReadOnlySpan<byte> publicKey,
        Span<byte> sharedSecret)
    {
        Span<byte> pseudorandomKey = stackalloc byte[HashBytes];
        Span<byte> context = stackalloc byte[EncapsulatedKeySize + PublicKeySize];
        encapsulatedKey.CopyTo(context);
        publicKey.CopyTo(context[EncapsulatedKeySize..]);
        LabeledExtract(_kemSuite, [], "eae_prk"u8, agreed, pseudorandomKey);
        LabeledExpand(_kemSuite, pseudorandomKey, "shared_secret"u8, context, sharedSecret);
        CryptographicOperations.ZeroMemory(pseudorandomKey);
    }

    /// <summary>KeySchedule, section 5.1, as far as a single message needs it: its key, and the nonce of message 0.</summary>
    private void ScheduleKey(ReadOnlySpan<byte> sharedSecret, ReadOnlySpan<byte> info, Span<byte> key, Span<byte> nonce)
    {
        Span<byte> secret = stackalloc byte[HashBytes];
        Span<byte> context = stackalloc byte[1 + (2 * HashBytes)];
        Schedule(sharedSecret, info, secret, context);
        LabeledExpand(_suite, secret, "key"u8, context, key);
        LabeledExpand(_suite, secret, "base_nonce"u8, context, nonce);
        CryptographicOperations.ZeroMemory(secret);
    }

    /// <summary>KeySchedule's exporter secret, and Export, section 5.3.</summary>
    private void Export(
        ReadOnlySpan<byte> sharedSecret, ReadOnlySpan<byte> info, ReadOnlySpan<byte> exporterContext, Span<byte> exported)
    {
        Span<byte> secret = stackalloc byte[HashBytes];
        Span<byte> context = stackalloc byte[1 + (2 * HashBytes)];
        Schedule(sharedSecret, info, secret, context);
        LabeledExpand(_suite, secret, "exp"u8, context, secret);
        LabeledExpand(_suite, secret, "sec"u8, exporterContext, exported);
        CryptographicOperations.ZeroMemory(secret);
    }

    private void Schedule(ReadOnlySpan<byte> sharedSecret, ReadOnlySpan<byte> info, Span<byte> secret, Span<byte> context)
    {
        context[0] = BaseMode;
        _pskIdHash.CopyTo(context[1..]);
        LabeledExtract(_suite, [], "info_hash"u8, info, context[(1 + HashBytes)..]);
        LabeledExtract(_suite, sharedSecret, "secret"u8, [], secret);
    }

    /// <summary>LabeledExtract, section 4.</summary>
    private static void LabeledExtract(
        ReadOnlySpan<byte> suite, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> label, ReadOnlySpan<byte> secret,
        Span<byte> output)
    {
        var version = "HPKE-v1"u8;
        using var scratch = new ScratchBuffer(
            stackalloc byte[ScratchBuffer.StackBytes], version.Length + suite.Length + label.Length + secret.Length);
        Concatenate(scratch.Span, version, suite, label, secret);
        Kdf.Extract(scratch.Span, salt, output);
    }

    /// <summary>LabeledExpand, section 4.</summary>
    private static void LabeledExpand(
        ReadOnlySpan<byte> suite, ReadOnlySpan<byte> pseudorandomKey, ReadOnlySpan<byte> label, ReadOnlySpan<byte> info,
        Span<byte> output)
    {
        var version = "HPKE-v1"u8;
        using var scratch = new ScratchBuffer(
            stackalloc byte[ScratchBuffer.StackBytes],
            sizeof(ushort) + version.Length + suite.Length + label.Length + info.Length);
        BinaryPrimitives.WriteUInt16BigEndian(scratch.Span, checked((ushort)output.Length));
        Concatenate(scratch.Span[sizeof(ushort)..], version, suite, label, info);
        Kdf.Expand(pseudorandomKey, scratch.Span, output);
    }

    private static void Concatenate(
        Span<byte> target, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third,
        ReadOnlySpan<byte> fourth)
    {
        first.CopyTo(target);
        second.CopyTo(target = target[first.Length..]);
        third.CopyTo(target = target[second.Length..]);
        fourth.CopyTo(target[third.Length..]);
    }
}
