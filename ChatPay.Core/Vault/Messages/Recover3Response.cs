using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>
/// The realm's share of the wrapping secret and the wrapped root secret. 146 bytes: header, version (16), root share
/// (32), encrypted root (48), share commitment (32).
/// </summary>
public sealed class Recover3Response : VaultMessage, IVaultMessage<Recover3Response>
{
    private static readonly VaultField s_version = Header.Then(IdBytes);
    private static readonly VaultField s_rootShare = s_version.Then(Ristretto255.ScalarSize);
    private static readonly VaultField s_encryptedRoot = s_rootShare.Then(StretchedPin.EncryptedRootSize);
    private static readonly VaultField s_shareCommitment = s_encryptedRoot.Then(UnlockKey.CommitmentSize);

    internal Recover3Response(Guid requestId, RealmRecord record)
        : base(MessageType, SizeBytes, requestId)
    {
        Write(s_version, record.Version.Value);
        Write(s_rootShare, record.RootShare);
        Write(s_encryptedRoot, record.EncryptedRoot);
        Write(s_shareCommitment, record.ShareCommitment);
    }

    private Recover3Response(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.Recover3Response;

    public static int SizeBytes => s_shareCommitment.End;

    public RegistrationVersion Version => new(ReadId(s_version));

    /// <summary>A scalar, secret.</summary>
    public ReadOnlySpan<byte> RootShare => Read(s_rootShare);

    /// <summary>48 bytes.</summary>
    public ReadOnlySpan<byte> EncryptedRoot => Read(s_encryptedRoot);

    /// <summary>32 bytes.</summary>
    public ReadOnlySpan<byte> ShareCommitment => Read(s_shareCommitment);

    public static Recover3Response FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);

    private protected override VaultRejection Validate() =>
        Version == RegistrationVersion.None ? VaultRejection.VersionOther : Scalar(s_rootShare);
}
