using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>
/// Takes a guess: has the blinded PIN evaluated. 66 bytes: header, version (16), blinded element (32).
/// </summary>
public sealed class Recover2Request : VaultMessage, IVaultMessage<Recover2Request>
{
    private static readonly VaultField s_version = Header.Then(IdBytes);
    private static readonly VaultField s_blindedElement = s_version.Then(Ristretto255.ElementSize);

    internal Recover2Request(Guid requestId, RegistrationVersion version, ReadOnlySpan<byte> blindedElement)
        : base(MessageType, SizeBytes, requestId)
    {
        Write(s_version, version.Value);
        Write(s_blindedElement, blindedElement);
    }

    private Recover2Request(ReadOnlySpan<byte> encoding)
        : base(encoding)
    {
    }

    public static VaultMessageType MessageType => VaultMessageType.Recover2Request;

    public static int SizeBytes => s_blindedElement.End;

    public RegistrationVersion Version => new(ReadId(s_version));

    /// <summary>32 bytes.</summary>
    public ReadOnlySpan<byte> BlindedElement => Read(s_blindedElement);

    public static Recover2Request FromEncoding(ReadOnlySpan<byte> encoding) => new(encoding);

    private protected override VaultRejection Validate() =>
        Version == RegistrationVersion.None ? VaultRejection.VersionOther : Element(s_blindedElement);
}
