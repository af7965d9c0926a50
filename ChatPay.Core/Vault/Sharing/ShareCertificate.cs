using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>
/// What shows that a realm's key share is one that the registering device made: an Ed25519 signature, by a key that the
/// device throws away when all shares are signed, over "chatpay vault v1 share" ‖ context digest (32) ‖ realm (16) ‖
/// index (1) ‖ public key share (32) ‖ unlock commitment (32).
/// </summary>
/// <remarks>
/// All certificates of a registration are by one key, so a realm that made up a share of its own cannot sign it as the
/// others' are; and the commitment is signed with them, so no realm can pass off a right PIN as a wrong one.
/// </remarks>
internal static class ShareCertificate
{
    public const int SignatureSize = 64;
    public const int VerifyingKeySize = 32;
    public const int CommitmentSize = 32;

    private const int IdBytes = 16;
    private const int DigestBytes = 32;

    private static ReadOnlySpan<byte> Label => "chatpay vault v1 share"u8;

    private static int StatementSize =>
        Label.Length + DigestBytes + IdBytes + 1 + Ristretto255.ElementSize + CommitmentSize;

    public static void Sign(
        Key signingKey, VaultContext context, RealmId realm, int index, ReadOnlySpan<byte> publicShare,
        ReadOnlySpan<byte> unlockCommitment, Span<byte> signature)
    {
        Span<byte> statement = stackalloc byte[StatementSize];
        Write(context, realm, index, publicShare, unlockCommitment, statement);
        SignatureAlgorithm.Ed25519.Sign(signingKey, statement, signature);
    }

    public static bool Verify(
        ReadOnlySpan<byte> verifyingKey, VaultContext context, RealmId realm, int index, ReadOnlySpan<byte> publicShare,
        ReadOnlySpan<byte> unlockCommitment, ReadOnlySpan<byte> signature)
    {
        Span<byte> statement = stackalloc byte[StatementSize];
        Write(context, realm, index, publicShare, unlockCommitment, statement);
        return SignatureAlgorithm.Ed25519.Verify(verifyingKey, statement, signature);
    }

    private static void Write(
        VaultContext context, RealmId realm, int index, ReadOnlySpan<byte> publicShare,
        ReadOnlySpan<byte> unlockCommitment, Span<byte> statement)
    {
        var script = new ByteScript(statement);
        script.Add(Label);
        script.Add(context.Digest);
        script.Add(realm.Value);
        script.Add(checked((byte)index));
        script.Add(publicShare);
        script.Add(unlockCommitment);
    }
}
