namespace ChatPay.Core.Mls;


/// <summary><c>opaque value&lt;V&gt;</c> where it is an item of a vector.</summary>
public readonly struct OpaqueValue(byte[] bytes) : ITlsStructure<OpaqueValue>
{
    public byte[] Bytes { get; } = bytes;

    public static OpaqueValue Read(ref TlsReader reader) => new(reader.ReadOpaque());

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteOpaque(Bytes);
    }
}
