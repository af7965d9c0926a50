namespace ChatPay.Core.Mls;


/// <summary>Applies proposals and begins a new epoch, RFC 9420 section 12.4.</summary>
public sealed class Commit : ITlsStructure<Commit>
{
    public required IReadOnlyList<ProposalOrRef> Proposals { get; init; }

    public UpdatePath? Path { get; init; }

    public static Commit Read(ref TlsReader reader) => new()
    {
        Proposals = reader.ReadVector<ProposalOrRef>(),
        Path = reader.ReadOptional<UpdatePath>(),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteVector(Proposals);
        writer.WriteOptional(Path);
    }
}
