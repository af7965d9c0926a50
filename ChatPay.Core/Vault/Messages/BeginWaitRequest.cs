namespace ChatPay.Core.Vault;

/// <summary>
/// Begins the wait after which a registration may be overwritten or deleted without its identity key; all devices of the
/// account hear of it. Where one is under way already, asks for it. 34 bytes: header, version (16).
/// </summary>
public sealed class BeginWaitRequest : VaultMessage, IVaultMessage<BeginWaitRequest>
{
    private static readonly VaultField s_version = Header.Then(IdBytes);

    /// <param name="version">The registration that is to go.</param>
    public BeginWaitRequest(Guid requestId, RegistrationVersion version)
        : base(MessageType, SizeBytes, requestId) => Write(s_version, version.Value);

    private BeginWaitRequest(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.BeginWaitRequest;

    public static int SizeBytes => s_version.End;

    public RegistrationVersion Version => new(ReadId(s_version));

    public static BeginWaitRequest FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);

    private protected override VaultRejection Validate() =>
        Version == RegistrationVersion.None ? VaultRejection.VersionOther : VaultRejection.None;
}
