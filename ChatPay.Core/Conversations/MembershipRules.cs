using ChatPay.Core.Protocol;

namespace ChatPay.Core.Conversations;

/// <summary>Leaving, roles and revoked devices: changes of membership that need no MLS commit to take effect.</summary>
public static class MembershipRules
{
    /// <summary>
    /// Who becomes owner when <paramref name="account"/> leaves: nobody if another owner stays, else the member who has
    /// been there longest.
    /// </summary>
    public static Result<RoleChange?> Leave(ConversationState? conversation, AccountId account)
    {
        if (SendRules.CheckMember(conversation, account) is { } refusal)
        {
            return refusal;
        }

        if (conversation!.Kind == ConversationKind.Direct)
        {
            return ConversationErrors.IsDirect();
        }

        var others = conversation.LiveMembers.Where(member => member.Account != account).ToArray();
        if (others.Length == 0 || others.Any(member => member.Role == MemberRole.Owner))
        {
            return (RoleChange?)null;
        }

        var heir = others
            .OrderBy(member => member.JoinedSeq)
            .ThenBy(member => member.Account.ToString(), StringComparer.Ordinal)
            .First();
        return new RoleChange(heir.Account, MemberRole.Owner);
    }

    /// <summary>The role to be set, or null if the member has it already.</summary>
    public static Result<RoleChange?> SetRole(
        ConversationState? conversation, AccountId actor, AccountId target, MemberRole role)
    {
        if (SendRules.CheckMember(conversation, actor) is { } refusal)
        {
            return refusal;
        }

        if (conversation!.Kind == ConversationKind.Direct)
        {
            return ConversationErrors.IsDirect();
        }

        if (conversation.Find(actor)!.Role != MemberRole.Owner)
        {
            return ConversationErrors.NotOwner();
        }

        if (conversation.Find(target) is not { IsLive: true } member)
        {
            return ConversationErrors.MemberUnknown();
        }

        if (member.Role == role)
        {
            return (RoleChange?)null;
        }

        var isLastOwner = role != MemberRole.Owner
            && !conversation.LiveMembers.Any(other => other.Role == MemberRole.Owner && other.Account != target);
        return isLastOwner ? ConversationErrors.LastOwner() : new RoleChange(target, role);
    }

    /// <summary>
    /// Whether an owner may put a member out without a commit. The members' leaves, if any, wait to be removed like those
    /// of somebody who left.
    /// </summary>
    public static Error? CheckRemove(ConversationState? conversation, AccountId actor, AccountId target)
    {
        if (SendRules.CheckMember(conversation, actor) is { } refusal)
        {
            return refusal;
        }

        if (conversation!.Kind == ConversationKind.Direct)
        {
            return ConversationErrors.IsDirect();
        }

        if (conversation.Find(actor)!.Role != MemberRole.Owner)
        {
            return ConversationErrors.NotOwner();
        }

        if (target == actor)
        {
            return new Error(ErrorCode.InvalidArgument, "Nobody removes themselves: leave instead.");
        }

        return conversation.IsMember(target) ? null : ConversationErrors.MemberUnknown();
    }

    /// <summary>The account's place ends with the event at <paramref name="seq"/>; its leaves wait to be removed.</summary>
    public static void Depart(ConversationState conversation, AccountId account, long seq)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        var member = conversation.Find(account)
            ?? throw new InvalidOperationException("Who was never a member cannot depart.");
        conversation.Put(member with { Role = MemberRole.Member, LeftSeq = seq });
        foreach (var leaf in conversation.Leaves.Where(leaf => leaf.Account == account && !leaf.Pending).ToArray())
        {
            conversation.Put(leaf with { Pending = true });
        }
    }

    public static void Apply(ConversationState conversation, RoleChange change)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        ArgumentNullException.ThrowIfNull(change);
        var member = conversation.Find(change.Account)
            ?? throw new InvalidOperationException("A role is for members.");
        conversation.Put(member with { Role = change.Role });
    }
}
