using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Core.Mls;

/// <summary>
/// What a commit's proposals make of the group's public state, in the order of RFC 9420 section 12.3; the state itself
/// stays as it is.
/// </summary>
internal sealed class ProposalApplication
{
    private readonly List<(uint Leaf, KeyPackage Package)> _added = [];
    private readonly List<(uint Leaf, LeafNode Node)> _removed = [];

    private ProposalApplication(PublicState state, ProposalList list)
    {
        List = list;
        Tree = state.Tree;
        Tally = state.Tally;
        Extensions = state.Extensions;
    }

    public ProposalList List { get; }

    public PublicTree Tree { get; private set; }

    public CapabilityTally Tally { get; private set; }

    public ContextExtensions Extensions { get; private set; }

    /// <summary>Who was added where, in the list's order.</summary>
    public IReadOnlyList<(uint Leaf, KeyPackage Package)> Added => _added;

    /// <summary>Who was removed, with the leaf it had.</summary>
    public IReadOnlyList<(uint Leaf, LeafNode Node)> Removed => _removed;

    /// <summary>Applies a list whose proposals were each checked by <see cref="ProposalChecks"/>.</summary>
    /// <param name="rejection">
    /// What of section 12.2 the outcome breaks, unless a path can still mend it: that is <see cref="Check"/>'s, after
    /// it; or <see cref="MlsRejection.TooLarge"/> where no epoch follows.
    /// </param>
    public static bool TryApply(
        PublicState state, ProposalList list, [NotNullWhen(true)] out ProposalApplication? application,
        out MlsRejection rejection)
    {
        application = new ProposalApplication(state, list);

        // Who founded the group chose its first epoch, so the last one can be reached.
        rejection = state.Context.Epoch == ulong.MaxValue ? MlsRejection.TooLarge : application.Apply();
        if (rejection != MlsRejection.None)
        {
            application = null;
        }

        return application is not null;
    }

    /// <summary>Takes in the leaf that a path brings, in the place of another or, for a joiner, of none.</summary>
    public void CountPathLeaf(LeafNode? replaced, LeafNode leaf) =>
        Tally = Tally.Change(replaced is null ? [] : [replaced], [leaf]);

    /// <summary>Gives the joiner of an external commit its place; its path brings the leaf that counts.</summary>
    /// <returns>Its leaf index.</returns>
    /// <exception cref="InvalidOperationException">The tree is full.</exception>
    public uint Seat(LeafNode provisional)
    {
        Tree = Tree.Add(provisional, out var index);
        return index;
    }

    /// <summary>Whether the members, as they are after the commit, go together: section 12.2's last point.</summary>
    /// <param name="tree">With the commit's path.</param>
    public MlsRejection Check(PublicTree tree)
    {
        var keys = tree.CheckUniqueness();
        return keys == MlsRejection.None ? Tally.Check(Extensions) : keys;
    }

    private MlsRejection Apply()
    {
        foreach (var proposal in List.Extensions)
        {
            if (!ContextExtensions.TryRead(proposal.Extensions, out var extensions, out var rejection))
            {
                return rejection;
            }

            Extensions = extensions;
        }

        foreach (var (leaf, node) in List.Updates)
        {
            if (Tree.Leaf(leaf) is not { } replaced)
            {
                return MlsRejection.LeafUnknown;
            }

            Tree = Tree.Update(leaf, node);
            Tally = Tally.Change([replaced], [node]);
        }

        foreach (var leaf in List.Removes)
        {
            if (Tree.Leaf(leaf) is not { } removed)
            {
                return MlsRejection.LeafUnknown;
            }

            Tree = Tree.Remove(leaf);
            _removed.Add((leaf, removed));
        }

        Tally = Tally.Change(_removed.Select(static removed => removed.Node), []);
        foreach (var add in List.Adds)
        {
            if (Tree.IsFull)
            {
                return MlsRejection.TreeFull;
            }

            Tree = Tree.Add(add.KeyPackage.LeafNode, out var leaf);
            _added.Add((leaf, add.KeyPackage));
        }

        Tally = Tally.Change([], _added.Select(static added => added.Package.LeafNode));
        return MlsRejection.None;
    }
}
