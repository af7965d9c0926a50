using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Vault;

/// <summary>Has a realm forget a registration. 98 bytes: header, version (16), signature (64).</summary>
public sealed class DeleteRequest : VaultMessage, IVaultMessage<DeleteRequest>
{
    private static readonly VaultField s_version = Header.Then(IdBytes);
    private static readonly VaultField s_signature = s_version.Then(IdentityStatement.SignatureSize);

    /// <param name="identityKey">The account identity key that the record names: Ed25519.</param>
    public DeleteRequest(Guid requestId, AccountId user, RealmId realm, RegistrationVersion version, Key identityKey)
        : base(MessageType, SizeBytes, requestId)
    {
        Write(s_version, version.Value);
        IdentityStatement.Sign(identityKey, user, realm, Encoding[..s_signature.Offset], Room(s_signature));
    }

    /// <summary>Unsigned, for when the wait has passed: zeros in the signature's place.</summary>
    public DeleteRequest(Guid requestId, RegistrationVersion version)
        : base(MessageType, SizeBytes, requestId) => Write(s_version, version.Value);

    private DeleteRequest(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.DeleteRequest;

    public static int SizeBytes => s_signature.End;

    public RegistrationVersion Version => new(ReadId(s_version));

    public static DeleteRequest FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);

    internal bool IsSignedFor(RealmRecord record, ReadOnlySpan<byte> identityKey) => IdentityStatement.Verify(
        identityKey, record.User, record.Realm, Encoding[..s_signature.Offset], Read(s_signature));

    private protected override VaultRejection Validate() =>
        Version == RegistrationVersion.None ? VaultRejection.VersionOther : VaultRejection.None;
}
