using System.Runtime.InteropServices;

namespace ChatPay.Core.Cryptography;

/// <summary>
/// X25519 key agreement.
///
/// Reference: RFC 7748; libsodium's crypto_scalarmult_curve25519.
/// Sizes: private key 32 bytes, public key 32, shared secret 32.
/// Strictness: a public key of small order, with which everybody knows the secret, cannot be imported, and no agreement
/// gives a secret of zeros. The RFC accepts non-canonical encodings (section 5) and so does this; whoever needs one
/// encoding per key compares bytes.
/// </summary>
public sealed partial class X25519 : KeyAgreementAlgorithm
{
    internal const int KeyBytes = 32;

    internal X25519()
    {
    }

    public override int PrivateKeySize => KeyBytes;

    public override int PublicKeySize => KeyBytes;

    public override int SharedSecretSize => KeyBytes;

    /// <summary>
    /// The coordinates below 2^255 that stand for a point whose order divides eight, on the curve or on its twist, 32 bytes
    /// each: 0, 1, the two of order eight, p - 1, and p and p + 1, which are 0 and 1 encoded otherwise.
    /// </summary>
    private static ReadOnlySpan<byte> SmallOrderPoints =>
    [
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
        0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
        0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
        0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
        0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ];

    internal override (SecureMemory Secret, PublicKey? PublicKey) CreateKey(ReadOnlySpan<byte> rawKey)
    {
        var publicKey = new byte[KeyBytes];
        DerivePublicKey(rawKey, publicKey);
        return (SecureMemory.Copy(rawKey), new PublicKey(this, publicKey));
    }

    internal override ReadOnlySpan<byte> RawKey(SecureMemory secret) => secret.Span;

    /// <summary>The public key of a raw private key of 32 bytes.</summary>
    internal static void DerivePublicKey(ReadOnlySpan<byte> privateKey, Span<byte> publicKey)
    {
        Sodium.Initialize();
        if (ScalarMultBase(publicKey, privateKey) != 0)
        {
            throw new InvalidOperationException("libsodium could not derive an X25519 key.");
        }
    }

    /// <summary>Agrees over raw keys of 32 bytes each; false where the secret would be one that everybody knows.</summary>
    internal static bool TryAgree(
        ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> otherPartyPublicKey, Span<byte> sharedSecret)
    {
        Sodium.Initialize();
        return ScalarMult(sharedSecret, privateKey, otherPartyPublicKey) == 0;
    }

    /// <summary>
    /// Compares instead of multiplying, which would cost as much as an agreement. The highest bit of an encoding does not
    /// count (RFC 7748, section 5).
    /// </summary>
    private protected override bool IsPublicKeyCore(ReadOnlySpan<byte> rawPublicKey)
    {
        Span<byte> coordinate = stackalloc byte[KeyBytes];
        rawPublicKey.CopyTo(coordinate);
        coordinate[^1] &= 0x7f;
        for (var points = SmallOrderPoints; !points.IsEmpty; points = points[KeyBytes..])
        {
            if (coordinate.SequenceEqual(points[..KeyBytes]))
            {
                return false;
            }
        }

        return true;
    }

    private protected override bool AgreeCore(
        ReadOnlySpan<byte> secret, ReadOnlySpan<byte> otherPartyPublicKey, Span<byte> sharedSecret) =>
        TryAgree(secret, otherPartyPublicKey, sharedSecret);

    [LibraryImport("libsodium", EntryPoint = "crypto_scalarmult_curve25519")]
    private static partial int ScalarMult(Span<byte> product, ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> point);

    [LibraryImport("libsodium", EntryPoint = "crypto_scalarmult_curve25519_base")]
    private static partial int ScalarMultBase(Span<byte> product, ReadOnlySpan<byte> scalar);
}
