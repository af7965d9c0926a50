namespace ChatPay.Core.Vault;

/// <summary>Asks a realm whether it is there and which registration it has. 18 bytes: the header.</summary>
public sealed class Register1Request : VaultMessage, IVaultMessage<Register1Request>
{
    public Register1Request(Guid requestId)
        : base(MessageType, SizeBytes, requestId)
    {
    }

    private Register1Request(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.Register1Request;

    public static int SizeBytes => Header.End;

    public static Register1Request FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);
}
