namespace ChatPay.Core.Mls;


/// <summary>
/// The outermost structure of everything MLS sends, RFC 9420 section 6. Exactly one of the bodies is present: the one
/// that <see cref="WireFormat"/> names.
/// </summary>
public sealed class MlsMessage : ITlsStructure<MlsMessage>
{
    public MlsMessage(PublicMessage message) => (WireFormat, PublicMessage) = (WireFormat.PublicMessage, message);

    public MlsMessage(PrivateMessage message) => (WireFormat, PrivateMessage) = (WireFormat.PrivateMessage, message);

    public MlsMessage(Welcome message) => (WireFormat, Welcome) = (WireFormat.Welcome, message);

    public MlsMessage(GroupInfo message) => (WireFormat, GroupInfo) = (WireFormat.GroupInfo, message);

    public MlsMessage(KeyPackage message) => (WireFormat, KeyPackage) = (WireFormat.KeyPackage, message);

    public WireFormat WireFormat { get; }

    public PublicMessage? PublicMessage { get; }

    public PrivateMessage? PrivateMessage { get; }

    public Welcome? Welcome { get; }

    public GroupInfo? GroupInfo { get; }

    public KeyPackage? KeyPackage { get; }

    public static MlsMessage Read(ref TlsReader reader) => ReadWireFormat(ref reader) switch
    {
        WireFormat.PublicMessage => new MlsMessage(PublicMessage.Read(ref reader)),
        WireFormat.PrivateMessage => new MlsMessage(PrivateMessage.Read(ref reader)),
        WireFormat.Welcome => new MlsMessage(Welcome.Read(ref reader)),
        WireFormat.GroupInfo => new MlsMessage(GroupInfo.Read(ref reader)),
        WireFormat.KeyPackage => new MlsMessage(KeyPackage.Read(ref reader)),
        _ => reader.Fail<MlsMessage>(MlsRejection.UnknownWireFormat),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteUInt16(ProtocolVersion.Mls10);
        writer.WriteUInt16((ushort)WireFormat);
        PublicMessage?.Write(writer);
        PrivateMessage?.Write(writer);
        Welcome?.Write(writer);
        GroupInfo?.Write(writer);
        KeyPackage?.Write(writer);
    }

    /// <summary>Reads version and wire format; another version than mls10 fails the reader.</summary>
    internal static WireFormat ReadWireFormat(ref TlsReader reader)
    {
        if (reader.ReadUInt16() != ProtocolVersion.Mls10)
        {
            reader.Fail(MlsRejection.UnknownVersion);
        }

        return (WireFormat)reader.ReadUInt16();
    }
}
