using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Conversations;

/// <summary>
/// A conversation begins with its first commit, made in epoch 0 of a group that holds the creating device alone.
/// </summary>
public static class CreateRules
{
    /// <summary>The group before its first commit: one member, one leaf.</summary>
    public static ConversationState Begin(
        ConversationId id, ConversationKind kind, AccountId account, DeviceId device, DateTimeOffset now)
    {
        var conversation = new ConversationState(id, kind, 0, 0, now) { IsComplete = true };
        conversation.Put(new Member(
            account, kind == ConversationKind.Group ? MemberRole.Owner : MemberRole.Member, 1, null));
        conversation.Put(new GroupLeaf(0, device, account, 1, Pending: false));
        return conversation;
    }

    /// <summary>What the first commit must have beyond what every commit must: the right company.</summary>
    public static Error? CheckCompany(ConversationKind kind, CommitPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return kind == ConversationKind.Direct && plan.AddedAccounts.Count != 1
            ? ConversationErrors.CommitInvalid("A direct conversation begins with exactly one other person.") : null;
    }

    /// <summary>The other accounts that a commit would bring in, as far as its credentials say.</summary>
    public static IReadOnlyList<CredentialIdentity> Named(InspectedCommit commit)
    {
        ArgumentNullException.ThrowIfNull(commit);
        var named = new List<CredentialIdentity>(commit.Adds.Count);
        foreach (var package in commit.Adds)
        {
            if (CredentialIdentity.TryRead(package.LeafNode.Credential, out var identity))
            {
                named.Add(identity);
            }
        }

        return named;
    }
}
