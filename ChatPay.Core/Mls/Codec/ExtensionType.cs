namespace ChatPay.Core.Mls;


/// <summary>RFC 9420 section 17.3.</summary>
public static class ExtensionType
{
    public const ushort ApplicationId = 1;
    public const ushort RatchetTree = 2;
    public const ushort RequiredCapabilities = 3;
    public const ushort ExternalPub = 4;
    public const ushort ExternalSenders = 5;

    /// <summary>Marks a last-resort key package, draft-ietf-mls-extensions.</summary>
    public const ushort LastResort = 10;

    /// <summary>Whether every client has this one without listing it in its capabilities, section 7.2.</summary>
    public static bool IsDefault(ushort type) => type is >= ApplicationId and <= ExternalSenders;
}
