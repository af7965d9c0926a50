namespace ChatPay.Core.Vault;

/// <summary>The realm has stored the registration. 34 bytes: header, version (16).</summary>
public sealed class Register2Response : VaultMessage, IVaultMessage<Register2Response>
{
    private static readonly VaultField s_version = Header.Then(IdBytes);

    public Register2Response(Guid requestId, RegistrationVersion version)
        : base(MessageType, SizeBytes, requestId) => Write(s_version, version.Value);

    private Register2Response(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.Register2Response;

    public static int SizeBytes => s_version.End;

    public RegistrationVersion Version => new(ReadId(s_version));

    public static Register2Response FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);

    private protected override VaultRejection Validate() =>
        Version == RegistrationVersion.None ? VaultRejection.VersionOther : VaultRejection.None;
}
