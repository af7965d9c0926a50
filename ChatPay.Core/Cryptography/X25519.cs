using System.Runtime.InteropServices;

namespace ChatPay.Core.Cryptography;

/// <summary>
/// X25519 key agreement.
///
/// Reference: RFC 7748; libsodium's crypto_scalarmult_curve25519.
/// Sizes: private key 32 bytes, public key 32, shared secret 32.
/// Strictness: a public key of small order, with which everybody knows the secret, cannot be imported. The RFC accepts
/// non-canonical encodings (section 5) and so does this; whoever needs one encoding per key compares bytes.
/// </summary>
public sealed partial class X25519 : KeyAgreementAlgorithm
{
    private const int KeyBytes = 32;

    internal X25519()
    {
    }

    public override int PrivateKeySize => KeyBytes;

    public override int PublicKeySize => KeyBytes;

    public override int SharedSecretSize => KeyBytes;

    internal override (SecureMemory Secret, PublicKey PublicKey) CreateKey(ReadOnlySpan<byte> rawPrivateKey)
    {
        var publicKey = new byte[KeyBytes];
        return ScalarMultBase(publicKey, rawPrivateKey) == 0
            ? (SecureMemory.Copy(rawPrivateKey), new PublicKey(this, publicKey))
            : throw new InvalidOperationException("libsodium could not derive an X25519 key.");
    }

    internal override ReadOnlySpan<byte> RawPrivateKey(SecureMemory secret) => secret.Span;

    /// <summary>Every scalar is clamped to a multiple of eight, so any of them shows a point of small order.</summary>
    internal override bool IsPublicKey(ReadOnlySpan<byte> rawPublicKey)
    {
        Span<byte> anyScalar = stackalloc byte[KeyBytes];
        Span<byte> unused = stackalloc byte[KeyBytes];
        anyScalar.Fill(1);
        return ScalarMult(unused, anyScalar, rawPublicKey) == 0;
    }

    private protected override bool AgreeCore(
        ReadOnlySpan<byte> secret, ReadOnlySpan<byte> otherPartyPublicKey, Span<byte> sharedSecret) =>
        ScalarMult(sharedSecret, secret, otherPartyPublicKey) == 0;

    [LibraryImport("libsodium", EntryPoint = "crypto_scalarmult_curve25519")]
    private static partial int ScalarMult(Span<byte> product, ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> point);

    [LibraryImport("libsodium", EntryPoint = "crypto_scalarmult_curve25519_base")]
    private static partial int ScalarMultBase(Span<byte> product, ReadOnlySpan<byte> scalar);
}
