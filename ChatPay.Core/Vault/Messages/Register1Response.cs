namespace ChatPay.Core.Vault;

/// <summary>The registration that the realm has, or zeros. 34 bytes: header, version (16).</summary>
public sealed class Register1Response : VaultMessage, IVaultMessage<Register1Response>
{
    private static readonly VaultField s_version = Header.Then(IdBytes);

    public Register1Response(Guid requestId, RegistrationVersion version)
        : base(MessageType, SizeBytes, requestId) => Write(s_version, version.Value);

    private Register1Response(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.Register1Response;

    public static int SizeBytes => s_version.End;

    public RegistrationVersion Version => new(ReadId(s_version));

    public static Register1Response FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);
}
