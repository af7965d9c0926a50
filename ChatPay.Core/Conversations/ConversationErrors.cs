using ChatPay.Core.Protocol;

namespace ChatPay.Core.Conversations;

/// <summary>The sentences that go with the numbers, each said once.</summary>
public static class ConversationErrors
{
    /// <summary>Also for a foreign conversation: whether it exists is nobody else's business.</summary>
    public static Error Unknown() => new(ErrorCode.ConversationUnknown, "There is no such conversation.");

    public static Error NotMember() => new(ErrorCode.NotMember, "You are no longer a member of this conversation.");

    public static Error NotOwner() => new(ErrorCode.NotOwner, "Only an owner of the group may do this.");

    public static Error IsDirect() =>
        new(ErrorCode.DirectConversation, "A direct conversation has exactly its two people; nobody comes, goes or leads.");

    public static Error ClientIdReused() =>
        new(ErrorCode.ClientIdReused, "This client message id already stands for something else here.");

    /// <summary>The winning commit is added where the log can be read, outside the batch.</summary>
    public static Error StaleEpoch(long epoch) => new(
        ErrorCode.StaleEpoch, "The group has moved on: apply its commits and encrypt again.", Details("epoch", epoch));

    public static Error StaleEpoch(long epoch, long seq, byte[] commit) => new(
        ErrorCode.StaleEpoch, "The group has moved on: apply its commits and encrypt again.",
        new Dictionary<string, object>(StringComparer.Ordinal) { ["epoch"] = epoch, ["seq"] = seq, ["commit"] = commit });

    public static Error Exists(ConversationId conversation) => new(
        ErrorCode.ConversationExists, "The two of you have a conversation already.",
        Details("conversation", conversation));

    public static Error BodyTooLarge(int maxBytes) =>
        new(ErrorCode.BodyTooLarge, "This is too large to send.", Details("maxBytes", maxBytes));

    public static Error Malformed(string what) => new(ErrorCode.MessageMalformed, what);

    public static Error CommitInvalid(string what) => new(ErrorCode.CommitInvalid, what);

    public static Error MemberUnknown() => new(ErrorCode.MemberUnknown, "This account is not a member.");

    public static Error TooManyConversations() => new(
        ErrorCode.TooManyConversations, "You or one of these people are in too many conversations already.");

    public static Error DeviceUnreachable(IReadOnlyList<DeviceId> devices) => new(
        ErrorCode.DeviceUnreachable,
        "Some of these are no live devices of yours or of people in a conversation with you.", Details("devices", devices));

    public static Error DeviceQueueFull(IReadOnlyList<DeviceId> devices) => new(
        ErrorCode.DeviceQueueFull, "Too much waits for some of these devices already.", Details("devices", devices));

    public static Error GroupFull() => new(
        ErrorCode.GroupFull, "The group cannot take more members.", Details("maxMembers", Limits.MembersPerGroup));

    public static Error RetentionInvalid() => new(
        ErrorCode.RetentionInvalid,
        $"A log is kept for {Limits.RetentionMinDays} to {Limits.RetentionMaxDays} days, or as the server's default says.",
        new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["minDays"] = Limits.RetentionMinDays,
            ["maxDays"] = Limits.RetentionMaxDays,
        });

    public static Error LastOwner() =>
        new(ErrorCode.InvalidArgument, "A group needs an owner: make somebody else one first.");

    private static Dictionary<string, object> Details(string key, object value) =>
        new(StringComparer.Ordinal) { [key] = value };
}
