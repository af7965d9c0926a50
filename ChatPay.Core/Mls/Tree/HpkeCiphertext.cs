namespace ChatPay.Core.Mls;


/// <summary>A value encrypted to one public key, RFC 9420 section 7.6.</summary>
public sealed class HpkeCiphertext : ITlsStructure<HpkeCiphertext>
{
    public required byte[] KemOutput { get; init; }

    public required byte[] Ciphertext { get; init; }

    public static HpkeCiphertext Read(ref TlsReader reader) => new()
    {
        KemOutput = reader.ReadOpaque(),
        Ciphertext = reader.ReadOpaque(),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteOpaque(KemOutput);
        writer.WriteOpaque(Ciphertext);
    }
}
