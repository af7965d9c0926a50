namespace ChatPay.Core.Vault;

/// <summary>
/// The realm does not do what was asked. 21 bytes: header, the number of the <see cref="VaultRejection"/> (1), guesses
/// left (2; zero where they do not matter).
/// </summary>
public sealed class RealmRefusal : VaultMessage, IVaultMessage<RealmRefusal>
{
    private static readonly VaultField s_reason = Header.Then(1);
    private static readonly VaultField s_guessesLeft = s_reason.Then(sizeof(ushort));

    public RealmRefusal(Guid requestId, VaultRejection reason, int guessesLeft = 0)
        : base(MessageType, SizeBytes, requestId)
    {
        Room(s_reason)[0] = (byte)reason;
        Write(s_guessesLeft, guessesLeft);
    }

    private RealmRefusal(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.Refusal;

    public static int SizeBytes => s_guessesLeft.End;

    public VaultRejection Reason => (VaultRejection)Read(s_reason)[0];

    public int GuessesLeft => ReadNumber(s_guessesLeft);

    public static RealmRefusal FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);

    private protected override VaultRejection Validate() =>
        !Enum.IsDefined(Reason) || Reason == VaultRejection.None ? VaultRejection.WrongMessage
        : GuessesLeft > VaultLimits.Guesses ? VaultRejection.GuessesInvalid
        : VaultRejection.None;
}
