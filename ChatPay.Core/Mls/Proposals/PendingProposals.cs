using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// The proposals of an epoch that commits may name by reference, in the order in which they were seen.
/// </summary>
internal sealed class PendingProposals : IDisposable
{
    private readonly Dictionary<string, PendingProposal> _byRef = new(StringComparer.Ordinal);
    private readonly List<PendingProposal> _inOrder = [];
    private int _sizeBytes;

    public IReadOnlyList<PendingProposal> InOrder => _inOrder;

    /// <summary>Whether a proposal of that many bytes may still be kept.</summary>
    public bool HasRoomFor(int sizeBytes) =>
        _inOrder.Count < MlsLimits.PendingProposals && sizeBytes <= MlsLimits.PendingProposalBytes - _sizeBytes;

    public bool TryGet(byte[] reference, [NotNullWhen(true)] out PendingProposal? proposal) =>
        _byRef.TryGetValue(Convert.ToHexString(reference), out proposal);

    /// <summary>Keeps a proposal; a repetition changes nothing.</summary>
    public void Add(PendingProposal proposal)
    {
        if (_byRef.TryAdd(Convert.ToHexString(proposal.Ref), proposal))
        {
            _inOrder.Add(proposal);
            _sizeBytes += proposal.SizeBytes;
        }
        else
        {
            proposal.Dispose();
        }
    }

    public void Clear()
    {
        foreach (var proposal in _inOrder)
        {
            proposal.Dispose();
        }

        _byRef.Clear();
        _inOrder.Clear();
        _sizeBytes = 0;
    }

    public void Write(TlsWriter writer)
    {
        var mark = writer.BeginVector();
        foreach (var proposal in _inOrder)
        {
            proposal.Write(writer);
        }

        writer.EndVector(mark);
    }

    public static PendingProposals Read(ref TlsReader reader)
    {
        var proposals = new PendingProposals();
        var scope = reader.EnterVector();
        while (reader.HasMore)
        {
            var proposal = PendingProposal.Read(ref reader);
            if (reader.Rejection == MlsRejection.None)
            {
                proposals.Add(proposal);
            }
        }

        reader.LeaveVector(scope);
        return proposals;
    }

    public void Dispose() => Clear();
}

/// <summary>A proposal that a commit may name, and for this member's own Update the private key it brings.</summary>
internal sealed class PendingProposal : IDisposable
{
    public required byte[] Ref { get; init; }

    public required SentProposal Sent { get; init; }

    /// <summary>How long the message was that brought it.</summary>
    public required int SizeBytes { get; init; }

    /// <summary>Private key of the leaf that this member's own Update brings; null for all other proposals.</summary>
    public Secret? LeafKey { get; init; }

    /// <summary>Who this member is once its own Update is committed; null to stay who it is.</summary>
    public MlsMember? NextIdentity { get; set; }

    public static PendingProposal Read(ref TlsReader reader)
    {
        var reference = reader.ReadOpaque();
        var proposal = Proposal.Read(ref reader);
        var sender = Sender.Read(ref reader);
        var sizeBytes = (int)Math.Min(reader.ReadUInt32(), MlsLimits.PendingProposalBytes);
        var leafKey = reader.ReadPresence() ? Secret.Copy(reader.ReadOpaqueSpan()) : null;
        return new PendingProposal
        {
            Ref = reference,
            Sent = new SentProposal(proposal, sender),
            SizeBytes = sizeBytes,
            LeafKey = leafKey,
        };
    }

    public void Write(TlsWriter writer)
    {
        writer.WriteOpaque(Ref);
        Sent.Proposal.Write(writer);
        Sent.Sender.Write(writer);
        writer.WriteUInt32((uint)SizeBytes);
        writer.WriteByte(LeafKey is null ? (byte)0 : (byte)1);
        if (LeafKey is not null)
        {
            writer.WriteOpaque(LeafKey.Span);
        }
    }

    public void Dispose() => LeafKey?.Dispose();
}
