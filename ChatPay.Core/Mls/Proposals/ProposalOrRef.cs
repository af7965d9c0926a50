namespace ChatPay.Core.Mls;


/// <summary>
/// How a commit names a proposal: in full, or by the reference of one that was sent before. Exactly one is present.
/// RFC 9420 section 12.4.
/// </summary>
public sealed class ProposalOrRef : ITlsStructure<ProposalOrRef>
{
    private const byte ProposalKind = 1;
    private const byte ReferenceKind = 2;

    public ProposalOrRef(Proposal proposal) => Proposal = proposal;

    public ProposalOrRef(byte[] reference) => Reference = reference;

    public Proposal? Proposal { get; }

    public byte[]? Reference { get; }

    public static ProposalOrRef Read(ref TlsReader reader) => reader.ReadByte() switch
    {
        ProposalKind => new ProposalOrRef(Proposal.Read(ref reader)),
        ReferenceKind => new ProposalOrRef(reader.ReadOpaque()),
        _ => reader.Fail<ProposalOrRef>(MlsRejection.UnknownProposalOrRefType),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteByte(Proposal is not null ? ProposalKind : ReferenceKind);
        Proposal?.Write(writer);
        if (Reference is not null)
        {
            writer.WriteOpaque(Reference);
        }
    }
}
