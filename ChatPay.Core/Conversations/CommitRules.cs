using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Conversations;

/// <summary>What an accepted commit does to members and leaves.</summary>
/// <param name="CommitterLeaf">Where the committer sits in the new epoch.</param>
/// <param name="AddedLeaves">Where the added or joining devices now sit.</param>
/// <param name="Welcomed">Devices that were added by another and need the Welcome.</param>
public sealed record CommitPlan(
    IReadOnlyList<AccountId> AddedAccounts, IReadOnlyList<AccountId> RemovedAccounts,
    IReadOnlyList<int> RemovedLeaves, IReadOnlyList<DeviceId> RemovedDevices,
    IReadOnlyList<KeyValuePair<int, CredentialIdentity>> AddedLeaves, IReadOnlyList<DeviceId> Welcomed,
    int CommitterLeaf);

/// <summary>
/// What a delivery service may let pass: the commit's shape is RFC 9420's matter and was read by
/// <see cref="CommitInspector"/>; here it is judged against the conversation. It stands in the current epoch already.
/// </summary>
public static class CommitRules
{
    /// <summary>What a repeated commit is answered; null if nothing stands under its client message id.</summary>
    public static Result<CommitReply>? Repeated(Event? existing, byte[] commit)
    {
        if (existing is null)
        {
            return null;
        }

        return existing.Kind == EventKind.Commit && existing.Body.AsSpan().SequenceEqual(commit)
            ? new CommitReply(existing.Seq, existing.Epoch + 1, existing.At)
            : ConversationErrors.ClientIdReused();
    }

    /// <param name="conversation">With all members and leaves; the caller is a member.</param>
    /// <param name="devices">What is known of a device that the commit names; null for an unknown one.</param>
    public static Result<CommitPlan> Decide(
        ConversationState conversation, AccountId account, DeviceId device, InspectedCommit commit,
        Func<DeviceId, DeviceFacts?> devices)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        ArgumentNullException.ThrowIfNull(commit);
        ArgumentNullException.ThrowIfNull(devices);
        var caller = new CredentialIdentity(account, device);
        if ((CheckShape(conversation, commit) ?? CheckSender(conversation, caller, commit, devices)) is { } refusal)
        {
            return refusal;
        }

        return commit.IsExternal
            ? DecideExternal(conversation, caller, commit)
            : DecideMember(conversation, caller, commit, devices);
    }

    /// <summary>Brings members and leaves to where the commit leaves them, and the group into its next epoch.</summary>
    /// <param name="seq">Where the commit stands in the log.</param>
    public static void Apply(ConversationState conversation, CommitPlan plan, long seq)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        ArgumentNullException.ThrowIfNull(plan);
        foreach (var leaf in plan.RemovedLeaves)
        {
            conversation.RemoveLeaf(leaf);
        }

        foreach (var gone in plan.RemovedAccounts)
        {
            MembershipRules.Depart(conversation, gone, seq);
        }

        foreach (var come in plan.AddedAccounts)
        {
            conversation.Put(new Member(come, MemberRole.Member, seq, null));
        }

        foreach (var (index, identity) in plan.AddedLeaves)
        {
            conversation.Put(new GroupLeaf(index, identity.Device, identity.Account, seq, Pending: false));
        }

        conversation.NextEpoch();
    }

    private static Error? CheckShape(ConversationState conversation, InspectedCommit commit)
    {
        if (!GroupIds.TryRead(commit.GroupId, out var group) || group != conversation.Id)
        {
            return ConversationErrors.CommitInvalid("The commit is for another group.");
        }

        if (commit.Epoch != (ulong)conversation.Epoch)
        {
            return ConversationErrors.CommitInvalid("The commit is for another epoch than the request says.");
        }

        if (commit.ReferenceCount > 0 || commit.Others.Count > 0)
        {
            return ConversationErrors.CommitInvalid("Only Add and Remove may be proposed, and by value.");
        }

        return commit.PathLeaf is null ? ConversationErrors.CommitInvalid("A commit carries a path here.") : null;
    }

    /// <summary>The sender is the calling device: by its leaf, and by what its new leaf says.</summary>
    private static Error? CheckSender(
        ConversationState conversation, CredentialIdentity caller, InspectedCommit commit,
        Func<DeviceId, DeviceFacts?> devices)
    {
        if (devices(caller.Device) is not { IsLive: true } facts)
        {
            return new Error(ErrorCode.DeviceRevoked, "This device has been revoked.");
        }

        if (commit.SenderLeaf is { } index
            && (conversation.LeafAt(index) is not { Pending: false } leaf || leaf.Device != caller.Device))
        {
            return ConversationErrors.CommitInvalid("The sender's leaf is not the calling device's.");
        }

        return IsLeafOf(commit.PathLeaf!, caller, facts, isNew: commit.IsExternal)
            ? null : ConversationErrors.CommitInvalid("The committer's leaf does not carry its credential and key.");
    }

    private static Result<CommitPlan> DecideExternal(
        ConversationState conversation, CredentialIdentity caller, InspectedCommit commit)
    {
        var own = conversation.LeafOf(caller.Device);
        var isRight = own is null ? commit.Removes.Count == 0 : commit.Removes is [var removed] && removed == own.Index;
        if (!isRight)
        {
            return ConversationErrors.CommitInvalid("Who joins removes its own former leaf, and nothing else.");
        }

        return Plan(conversation, commit, [caller], [], []);
    }

    private static Result<CommitPlan> DecideMember(
        ConversationState conversation, CredentialIdentity caller, InspectedCommit commit,
        Func<DeviceId, DeviceFacts?> devices)
    {
        var removing = Removed(conversation, caller, commit.Removes);
        if (!removing.IsOk)
        {
            return removing.Error!;
        }

        var adding = Added(conversation, commit, devices);
        if (!adding.IsOk)
        {
            return adding.Error!;
        }

        var newcomers = adding.Value
            .Select(identity => identity.Account).Distinct().Where(who => !conversation.IsMember(who)).ToArray();
        if (adding.Value.Any(identity => removing.Value.Contains(identity.Account)))
        {
            return ConversationErrors.CommitInvalid("An account cannot be removed and added at once.");
        }

        if (conversation.Kind == ConversationKind.Direct
            && (removing.Value.Count > 0 || (newcomers.Length > 0 && conversation.Epoch > 0)))
        {
            return ConversationErrors.IsDirect();
        }

        if (conversation.LiveMembers.Count() + newcomers.Length - removing.Value.Count > Limits.MembersPerGroup)
        {
            return ConversationErrors.GroupFull();
        }

        return Plan(conversation, commit, adding.Value, newcomers, removing.Value);
    }

    /// <summary>
    /// The accounts that the Removes put out: a leaf that waits to be removed and one of the caller's own account put out
    /// nobody; any other puts its account out, which only an owner may do and only with all of its leaves.
    /// </summary>
    private static Result<IReadOnlyList<AccountId>> Removed(
        ConversationState conversation, CredentialIdentity caller, IReadOnlyList<int> removes)
    {
        var goers = new HashSet<AccountId>();
        foreach (var index in removes)
        {
            if (conversation.LeafAt(index) is not { } leaf)
            {
                return ConversationErrors.CommitInvalid("A blank leaf cannot be removed.");
            }

            if (!leaf.Pending && leaf.Account != caller.Account)
            {
                goers.Add(leaf.Account);
            }
        }

        if (goers.Count > 0 && conversation.Kind == ConversationKind.Direct)
        {
            return ConversationErrors.IsDirect();
        }

        if (goers.Count > 0 && conversation.Find(caller.Account)?.Role != MemberRole.Owner)
        {
            return ConversationErrors.NotOwner();
        }

        var isPartial = conversation.Leaves.Any(leaf => goers.Contains(leaf.Account) && !removes.Contains(leaf.Index));
        return isPartial
            ? ConversationErrors.CommitInvalid("A member is removed with all of its devices.")
            : goers.ToArray();
    }

    private static Result<IReadOnlyList<CredentialIdentity>> Added(
        ConversationState conversation, InspectedCommit commit, Func<DeviceId, DeviceFacts?> devices)
    {
        var added = new List<CredentialIdentity>(commit.Adds.Count);
        foreach (var package in commit.Adds)
        {
            if (!CredentialIdentity.TryRead(package.LeafNode.Credential, out var identity)
                || devices(identity.Device) is not { IsLive: true } facts
                || !IsLeafOf(package.LeafNode, identity, facts, isNew: true)
                || package.LeafNode.Source != LeafNodeSource.KeyPackage)
            {
                return ConversationErrors.CommitInvalid("An added key package is not one of a live device.");
            }

            var stays = conversation.LeafOf(identity.Device) is { } leaf && !commit.Removes.Contains(leaf.Index);
            if (stays || added.Contains(identity))
            {
                return ConversationErrors.CommitInvalid("A device is added that is in the group already.");
            }

            added.Add(identity);
        }

        return added;
    }

    private static Result<CommitPlan> Plan(
        ConversationState conversation, InspectedCommit commit, IReadOnlyList<CredentialIdentity> adds,
        IReadOnlyList<AccountId> newcomers, IReadOnlyList<AccountId> removed)
    {
        var leaves = new RatchetTreeLeaves<CredentialIdentity>(conversation.Leaves.Select(
            leaf => KeyValuePair.Create(leaf.Index, new CredentialIdentity(leaf.Account, leaf.Device))));
        if (!leaves.TryApply(commit.Removes, adds, out var changes))
        {
            return ConversationErrors.CommitInvalid("A blank leaf cannot be removed.");
        }

        return new CommitPlan(
            newcomers, removed, commit.Removes, [.. changes.Removed.Select(leaf => leaf.Value.Device)], changes.Added,
            commit.IsExternal ? [] : [.. adds.Select(identity => identity.Device)],
            commit.SenderLeaf ?? changes.Added[0].Key);
    }

    private static bool IsLeafOf(LeafNode leaf, CredentialIdentity identity, DeviceFacts facts, bool isNew) =>
        CredentialIdentity.TryRead(leaf.Credential, out var claimed) && claimed == identity
        && facts.Account == identity.Account && facts.Device == identity.Device
        && leaf.SignatureKey.AsSpan().SequenceEqual(facts.SignatureKey)
        && IsVouchedFor(leaf.Credential, facts, isNew);

    /// <summary>
    /// By a key of the account's. That the certificate is right was seen before the batch. Without one come devices of
    /// accounts that have no chain, and leaves that were in the group before there was one.
    /// </summary>
    private static bool IsVouchedFor(Credential credential, DeviceFacts facts, bool isNew) =>
        DeviceCredential.TryRead(credential, out var certified)
            ? facts.IsApproved && facts.IdentityKeys.Any(key => certified.IdentityKey.SequenceEqual(key))
            : !isNew || facts.IdentityKeys.Count == 0;
}
