using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Core.Mls;

/// <summary>
/// Reads a commit as a delivery service can: everything but the secrets. It refuses what RFC 9420 forbids whatever the
/// group's state is (sections 12.2 and 12.4); what the state or the service's policy forbids is the caller's to judge.
/// </summary>
public static class CommitInspector
{
    /// <summary>Reads an MLSMessage that holds a PublicMessage with a Commit.</summary>
    /// <param name="rejection"><see cref="MlsRejection.WrongKind"/> for any other message.</param>
    public static bool TryInspect(
        ReadOnlySpan<byte> message, [NotNullWhen(true)] out InspectedCommit? commit, out MlsRejection rejection)
    {
        commit = null;
        if (!TlsCodec.TryDecode<MlsMessage>(message, out var decoded, out rejection))
        {
            return false;
        }

        if (decoded.PublicMessage?.Content is not { Commit: { } body } content
            || content.Sender.Type is not (SenderType.Member or SenderType.NewMemberCommit))
        {
            rejection = MlsRejection.WrongKind;
            return false;
        }

        if (content.Sender.Index < MlsLimits.Leaves && body.Path is { LeafNode.Source: not LeafNodeSource.Commit })
        {
            rejection = MlsRejection.LeafNodeSourceWrong;
            return false;
        }

        var proposals = ProposalList.OfCommit(body, content.Sender);
        rejection = proposals.Check(content.Sender, body.Path is not null);
        if (rejection != MlsRejection.None)
        {
            return false;
        }

        commit = new InspectedCommit
        {
            GroupId = content.GroupId,
            Epoch = content.Epoch,
            SenderLeaf = content.Sender.Type == SenderType.Member ? (int)content.Sender.Index : null,
            AuthenticatedData = content.AuthenticatedData,
            Adds = [.. proposals.Adds.Select(static add => add.KeyPackage)],
            Removes = [.. proposals.Removes.Select(static leaf => (int)leaf)],
            Others = proposals.OtherTypes,
            ReferenceCount = proposals.ReferenceCount,
            PathLeaf = body.Path?.LeafNode,
        };
        return true;
    }
}
