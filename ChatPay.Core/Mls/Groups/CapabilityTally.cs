using System.Collections.Immutable;

namespace ChatPay.Core.Mls;

/// <summary>
/// How many members of a group understand what, and how many use which kind of credential. It is kept along with the
/// tree, so that a commit is judged by what it changes and not by asking a thousand leaves again.
/// </summary>
internal sealed class CapabilityTally
{
    private const uint ExtensionKind = 1 << 16;
    private const uint ProposalKind = 2 << 16;
    private const uint CredentialKind = 3 << 16;
    private const uint InUseKind = 4 << 16;

    private readonly ImmutableDictionary<uint, int> _counts;
    private readonly int _members;

    private CapabilityTally(ImmutableDictionary<uint, int> counts, int members)
    {
        _counts = counts;
        _members = members;
    }

    public static CapabilityTally Of(IEnumerable<LeafNode> leaves) => new CapabilityTally(
        ImmutableDictionary<uint, int>.Empty, 0).Change([], leaves);

    /// <summary>The tally after some leaves went and others came.</summary>
    public CapabilityTally Change(IEnumerable<LeafNode> gone, IEnumerable<LeafNode> come)
    {
        var counts = _counts.ToBuilder();
        var members = _members;
        foreach (var leaf in gone)
        {
            Count(counts, leaf, -1);
            members--;
        }

        foreach (var leaf in come)
        {
            Count(counts, leaf, 1);
            members++;
        }

        return new CapabilityTally(counts.ToImmutable(), members);
    }

    /// <summary>
    /// RFC 9420 sections 7.3, 11.1 and 13.4: all members understand the group's extensions, what it requires, and the
    /// kinds of credentials that are in use in it.
    /// </summary>
    public MlsRejection Check(ContextExtensions extensions)
    {
        var required = extensions.Required;
        return extensions.All.All(extension => HasExtension(extension.Type))
            && required.Extensions.All(HasExtension)
            && required.Proposals.All(type => IsDefaultProposal(type) || HaveAll(ProposalKind | type))
            && required.Credentials.All(type => HaveAll(CredentialKind | type))
            && _counts.Keys.All(key => key < InUseKind || HaveAll(key - InUseKind + CredentialKind))
            ? MlsRejection.None
            : MlsRejection.CapabilitiesLacking;
    }

    private bool HasExtension(ushort type) => ExtensionType.IsDefault(type) || HaveAll(ExtensionKind | type);

    private bool HaveAll(uint key) => _counts.GetValueOrDefault(key) == _members;

    private static bool IsDefaultProposal(ushort type) =>
        type is >= (ushort)ProposalType.Add and <= (ushort)ProposalType.GroupContextExtensions;

    private static void Count(ImmutableDictionary<uint, int>.Builder counts, LeafNode leaf, int change)
    {
        Count(counts, ExtensionKind, leaf.Capabilities.Extensions, change);
        Count(counts, ProposalKind, leaf.Capabilities.Proposals, change);
        Count(counts, CredentialKind, leaf.Capabilities.Credentials, change);
        Count(counts, InUseKind, [(ushort)leaf.Credential.Type], change);
    }

    private static void Count(
        ImmutableDictionary<uint, int>.Builder counts, uint kind, IEnumerable<ushort> types, int change)
    {
        // A list that names a type twice still is one member's.
        foreach (var type in types.Distinct())
        {
            var count = counts.GetValueOrDefault(kind | type) + change;
            if (count == 0)
            {
                counts.Remove(kind | type);
            }
            else
            {
                counts[kind | type] = count;
            }
        }
    }
}
