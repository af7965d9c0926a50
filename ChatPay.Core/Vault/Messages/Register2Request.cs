using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Vault;

/// <summary>
/// Everything that one realm keeps of a registration, in place of what it had. 524 bytes: header, replaced version (16;
/// zeros for none), account (16), version (16), digest of the realms (32), parameters (7), realm (16), index (1),
/// verifying key (32), certificate (64), key share (32), unlock commitment (32), unlock tag (32), root share (32),
/// encrypted root (48), share commitment (32), most guesses (2), account identity key (32), signature (64).
/// </summary>
public sealed class Register2Request : VaultMessage, IVaultMessage<Register2Request>
{
    private const int DigestBytes = 32;

    private static readonly VaultField s_replaces = Header.Then(IdBytes);
    private static readonly VaultField s_user = s_replaces.Then(IdBytes);
    private static readonly VaultField s_version = s_user.Then(IdBytes);
    private static readonly VaultField s_configuration = s_version.Then(DigestBytes);
    private static readonly VaultField s_parameters = s_configuration.Then(PinHashParameters.SizeBytes);
    private static readonly VaultField s_realm = s_parameters.Then(IdBytes);
    private static readonly VaultField s_index = s_realm.Then(1);
    private static readonly VaultField s_verifyingKey = s_index.Then(ShareCertificate.VerifyingKeySize);
    private static readonly VaultField s_certificate = s_verifyingKey.Then(ShareCertificate.SignatureSize);
    private static readonly VaultField s_keyShare = s_certificate.Then(Ristretto255.ScalarSize);
    private static readonly VaultField s_unlockCommitment = s_keyShare.Then(ShareCertificate.CommitmentSize);
    private static readonly VaultField s_unlockTag = s_unlockCommitment.Then(UnlockKey.TagSize);
    private static readonly VaultField s_rootShare = s_unlockTag.Then(Ristretto255.ScalarSize);
    private static readonly VaultField s_encryptedRoot = s_rootShare.Then(StretchedPin.EncryptedRootSize);
    private static readonly VaultField s_shareCommitment = s_encryptedRoot.Then(UnlockKey.CommitmentSize);
    private static readonly VaultField s_maxGuesses = s_shareCommitment.Then(sizeof(ushort));
    private static readonly VaultField s_identityKey = s_maxGuesses.Then(IdentityStatement.KeySize);
    private static readonly VaultField s_signature = s_identityKey.Then(IdentityStatement.SignatureSize);

    internal Register2Request(
        Guid requestId, VaultContext context, RegistrationVersion replaces, RealmId realm, int index)
        : base(MessageType, SizeBytes, requestId)
    {
        Write(s_replaces, replaces.Value);
        Write(s_user, context.User.Value);
        Write(s_version, context.Version.Value);
        Write(s_configuration, context.ConfigurationDigest);
        context.Parameters.Write(Room(s_parameters));
        Write(s_realm, realm.Value);
        Room(s_index)[0] = checked((byte)index);
    }

    private Register2Request(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.Register2Request;

    public static int SizeBytes => s_signature.End;

    /// <summary>The registration that the realm must have, or none.</summary>
    public RegistrationVersion Replaces => new(ReadId(s_replaces));

    public AccountId User => new(ReadId(s_user));

    public RegistrationVersion Version => new(ReadId(s_version));

    public RealmId Realm => new(ReadId(s_realm));

    public int Index => Read(s_index)[0];

    public int MaxGuesses
    {
        get => ReadNumber(s_maxGuesses);
        internal set => Write(s_maxGuesses, value);
    }

    /// <summary>Ed25519, 32 bytes.</summary>
    public ReadOnlySpan<byte> VerifyingKey => Read(s_verifyingKey);

    /// <summary>64 bytes.</summary>
    public ReadOnlySpan<byte> Certificate => Read(s_certificate);

    /// <summary>A scalar, secret.</summary>
    public ReadOnlySpan<byte> KeyShare => Read(s_keyShare);

    /// <summary>32 bytes.</summary>
    public ReadOnlySpan<byte> UnlockCommitment => Read(s_unlockCommitment);

    /// <summary>The account identity key that may overwrite and delete this: Ed25519, 32 bytes.</summary>
    public ReadOnlySpan<byte> IdentityKey => Read(s_identityKey);

    /// <summary>Over everything before it, 64 bytes: <see cref="IdentityStatement"/>.</summary>
    public ReadOnlySpan<byte> Signature => Read(s_signature);

    internal ReadOnlySpan<byte> ConfigurationDigest => Read(s_configuration);

    internal ReadOnlySpan<byte> ParameterBytes => Read(s_parameters);

    internal ReadOnlySpan<byte> UnlockTag => Read(s_unlockTag);

    internal ReadOnlySpan<byte> RootShare => Read(s_rootShare);

    internal ReadOnlySpan<byte> EncryptedRoot => Read(s_encryptedRoot);

    internal ReadOnlySpan<byte> ShareCommitment => Read(s_shareCommitment);

    internal Span<byte> CertificateRoom => Room(s_certificate);

    internal Span<byte> UnlockTagRoom => Room(s_unlockTag);

    internal Span<byte> ShareCommitmentRoom => Room(s_shareCommitment);

    public static Register2Request FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);

    internal VaultContext Context() => new(
        User, Version, ConfigurationDigest,
        PinHashParameters.TryRead(ParameterBytes, out var parameters) ? parameters : default);

    internal void WriteShares(
        ReadOnlySpan<byte> keyShare, ReadOnlySpan<byte> rootShare, ReadOnlySpan<byte> encryptedRoot)
    {
        Write(s_keyShare, keyShare);
        Write(s_rootShare, rootShare);
        Write(s_encryptedRoot, encryptedRoot);
    }

    internal void WriteKeys(
        ReadOnlySpan<byte> verifyingKey, ReadOnlySpan<byte> unlockCommitment, ReadOnlySpan<byte> identityKey)
    {
        Write(s_verifyingKey, verifyingKey);
        Write(s_unlockCommitment, unlockCommitment);
        Write(s_identityKey, identityKey);
    }

    internal void Sign(Key identityKey) => IdentityStatement.Sign(
        identityKey, User, Realm, Encoding[..s_signature.Offset], Room(s_signature));

    internal bool IsSignedBy(ReadOnlySpan<byte> identityKey) => IdentityStatement.Verify(
        identityKey, User, Realm, Encoding[..s_signature.Offset], Signature);

    private protected override VaultRejection Validate() => First(
        Version == RegistrationVersion.None ? VaultRejection.VersionOther : VaultRejection.None,
        PinHashParameters.TryRead(ParameterBytes, out _) ? VaultRejection.None : VaultRejection.ParametersInvalid,
        Index is 0 or > VaultLimits.Realms ? VaultRejection.IndexInvalid : VaultRejection.None,
        MaxGuesses is 0 or > VaultLimits.Guesses ? VaultRejection.GuessesInvalid : VaultRejection.None,
        IdentityStatement.IsKey(IdentityKey) ? VaultRejection.None : VaultRejection.KeyInvalid,
        Scalar(s_keyShare),
        Scalar(s_rootShare));
}
