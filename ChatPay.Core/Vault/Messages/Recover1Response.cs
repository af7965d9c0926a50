using System.Buffers.Binary;

namespace ChatPay.Core.Vault;

/// <summary>
/// What the PIN is to be hashed with, and how many guesses are left. 79 bytes: header, version (16), digest of the
/// realms (32), parameters (7), guesses left (2), attempts ever counted for this registration (4).
/// </summary>
public sealed class Recover1Response : VaultMessage, IVaultMessage<Recover1Response>
{
    private const int DigestBytes = 32;

    private static readonly VaultField s_version = Header.Then(IdBytes);
    private static readonly VaultField s_configuration = s_version.Then(DigestBytes);
    private static readonly VaultField s_parameters = s_configuration.Then(PinHashParameters.SizeBytes);
    private static readonly VaultField s_guessesLeft = s_parameters.Then(sizeof(ushort));
    private static readonly VaultField s_attemptCount = s_guessesLeft.Then(sizeof(uint));

    internal Recover1Response(Guid requestId, VaultContext context, int guessesLeft, uint attemptCount)
        : base(MessageType, SizeBytes, requestId)
    {
        Write(s_version, context.Version.Value);
        Write(s_configuration, context.ConfigurationDigest);
        context.Parameters.Write(Room(s_parameters));
        Write(s_guessesLeft, guessesLeft);
        BinaryPrimitives.WriteUInt32BigEndian(Room(s_attemptCount), attemptCount);
    }

    private Recover1Response(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.Recover1Response;

    public static int SizeBytes => s_attemptCount.End;

    public RegistrationVersion Version => new(ReadId(s_version));

    /// <summary>32 bytes.</summary>
    public ReadOnlySpan<byte> ConfigurationDigest => Read(s_configuration);

    public PinHashParameters Parameters =>
        PinHashParameters.TryRead(Read(s_parameters), out var parameters) ? parameters : default;

    public int GuessesLeft => ReadNumber(s_guessesLeft);

    /// <summary>What a statement that clears the failures is signed at.</summary>
    public uint AttemptCount => BinaryPrimitives.ReadUInt32BigEndian(Read(s_attemptCount));

    public static Recover1Response FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);

    private protected override VaultRejection Validate() =>
        Version == RegistrationVersion.None ? VaultRejection.VersionOther
        : !PinHashParameters.TryRead(Read(s_parameters), out _) ? VaultRejection.ParametersInvalid
        : GuessesLeft > VaultLimits.Guesses ? VaultRejection.GuessesInvalid
        : VaultRejection.None;
}
