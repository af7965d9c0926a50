namespace ChatPay.Core.Mls;


/// <summary>What a client understands, RFC 9420 section 7.2; values unknown here (GREASE too) are kept.</summary>
public sealed class Capabilities : ITlsStructure<Capabilities>
{
    public required ushort[] Versions { get; init; }

    public required ushort[] CipherSuites { get; init; }

    public required ushort[] Extensions { get; init; }

    public required ushort[] Proposals { get; init; }

    public required ushort[] Credentials { get; init; }

    public static Capabilities Read(ref TlsReader reader) => new()
    {
        Versions = reader.ReadUInt16Vector(),
        CipherSuites = reader.ReadUInt16Vector(),
        Extensions = reader.ReadUInt16Vector(),
        Proposals = reader.ReadUInt16Vector(),
        Credentials = reader.ReadUInt16Vector(),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteUInt16Vector(Versions);
        writer.WriteUInt16Vector(CipherSuites);
        writer.WriteUInt16Vector(Extensions);
        writer.WriteUInt16Vector(Proposals);
        writer.WriteUInt16Vector(Credentials);
    }
}
