namespace ChatPay.Core.Vault;

/// <summary>Asks a realm what the account's PIN is to be hashed with. 18 bytes: the header.</summary>
public sealed class Recover1Request : VaultMessage, IVaultMessage<Recover1Request>
{
    public Recover1Request(Guid requestId)
        : base(MessageType, SizeBytes, requestId)
    {
    }

    private Recover1Request(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.Recover1Request;

    public static int SizeBytes => Header.End;

    public static Recover1Request FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);
}
