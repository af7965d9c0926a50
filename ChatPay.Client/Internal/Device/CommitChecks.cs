using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>The rules that this protocol has for commits and messages besides MLS's own.</summary>
internal static class CommitChecks
{
    /// <summary>
    /// Whether a commit is what its event says: by that device, of that epoch, with nothing in it but members of the
    /// conversation coming and leaves going.
    /// </summary>
    public static bool Fits(Event logged, Group group, ConversationRecord record)
    {
        if (logged.Account is not { } account || logged.Device is not { } device
            || !CommitInspector.TryInspect(logged.Body, out var commit, out _)
            || commit.Epoch != group.Epoch || (long)commit.Epoch != logged.Epoch
            || !commit.GroupId.AsSpan().SequenceEqual(group.GroupId)
            || commit.ReferenceCount > 0 || commit.Others.Count > 0)
        {
            return false;
        }

        var committer = new CredentialIdentity(account, device);
        if (commit.PathLeaf is not { } path || !IsOf(path.Credential, committer))
        {
            return false;
        }

        var known = Known(logged, group, record);
        return commit.SenderLeaf is { } sender
            ? IsMember(group, sender, committer, path)
                && commit.Adds.All(added => IsKnown(added.LeafNode.Credential, known))
            : known.Contains(account) && commit.Removes.All(leaf => IsMember(group, leaf, committer, path));
    }

    /// <summary>Whom a commit brings into the group, and as whom its committer goes on; none for what is no commit.</summary>
    public static IEnumerable<LeafNode> Shown(Event logged) =>
        logged is { Kind: EventKind.Commit, Body: { } body } && CommitInspector.TryInspect(body, out var commit, out _)
            ? commit.Adds.Select(static added => added.LeafNode).Append(commit.PathLeaf).OfType<LeafNode>()
            : [];

    /// <summary>Whether the devices that came and went are those that the server names.</summary>
    public static bool Matches(Event logged, ProcessedCommit commit)
    {
        var gone = commit.Removed.Select(static member => Views.Owner(member).Device).ToList();
        var came = commit.Added.Select(static member => Views.Owner(member).Device).ToList();
        return logged.Members is not { } named || (Same(named.DevicesAdded, came) && Same(named.DevicesRemoved, gone));
    }

    /// <summary>A key package of this suite, of the account and the device that it is said to be of.</summary>
    public static bool TryRead(ClaimedKeyPackage claimed, [NotNullWhen(true)] out KeyPackage? keyPackage)
    {
        keyPackage = null;
        var isOne = TlsCodec.TryDecode<MlsMessage>(claimed.KeyPackage, out var message, out _)
            && (keyPackage = message.KeyPackage) is not null
            && keyPackage.CipherSuite == GroupKeeper.Suite.Id
            && IsOf(keyPackage.LeafNode.Credential, new(claimed.Account, claimed.Device));
        return isOne && keyPackage is not null;
    }

    private static bool Same(IReadOnlyList<DeviceId> named, List<DeviceId> actual) =>
        named.Count == actual.Count && named.ToHashSet().SetEquals(actual);

    private static HashSet<AccountId> Known(Event logged, Group group, ConversationRecord record) =>
    [
        .. record.Members.Select(static member => member.Account),
        .. record.Former.Select(static person => person.Id),
        .. (logged.Members?.Added ?? []).Select(static member => member.Account),
        .. group.Members.Select(static member => Views.Owner(member).Account),
    ];

    private static bool IsMember(Group group, int leaf, CredentialIdentity committer, LeafNode path) =>
        group.MemberAt((uint)leaf) is { } member && IsOf(member.Credential, committer)
        && member.SignatureKey.AsSpan().SequenceEqual(path.SignatureKey);

    private static bool IsKnown(Credential credential, HashSet<AccountId> known) =>
        CredentialIdentity.TryRead(credential, out var owner) && known.Contains(owner.Account);

    private static bool IsOf(Credential credential, CredentialIdentity owner) =>
        CredentialIdentity.TryRead(credential, out var actual) && actual == owner;
}
