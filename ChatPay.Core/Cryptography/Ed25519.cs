using System.Runtime.InteropServices;

namespace ChatPay.Core.Cryptography;

/// <summary>
/// Ed25519 signatures.
///
/// Reference: RFC 8032, the PureEdDSA variant; libsodium's crypto_sign.
/// Sizes: private key (seed) 32 bytes, public key 32, signature 64; messages of any length.
/// Strictness: a signature is refused when its scalar is not below the group order, when its point or the public key has
/// small order, and when either is not canonically encoded; so nobody but the signer can make a second signature for a
/// message, and no key signs everything. A public key off the curve or off the main subgroup cannot be imported. To find out
/// about the subgroup takes as long as to verify, and a key off it gives nobody but its owner anything: where MLS verifies with
/// the bytes of a key, which it does a thousand times to join a group of a thousand, that is not asked.
/// </summary>
public sealed partial class Ed25519 : SignatureAlgorithm
{
    private const int SeedBytes = 32;
    private const int PublicKeyBytes = 32;
    private const int SecretKeyBytes = 64;
    private const int SignatureBytes = 64;

    internal Ed25519()
    {
    }

    public override int PrivateKeySize => SeedBytes;

    public override int PublicKeySize => PublicKeyBytes;

    public override int SignatureSize => SignatureBytes;

    internal override (SecureMemory Secret, PublicKey? PublicKey) CreateKey(ReadOnlySpan<byte> rawKey)
    {
        var secret = SecureMemory.Allocate(SecretKeyBytes);
        var publicKey = new byte[PublicKeyBytes];
        var outcome = SeedKeyPair(publicKey, secret.Span, rawKey);
        return outcome == 0
            ? (secret, new PublicKey(this, publicKey))
            : throw new InvalidOperationException("libsodium could not derive an Ed25519 key.");
    }

    /// <summary>libsodium keeps seed ‖ public key.</summary>
    internal override ReadOnlySpan<byte> RawKey(SecureMemory secret) => secret.Span[..SeedBytes];

    private protected override bool IsPublicKeyCore(ReadOnlySpan<byte> rawPublicKey) => IsValidPoint(rawPublicKey) == 1;

    private protected override void SignCore(
        ReadOnlySpan<byte> secret, ReadOnlySpan<byte> data, Span<byte> signature)
    {
        if (SignDetached(signature, 0, data, (ulong)data.Length, secret) != 0)
        {
            throw new InvalidOperationException("libsodium could not sign.");
        }
    }

    private protected override bool VerifyCore(
        ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        VerifyDetached(signature, data, (ulong)data.Length, publicKey) == 0;

    [LibraryImport("libsodium", EntryPoint = "crypto_sign_ed25519_seed_keypair")]
    private static partial int SeedKeyPair(Span<byte> publicKey, Span<byte> secretKey, ReadOnlySpan<byte> seed);

    [LibraryImport("libsodium", EntryPoint = "crypto_sign_ed25519_detached")]
    private static partial int SignDetached(
        Span<byte> signature, nint signatureLength, ReadOnlySpan<byte> message, ulong messageLength,
        ReadOnlySpan<byte> secretKey);

    [LibraryImport("libsodium", EntryPoint = "crypto_sign_ed25519_verify_detached")]
    private static partial int VerifyDetached(
        ReadOnlySpan<byte> signature, ReadOnlySpan<byte> message, ulong messageLength, ReadOnlySpan<byte> publicKey);

    [LibraryImport("libsodium", EntryPoint = "crypto_core_ed25519_is_valid_point")]
    private static partial int IsValidPoint(ReadOnlySpan<byte> point);
}
