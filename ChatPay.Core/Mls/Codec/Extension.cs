namespace ChatPay.Core.Mls;


/// <summary>An extension, RFC 9420 section 13; its data stays bytes until somebody asks for what is inside.</summary>
public sealed class Extension : ITlsStructure<Extension>
{
    /// <summary>An <see cref="ExtensionType"/>, or a number unknown here.</summary>
    public required ushort Type { get; init; }

    public required byte[] Data { get; init; }

    public static Extension Read(ref TlsReader reader) => new()
    {
        Type = reader.ReadUInt16(),
        Data = reader.ReadOpaque(),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteUInt16(Type);
        writer.WriteOpaque(Data);
    }
}
