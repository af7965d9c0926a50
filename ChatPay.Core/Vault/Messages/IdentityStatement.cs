using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Vault;

/// <summary>
/// What the account identity key signs to change a record: "chatpay vault v1 statement" ‖ account (16) ‖ realm (16) ‖
/// the message up to its signature, which begins with version and type. Ed25519.
/// </summary>
internal static class IdentityStatement
{
    public const int KeySize = 32;
    public const int SignatureSize = 64;

    private const int IdBytes = 16;

    private static ReadOnlySpan<byte> Label => "chatpay vault v1 statement"u8;

    public static bool IsKey(ReadOnlySpan<byte> key)
    {
        Sodium.Initialize();
        return SignatureAlgorithm.Ed25519.IsPublicKey(key);
    }

    public static void Sign(
        Key identityKey, AccountId user, RealmId realm, ReadOnlySpan<byte> message, Span<byte> signature)
    {
        using var scratch = new ScratchBuffer(
            stackalloc byte[ScratchBuffer.StackBytes], Label.Length + (2 * IdBytes) + message.Length);
        Write(user, realm, message, scratch.Span);
        SignatureAlgorithm.Ed25519.Sign(identityKey, scratch.Span, signature);
    }

    public static bool Verify(
        ReadOnlySpan<byte> identityKey, AccountId user, RealmId realm, ReadOnlySpan<byte> message,
        ReadOnlySpan<byte> signature)
    {
        using var scratch = new ScratchBuffer(
            stackalloc byte[ScratchBuffer.StackBytes], Label.Length + (2 * IdBytes) + message.Length);
        Write(user, realm, message, scratch.Span);
        return SignatureAlgorithm.Ed25519.Verify(identityKey, scratch.Span, signature);
    }

    private static void Write(AccountId user, RealmId realm, ReadOnlySpan<byte> message, Span<byte> statement)
    {
        var script = new ByteScript(statement);
        script.Add(Label);
        script.Add(user.Value);
        script.Add(realm.Value);
        script.Add(message);
    }
}
