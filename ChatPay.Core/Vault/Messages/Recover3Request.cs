namespace ChatPay.Core.Vault;

/// <summary>
/// Shows the tag that only the right PIN gives, to have this realm's share released. 82 bytes: header, version (16),
/// attempt (16), unlock tag (32).
/// </summary>
public sealed class Recover3Request : VaultMessage, IVaultMessage<Recover3Request>
{
    private static readonly VaultField s_version = Header.Then(IdBytes);
    private static readonly VaultField s_attempt = s_version.Then(IdBytes);
    private static readonly VaultField s_unlockTag = s_attempt.Then(UnlockKey.TagSize);

    internal Recover3Request(Guid requestId, RegistrationVersion version, AttemptId attempt)
        : base(MessageType, SizeBytes, requestId)
    {
        Write(s_version, version.Value);
        Write(s_attempt, attempt.Value);
    }

    private Recover3Request(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.Recover3Request;

    public static int SizeBytes => s_unlockTag.End;

    public RegistrationVersion Version => new(ReadId(s_version));

    /// <summary>The guess that is refunded if the tag is right.</summary>
    public AttemptId Attempt => new(ReadId(s_attempt));

    /// <summary>32 bytes, secret.</summary>
    public ReadOnlySpan<byte> UnlockTag => Read(s_unlockTag);

    internal Span<byte> UnlockTagRoom => Room(s_unlockTag);

    public static Recover3Request FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);

    private protected override VaultRejection Validate() =>
        Version == RegistrationVersion.None ? VaultRejection.VersionOther : VaultRejection.None;
}
