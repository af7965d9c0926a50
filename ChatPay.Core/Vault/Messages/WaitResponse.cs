using System.Buffers.Binary;

namespace ChatPay.Core.Vault;

/// <summary>
/// A wait is under way: the answer to whoever begins one, and to a registration or deletion that only the wait's end will
/// allow. 54 bytes: header, version (16), wait (16), seconds left (4; zero once it has passed).
/// </summary>
public sealed class WaitResponse : VaultMessage, IVaultMessage<WaitResponse>
{
    private static readonly VaultField s_version = Header.Then(IdBytes);
    private static readonly VaultField s_wait = s_version.Then(IdBytes);
    private static readonly VaultField s_secondsLeft = s_wait.Then(sizeof(uint));

    public WaitResponse(Guid requestId, RegistrationVersion version, RealmWait wait)
        : base(MessageType, SizeBytes, requestId)
    {
        Write(s_version, version.Value);
        Write(s_wait, wait.Id.Value);
        BinaryPrimitives.WriteUInt32BigEndian(Room(s_secondsLeft), wait.SecondsLeft);
    }

    private WaitResponse(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.WaitResponse;

    public static int SizeBytes => s_secondsLeft.End;

    public RegistrationVersion Version => new(ReadId(s_version));

    public RealmWait Wait => new(
        new WaitId(ReadId(s_wait)), BinaryPrimitives.ReadUInt32BigEndian(Read(s_secondsLeft)));

    public static WaitResponse FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);

    private protected override VaultRejection Validate() =>
        Version == RegistrationVersion.None ? VaultRejection.VersionOther
        : Wait.Id == default ? VaultRejection.WaitUnknown
        : VaultRejection.None;
}
