using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// A cipher suite of RFC 9420 section 17.1 and the labelled operations of section 5 with it. Both suites here hash with
/// SHA-256, sign with Ed25519 and agree with X25519; they differ in the cipher.
/// </summary>
/// <remarks>
/// The operations take secrets as spans and give them into spans of the caller's or as a <see cref="Secret"/>: what is
/// done for each message allocates nothing but what it returns. No output may overlap an input unless it says so.
/// </remarks>
public sealed partial class MlsCipherSuite
{
    private readonly AeadAlgorithm _aead;
    private readonly Hpke _hpke;
    private readonly Hkdf _kdf = KeyDerivationAlgorithm.HkdfSha256;

    private MlsCipherSuite(ushort id, AeadAlgorithm aead, Hpke hpke)
    {
        Id = id;
        _aead = aead;
        _hpke = hpke;
    }

    /// <summary>MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519, 0x0001.</summary>
    public static MlsCipherSuite X25519Aes128Gcm { get; } = new(1, AeadAlgorithm.Aes128Gcm, Hpke.X25519Aes128Gcm);

    /// <summary>MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519, 0x0003.</summary>
    public static MlsCipherSuite X25519ChaCha20Poly1305 { get; } =
        new(3, AeadAlgorithm.ChaCha20Poly1305, Hpke.X25519ChaCha20Poly1305);

    public ushort Id { get; }

    public SignatureAlgorithm SignatureAlgorithm { get; } = SignatureAlgorithm.Ed25519;

    public KeyAgreementAlgorithm KeyAgreementAlgorithm { get; } = KeyAgreementAlgorithm.X25519;

    public HashAlgorithmName HashAlgorithm { get; } = HashAlgorithmName.SHA256;

    /// <summary>KDF.Nh in bytes, also the size of every digest, MAC and derived secret.</summary>
    internal int HashSize => _kdf.PseudorandomKeySize;

    /// <summary>AEAD.Nk in bytes.</summary>
    internal int KeySize => _aead.KeySize;

    /// <summary>AEAD.Nn in bytes.</summary>
    internal int NonceSize => _aead.NonceSize;

    /// <summary>By how many bytes a ciphertext is longer than its plaintext.</summary>
    internal int TagSize => _aead.TagSize;

    /// <summary>Size of a public encryption key in bytes.</summary>
    internal int PublicKeySize => KeyAgreementAlgorithm.PublicKeySize;

    /// <summary>Size of a private encryption key in bytes.</summary>
    internal int PrivateKeySize => KeyAgreementAlgorithm.PrivateKeySize;

    /// <summary>The suite of a number; false for one that this library does not have.</summary>
    public static bool TryGet(ushort id, [NotNullWhen(true)] out MlsCipherSuite? suite)
    {
        suite = id switch
        {
            1 => X25519Aes128Gcm,
            3 => X25519ChaCha20Poly1305,
            _ => null,
        };
        return suite is not null;
    }

    /// <summary>AEAD.Seal.</summary>
    /// <param name="ciphertextWithTag">Longer than the plaintext by <see cref="TagSize"/>.</param>
    /// <exception cref="ArgumentException">A key, nonce or span of the wrong size.</exception>
    internal void Seal(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> plaintext, Span<byte> ciphertextWithTag) =>
        _aead.Encrypt(key, nonce, associatedData, plaintext, ciphertextWithTag);

    /// <summary>AEAD.Open; false, and zeros, for whatever was not sealed so.</summary>
    /// <param name="plaintext">Shorter than the ciphertext by <see cref="TagSize"/>; empty where that is shorter still.</param>
    /// <exception cref="ArgumentException">A key, nonce or span of the wrong size.</exception>
    internal bool TryOpen(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> ciphertextWithTag, Span<byte> plaintext) =>
        _aead.TryDecrypt(key, nonce, associatedData, ciphertextWithTag, plaintext);
}
