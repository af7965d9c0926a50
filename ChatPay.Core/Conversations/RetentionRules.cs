using ChatPay.Core.Protocol;

namespace ChatPay.Core.Conversations;

/// <summary>For how long a log is kept is for owners of a group, and either person of a direct one, to say.</summary>
public static class RetentionRules
{
    /// <summary>What is to be set, or null if it is so already.</summary>
    public static Result<RetentionChange?> Set(ConversationState? conversation, AccountId actor, int? days)
    {
        if (SendRules.CheckMember(conversation, actor) is { } refusal)
        {
            return refusal;
        }

        if (conversation!.Kind == ConversationKind.Group && conversation.Find(actor)!.Role != MemberRole.Owner)
        {
            return ConversationErrors.NotOwner();
        }

        if (days is < Limits.RetentionMinDays or > Limits.RetentionMaxDays)
        {
            return ConversationErrors.RetentionInvalid();
        }

        var before = conversation.NewRetention is { } earlier ? earlier.Days : conversation.RetentionDays;
        return days == before ? (RetentionChange?)null : new RetentionChange(days);
    }
}
