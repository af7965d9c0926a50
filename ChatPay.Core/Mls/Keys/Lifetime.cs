namespace ChatPay.Core.Mls;


/// <summary>When a key package may be used, RFC 9420 section 7.2; both ends are seconds since 1970.</summary>
public sealed class Lifetime : ITlsStructure<Lifetime>
{
    public required ulong NotBefore { get; init; }

    public required ulong NotAfter { get; init; }

    public static Lifetime Read(ref TlsReader reader) => new()
    {
        NotBefore = reader.ReadUInt64(),
        NotAfter = reader.ReadUInt64(),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteUInt64(NotBefore);
        writer.WriteUInt64(NotAfter);
    }
}
