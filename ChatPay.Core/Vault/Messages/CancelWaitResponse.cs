namespace ChatPay.Core.Vault;

/// <summary>The wait is over, and nothing comes of it. 34 bytes: header, wait (16).</summary>
public sealed class CancelWaitResponse : VaultMessage, IVaultMessage<CancelWaitResponse>
{
    private static readonly VaultField s_wait = Header.Then(IdBytes);

    public CancelWaitResponse(Guid requestId, WaitId wait)
        : base(MessageType, SizeBytes, requestId) => Write(s_wait, wait.Value);

    private CancelWaitResponse(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.CancelWaitResponse;

    public static int SizeBytes => s_wait.End;

    public WaitId Wait => new(ReadId(s_wait));

    public static CancelWaitResponse FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);
}
