namespace ChatPay.Core.Mls;

/// <summary>
/// The group that a Welcome says its group was made from, RFC 9420 sections 11.2, 11.3 and 12.4.3.1: named by a
/// resumption key that only its members have.
/// </summary>
internal sealed class GroupOrigin
{
    private readonly Group _group;
    private readonly ResumptionPskUsage _usage;

    private GroupOrigin(Group group, ResumptionPskUsage usage) => (_group, _usage) = (group, usage);

    /// <summary>The origin that a Welcome's pre-shared keys name; null where they name none.</summary>
    /// <param name="known">The group at hand.</param>
    /// <param name="rejection">
    /// <see cref="MlsRejection.PskInvalid"/> where they name several or for no such use,
    /// <see cref="MlsRejection.OriginWrong"/> where it is not the group at hand or not in the state that it must be in.
    /// </param>
    public static GroupOrigin? Of(IReadOnlyList<PreSharedKeyId> psks, Group? known, out MlsRejection rejection)
    {
        rejection = MlsRejection.None;
        GroupOrigin? origin = null;
        foreach (var psk in psks)
        {
            if (psk is not ResumptionPskId resumption || resumption.Usage == ResumptionPskUsage.Application)
            {
                continue;
            }

            if (origin is not null || resumption.Usage is not (ResumptionPskUsage.Reinit or ResumptionPskUsage.Branch))
            {
                rejection = MlsRejection.PskInvalid;
                return null;
            }

            if (known is null || !Names(resumption, known))
            {
                rejection = MlsRejection.OriginWrong;
                return null;
            }

            origin = new GroupOrigin(known, resumption.Usage);
        }

        return origin;
    }

    /// <summary>Whether the new group is what its origin lets it be.</summary>
    public MlsRejection Check(PublicState state, ICredentialValidator credentials)
    {
        var isRight = state.Context.Epoch == 1 && (_usage == ResumptionPskUsage.Reinit
            ? IsAsPromised(state) && AreIn(_group.Members, state.Tree, credentials.MayReplace)
            : state.Context.Version == ProtocolVersion.Mls10 && state.Suite == _group.Suite
                && AreIn(Members(state.Tree), _group.State.Tree, (now, then) => credentials.MayReplace(then, now)));
        return isRight ? MlsRejection.None : MlsRejection.OriginWrong;
    }

    private static bool Names(ResumptionPskId psk, Group group) =>
        psk.GroupId.AsSpan().SequenceEqual(group.GroupId) && group.Status != GroupStatus.Removed
        && (psk.Usage == ResumptionPskUsage.Branch || (group.ReInit is not null && psk.Epoch == group.Epoch));

    /// <summary>The context is the one that the ReInit proposed.</summary>
    private bool IsAsPromised(PublicState state)
    {
        var context = state.Context;
        var promised = _group.ReInit!;
        return context.GroupId.AsSpan().SequenceEqual(promised.GroupId)
            && context.Version == promised.Version && context.CipherSuite == promised.CipherSuite
            && Encode(context.Extensions).AsSpan().SequenceEqual(Encode(promised.Extensions));
    }

    private static byte[] Encode(IReadOnlyList<Extension> extensions)
    {
        var writer = new TlsWriter();
        writer.WriteVector(extensions);
        return writer.ToArray();
    }

    private static IReadOnlyList<GroupMember> Members(PublicTree tree) =>
        [.. tree.Members().Select(static member => new GroupMember(member.Index, member.Leaf))];

    /// <summary>
    /// Whether each of the members is somebody in the tree; the same key and credential need no judgement.
    /// </summary>
    private static bool AreIn(
        IReadOnlyList<GroupMember> members, PublicTree tree, Func<LeafNode, LeafNode, bool> isSame)
    {
        var others = tree.Members().Select(static member => member.Leaf).ToList();
        var known = others.Select(Identity).ToHashSet(StringComparer.Ordinal);
        return members.All(member =>
            known.Contains(Identity(member.Leaf)) || others.Exists(other => isSame(member.Leaf, other)));
    }

    private static string Identity(LeafNode leaf) =>
        Convert.ToHexString(leaf.SignatureKey) + Convert.ToHexString(TlsCodec.Encode(leaf.Credential));
}
