namespace ChatPay.Core.Mls;


/// <summary>A change to the group, to be applied by a commit; RFC 9420 section 12.1.</summary>
public abstract class Proposal : ITlsStructure<Proposal>
{
    private protected Proposal()
    {
    }

    public abstract ProposalType Type { get; }

    public static Proposal Read(ref TlsReader reader) => (ProposalType)reader.ReadUInt16() switch
    {
        ProposalType.Add => new AddProposal { KeyPackage = KeyPackage.Read(ref reader) },
        ProposalType.Update => new UpdateProposal { LeafNode = LeafNode.Read(ref reader) },
        ProposalType.Remove => new RemoveProposal { Removed = reader.ReadUInt32() },
        ProposalType.PreSharedKey => new PreSharedKeyProposal { Psk = PreSharedKeyId.Read(ref reader) },
        ProposalType.ReInit => new ReInitProposal
        {
            GroupId = reader.ReadOpaque(),
            Version = reader.ReadUInt16(),
            CipherSuite = reader.ReadUInt16(),
            Extensions = reader.ReadVector<Extension>(),
        },
        ProposalType.ExternalInit => new ExternalInitProposal { KemOutput = reader.ReadOpaque() },
        ProposalType.GroupContextExtensions =>
            new GroupContextExtensionsProposal { Extensions = reader.ReadVector<Extension>() },
        _ => reader.Fail<Proposal>(MlsRejection.UnknownProposalType),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteUInt16((ushort)Type);
        WriteBody(writer);
    }

    /// <summary>The struct of the proposal's own section, without the type before it.</summary>
    internal abstract void WriteBody(TlsWriter writer);
}

/// <summary>Section 12.1.1.</summary>
public sealed class AddProposal : Proposal
{
    public required KeyPackage KeyPackage { get; init; }

    public override ProposalType Type => ProposalType.Add;

    internal override void WriteBody(TlsWriter writer) => KeyPackage.Write(writer);
}

/// <summary>Section 12.1.2.</summary>
public sealed class UpdateProposal : Proposal
{
    public required LeafNode LeafNode { get; init; }

    public override ProposalType Type => ProposalType.Update;

    internal override void WriteBody(TlsWriter writer) => LeafNode.Write(writer);
}

/// <summary>Section 12.1.3.</summary>
public sealed class RemoveProposal : Proposal
{
    /// <summary>Leaf index.</summary>
    public required uint Removed { get; init; }

    public override ProposalType Type => ProposalType.Remove;

    internal override void WriteBody(TlsWriter writer) => writer.WriteUInt32(Removed);
}

/// <summary>Section 12.1.4.</summary>
public sealed class PreSharedKeyProposal : Proposal
{
    public required PreSharedKeyId Psk { get; init; }

    public override ProposalType Type => ProposalType.PreSharedKey;

    internal override void WriteBody(TlsWriter writer) => Psk.Write(writer);
}

/// <summary>Section 12.1.5.</summary>
public sealed class ReInitProposal : Proposal
{
    public required byte[] GroupId { get; init; }

    public required ushort Version { get; init; }

    public required ushort CipherSuite { get; init; }

    public required IReadOnlyList<Extension> Extensions { get; init; }

    public override ProposalType Type => ProposalType.ReInit;

    internal override void WriteBody(TlsWriter writer)
    {
        writer.WriteOpaque(GroupId);
        writer.WriteUInt16(Version);
        writer.WriteUInt16(CipherSuite);
        writer.WriteVector(Extensions);
    }
}

/// <summary>Section 12.1.6.</summary>
public sealed class ExternalInitProposal : Proposal
{
    public required byte[] KemOutput { get; init; }

    public override ProposalType Type => ProposalType.ExternalInit;

    internal override void WriteBody(TlsWriter writer) => writer.WriteOpaque(KemOutput);
}

/// <summary>Section 12.1.7.</summary>
public sealed class GroupContextExtensionsProposal : Proposal
{
    public required IReadOnlyList<Extension> Extensions { get; init; }

    public override ProposalType Type => ProposalType.GroupContextExtensions;

    internal override void WriteBody(TlsWriter writer) => writer.WriteVector(Extensions);
}
