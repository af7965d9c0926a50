namespace ChatPay.Core.Mls;


/// <summary>Which pre-shared key is meant, RFC 9420 section 8.4.</summary>
public abstract class PreSharedKeyId : ITlsStructure<PreSharedKeyId>
{
    private const byte ExternalType = 1;
    private const byte ResumptionType = 2;

    private protected PreSharedKeyId()
    {
    }

    public required byte[] Nonce { get; init; }

    public static PreSharedKeyId Read(ref TlsReader reader) => reader.ReadByte() switch
    {
        ExternalType => new ExternalPskId { Id = reader.ReadOpaque(), Nonce = reader.ReadOpaque() },
        ResumptionType => new ResumptionPskId
        {
            Usage = (ResumptionPskUsage)reader.ReadByte(),
            GroupId = reader.ReadOpaque(),
            Epoch = reader.ReadUInt64(),
            Nonce = reader.ReadOpaque(),
        },
        _ => reader.Fail<PreSharedKeyId>(MlsRejection.UnknownPskType),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteByte(this is ExternalPskId ? ExternalType : ResumptionType);
        WriteBody(writer);
        writer.WriteOpaque(Nonce);
    }

    private protected abstract void WriteBody(TlsWriter writer);
}

/// <summary>A key that came from outside MLS.</summary>
public sealed class ExternalPskId : PreSharedKeyId
{
    public required byte[] Id { get; init; }

    private protected override void WriteBody(TlsWriter writer) => writer.WriteOpaque(Id);
}

/// <summary>A key out of an epoch of this or another group.</summary>
public sealed class ResumptionPskId : PreSharedKeyId
{
    public required ResumptionPskUsage Usage { get; init; }

    public required byte[] GroupId { get; init; }

    public required ulong Epoch { get; init; }

    private protected override void WriteBody(TlsWriter writer)
    {
        writer.WriteByte((byte)Usage);
        writer.WriteOpaque(GroupId);
        writer.WriteUInt64(Epoch);
    }
}

/// <summary>What a resumption key is used for; other numbers are kept and refused where they would be used.</summary>
public enum ResumptionPskUsage
{
    Application = 1,
    Reinit = 2,
    Branch = 3,
}
