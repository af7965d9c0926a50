namespace ChatPay.Core.Mls;

/// <summary>What every member of a group must understand, RFC 9420 section 11.1.</summary>
public sealed class RequiredCapabilities : ITlsStructure<RequiredCapabilities>
{
    public ushort[] Extensions { get; init; } = [];

    public ushort[] Proposals { get; init; } = [];

    public ushort[] Credentials { get; init; } = [];

    public static RequiredCapabilities Read(ref TlsReader reader) => new()
    {
        Extensions = reader.ReadUInt16Vector(),
        Proposals = reader.ReadUInt16Vector(),
        Credentials = reader.ReadUInt16Vector(),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteUInt16Vector(Extensions);
        writer.WriteUInt16Vector(Proposals);
        writer.WriteUInt16Vector(Credentials);
    }

    /// <summary>As it stands in a group's extensions.</summary>
    public Extension ToExtension() =>
        new() { Type = ExtensionType.RequiredCapabilities, Data = TlsCodec.Encode(this) };
}
