using System.Security.Cryptography;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>
/// What the right PIN and enough realms give: SHA-512 of "chatpay vault v1 unlock" ‖ context digest (32) ‖ output of
/// the oblivious function (64). The first half is the commitment, by which a wrong PIN shows; the second is the key,
/// from which comes a tag for each realm, so that none of them can pass for the person at another, and a commitment to
/// each share.
/// </summary>
internal sealed class UnlockKey : IDisposable
{
    public const int TagSize = HMACSHA256.HashSizeInBytes;
    public const int CommitmentSize = HMACSHA256.HashSizeInBytes;

    private const int KeySize = 32;
    private const int IdBytes = 16;

    private readonly Secret _bytes = new(SHA512.HashSizeInBytes);

    private UnlockKey()
    {
    }

    /// <summary>32 bytes.</summary>
    public ReadOnlySpan<byte> Commitment => _bytes.Span[..KeySize];

    private ReadOnlySpan<byte> Key => _bytes.Span[KeySize..];

    private static ReadOnlySpan<byte> Label => "chatpay vault v1 unlock"u8;

    private static ReadOnlySpan<byte> TagLabel => "chatpay vault v1 tag"u8;

    private static ReadOnlySpan<byte> ShareLabel => "chatpay vault v1 released"u8;

    public static UnlockKey Derive(VaultContext context, ReadOnlySpan<byte> output)
    {
        using var scratch = new ScratchBuffer(
            stackalloc byte[ScratchBuffer.StackBytes], Label.Length + context.Digest.Length + output.Length);
        var script = new ByteScript(scratch.Span);
        script.Add(Label);
        script.Add(context.Digest);
        script.Add(output);
        var key = new UnlockKey();
        SHA512.HashData(script.Written, key._bytes.Span);
        return key;
    }

    /// <summary>HMAC-SHA-256 of label ‖ context digest (32) ‖ realm (16) ‖ index (1).</summary>
    public void Tag(VaultContext context, RealmId realm, int index, Span<byte> tag)
    {
        Span<byte> room = stackalloc byte[TagLabel.Length + context.Digest.Length + IdBytes + 1];
        var script = new ByteScript(room);
        script.Add(TagLabel);
        script.Add(context.Digest);
        script.Add(realm.Value);
        script.Add(checked((byte)index));
        HMACSHA256.HashData(Key, script.Written, tag);
    }

    /// <summary>
    /// HMAC-SHA-256 of label ‖ context digest (32) ‖ realm (16) ‖ index (1) ‖ root share (32) ‖ encrypted root (48).
    /// </summary>
    public void ShareCommitment(
        VaultContext context, RealmId realm, int index, ReadOnlySpan<byte> rootShare, ReadOnlySpan<byte> encryptedRoot,
        Span<byte> commitment)
    {
        using var scratch = new ScratchBuffer(
            stackalloc byte[ScratchBuffer.StackBytes],
            ShareLabel.Length + context.Digest.Length + IdBytes + 1 + rootShare.Length + encryptedRoot.Length);
        var script = new ByteScript(scratch.Span);
        script.Add(ShareLabel);
        script.Add(context.Digest);
        script.Add(realm.Value);
        script.Add(checked((byte)index));
        script.Add(rootShare);
        script.Add(encryptedRoot);
        HMACSHA256.HashData(Key, script.Written, commitment);
    }

    public void Dispose() => _bytes.Dispose();
}
