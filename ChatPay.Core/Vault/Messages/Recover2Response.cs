using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>
/// The realm's part of the evaluation, with what proves it. 325 bytes: header, version (16), attempt (16), guesses left
/// (2), realm (16), index (1), verifying key (32), public key share (32), certificate (64), unlock commitment (32),
/// evaluated element (32), proof (64).
/// </summary>
public sealed class Recover2Response : VaultMessage, IVaultMessage<Recover2Response>
{
    private static readonly VaultField s_version = Header.Then(IdBytes);
    private static readonly VaultField s_attempt = s_version.Then(IdBytes);
    private static readonly VaultField s_guessesLeft = s_attempt.Then(sizeof(ushort));
    private static readonly VaultField s_realm = s_guessesLeft.Then(IdBytes);
    private static readonly VaultField s_index = s_realm.Then(1);
    private static readonly VaultField s_verifyingKey = s_index.Then(ShareCertificate.VerifyingKeySize);
    private static readonly VaultField s_publicShare = s_verifyingKey.Then(Ristretto255.ElementSize);
    private static readonly VaultField s_certificate = s_publicShare.Then(ShareCertificate.SignatureSize);
    private static readonly VaultField s_unlockCommitment = s_certificate.Then(ShareCertificate.CommitmentSize);
    private static readonly VaultField s_evaluatedElement = s_unlockCommitment.Then(Ristretto255.ElementSize);
    private static readonly VaultField s_proof = s_evaluatedElement.Then(Oprf.ProofSize);

    internal Recover2Response(
        Guid requestId, RealmRecord record, AttemptId attempt, int guessesLeft, ReadOnlySpan<byte> evaluatedElement,
        ReadOnlySpan<byte> proof)
        : base(MessageType, SizeBytes, requestId)
    {
        Write(s_version, record.Version.Value);
        Write(s_attempt, attempt.Value);
        Write(s_guessesLeft, guessesLeft);
        Write(s_realm, record.Realm.Value);
        Room(s_index)[0] = (byte)record.Index;
        Write(s_verifyingKey, record.VerifyingKey);
        Write(s_publicShare, record.PublicShare);
        Write(s_certificate, record.Certificate);
        Write(s_unlockCommitment, record.UnlockCommitment);
        Write(s_evaluatedElement, evaluatedElement);
        Write(s_proof, proof);
    }

    private Recover2Response(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.Recover2Response;

    public static int SizeBytes => s_proof.End;

    public RegistrationVersion Version => new(ReadId(s_version));

    public AttemptId Attempt => new(ReadId(s_attempt));

    public int GuessesLeft => ReadNumber(s_guessesLeft);

    public RealmId Realm => new(ReadId(s_realm));

    public int Index => Read(s_index)[0];

    /// <summary>Ed25519, 32 bytes: the key whose only use was to sign the shares of this registration.</summary>
    public ReadOnlySpan<byte> VerifyingKey => Read(s_verifyingKey);

    /// <summary>The element that the realm's key share multiplies the generator to, 32 bytes.</summary>
    public ReadOnlySpan<byte> PublicShare => Read(s_publicShare);

    /// <summary>64 bytes.</summary>
    public ReadOnlySpan<byte> Certificate => Read(s_certificate);

    /// <summary>32 bytes.</summary>
    public ReadOnlySpan<byte> UnlockCommitment => Read(s_unlockCommitment);

    /// <summary>32 bytes.</summary>
    public ReadOnlySpan<byte> EvaluatedElement => Read(s_evaluatedElement);

    /// <summary>64 bytes.</summary>
    public ReadOnlySpan<byte> Proof => Read(s_proof);

    public static Recover2Response FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);

    private protected override VaultRejection Validate() => First(
        Version == RegistrationVersion.None ? VaultRejection.VersionOther : VaultRejection.None,
        GuessesLeft > VaultLimits.Guesses ? VaultRejection.GuessesInvalid : VaultRejection.None,
        Index is 0 or > VaultLimits.Realms ? VaultRejection.IndexInvalid : VaultRejection.None,
        Element(s_publicShare),
        Element(s_evaluatedElement));
}
