namespace ChatPay.Core.Vault;

/// <summary>The realm counts the guesses anew. 34 bytes: header, version (16).</summary>
public sealed class ClearFailuresResponse : VaultMessage, IVaultMessage<ClearFailuresResponse>
{
    private static readonly VaultField s_version = Header.Then(IdBytes);

    public ClearFailuresResponse(Guid requestId, RegistrationVersion version)
        : base(MessageType, SizeBytes, requestId) => Write(s_version, version.Value);

    private ClearFailuresResponse(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.ClearFailuresResponse;

    public static int SizeBytes => s_version.End;

    public RegistrationVersion Version => new(ReadId(s_version));

    public static ClearFailuresResponse FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);

    private protected override VaultRejection Validate() =>
        Version == RegistrationVersion.None ? VaultRejection.VersionOther : VaultRejection.None;
}
