using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Vault;

/// <summary>
/// Ends a wait before anything came of it. 114 bytes: header, version (16), wait (16), signature (64) of the account
/// identity key.
/// </summary>
/// <remarks>The statement names the wait: one that somebody kept ends no later wait.</remarks>
public sealed class CancelWaitRequest : VaultMessage, IVaultMessage<CancelWaitRequest>
{
    private static readonly VaultField s_version = Header.Then(IdBytes);
    private static readonly VaultField s_wait = s_version.Then(IdBytes);
    private static readonly VaultField s_signature = s_wait.Then(IdentityStatement.SignatureSize);

    /// <param name="identityKey">The one that the record names, or the one in force by the key log: Ed25519.</param>
    public CancelWaitRequest(
        Guid requestId, AccountId user, RealmId realm, RegistrationVersion version, WaitId wait, Key identityKey)
        : base(MessageType, SizeBytes, requestId)
    {
        Write(s_version, version.Value);
        Write(s_wait, wait.Value);
        IdentityStatement.Sign(identityKey, user, realm, Encoding[..s_signature.Offset], Room(s_signature));
    }

    private CancelWaitRequest(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.CancelWaitRequest;

    public static int SizeBytes => s_signature.End;

    public RegistrationVersion Version => new(ReadId(s_version));

    public WaitId Wait => new(ReadId(s_wait));

    public static CancelWaitRequest FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);

    internal bool IsSignedFor(RealmRecord record, ReadOnlySpan<byte> identityKey) => IdentityStatement.Verify(
        identityKey, record.User, record.Realm, Encoding[..s_signature.Offset], Read(s_signature));

    private protected override VaultRejection Validate() =>
        Version == RegistrationVersion.None ? VaultRejection.VersionOther : VaultRejection.None;
}
