namespace ChatPay.Core.Vault;

/// <summary>The realm has forgotten the registration. 34 bytes: header, version (16).</summary>
public sealed class DeleteResponse : VaultMessage, IVaultMessage<DeleteResponse>
{
    private static readonly VaultField s_version = Header.Then(IdBytes);

    public DeleteResponse(Guid requestId, RegistrationVersion version)
        : base(MessageType, SizeBytes, requestId) => Write(s_version, version.Value);

    private DeleteResponse(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.DeleteResponse;

    public static int SizeBytes => s_version.End;

    public RegistrationVersion Version => new(ReadId(s_version));

    public static DeleteResponse FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);

    private protected override VaultRejection Validate() =>
        Version == RegistrationVersion.None ? VaultRejection.VersionOther : VaultRejection.None;
}
