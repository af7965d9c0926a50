using System.Buffers.Binary;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Vault;

/// <summary>
/// Has a realm give back the guesses that failed, because the person is in. 102 bytes: header, version (16), attempts
/// ever counted (4), signature (64).
/// </summary>
/// <remarks>
/// The statement holds at one count of attempts only: an old one that somebody kept would otherwise be ten more guesses
/// each time.
/// </remarks>
public sealed class ClearFailuresRequest : VaultMessage, IVaultMessage<ClearFailuresRequest>
{
    private static readonly VaultField s_version = Header.Then(IdBytes);
    private static readonly VaultField s_attemptCount = s_version.Then(sizeof(uint));
    private static readonly VaultField s_signature = s_attemptCount.Then(IdentityStatement.SignatureSize);

    /// <param name="attemptCount">As the realm said last: <see cref="Recover1Response.AttemptCount"/>.</param>
    /// <param name="identityKey">The account identity key in force: Ed25519.</param>
    public ClearFailuresRequest(
        Guid requestId, AccountId user, RealmId realm, RegistrationVersion version, uint attemptCount, Key identityKey)
        : base(MessageType, SizeBytes, requestId)
    {
        Write(s_version, version.Value);
        BinaryPrimitives.WriteUInt32BigEndian(Room(s_attemptCount), attemptCount);
        IdentityStatement.Sign(identityKey, user, realm, Encoding[..s_signature.Offset], Room(s_signature));
    }

    private ClearFailuresRequest(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.ClearFailuresRequest;

    public static int SizeBytes => s_signature.End;

    public RegistrationVersion Version => new(ReadId(s_version));

    public uint AttemptCount => BinaryPrimitives.ReadUInt32BigEndian(Read(s_attemptCount));

    public static ClearFailuresRequest FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);

    internal bool IsSignedFor(RealmRecord record, ReadOnlySpan<byte> identityKey) => IdentityStatement.Verify(
        identityKey, record.User, record.Realm, Encoding[..s_signature.Offset], Read(s_signature));

    private protected override VaultRejection Validate() =>
        Version == RegistrationVersion.None ? VaultRejection.VersionOther : VaultRejection.None;
}
