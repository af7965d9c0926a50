namespace ChatPay.Core.Protocol;

public enum ConversationKind
{
    Direct = 1,
    Group = 2,
}

public enum MemberRole
{
    Member = 1,
    Owner = 2,
}

/// <summary>What a member may know of a conversation.</summary>
/// <param name="Head">Seq of the newest event.</param>
/// <param name="Epoch">The MLS epoch after the newest commit.</param>
/// <param name="JoinedSeq">Seq of the commit that added this account; its log starts there.</param>
/// <param name="Members">Everybody in it now.</param>
/// <param name="PendingRemovals">Leaves of revoked devices and departed accounts, to be removed before sending.</param>
/// <param name="Receipts">Delivered and read marks of all member devices.</param>
/// <param name="FirstSeq">The log begins here: what was before is kept no longer. Never above the newest event.</param>
/// <param name="RetentionDays">For how long the server keeps events; null for good.</param>
public sealed record ConversationView(
    ConversationId Id, ConversationKind Kind, long Head, long Epoch, long JoinedSeq, DateTimeOffset CreatedAt,
    IReadOnlyList<MemberView> Members, IReadOnlyList<PendingRemoval> PendingRemovals, IReadOnlyList<Receipt> Receipts,
    long FirstSeq = 1, int? RetentionDays = null);

public sealed record MemberView(AccountId Account, string Handle, string DisplayName, MemberRole Role, long JoinedSeq);

/// <param name="Leaf">MLS leaf index.</param>
public sealed record PendingRemoval(int Leaf, DeviceId Device, AccountId Account);

/// <summary>
/// <c>POST /v1/conversations</c>: creates the MLS group at epoch 0 with the caller's device as leaf 0 and applies its
/// first commit, in one transaction. A second direct conversation of the same two answers <c>conversation_exists</c>
/// with the id of the first in <c>details.conversation</c>.
/// </summary>
/// <param name="Id">Chosen by the client; also the MLS group id.</param>
/// <param name="Commit">For epoch 0; adds the other members' devices and the caller's own other devices.</param>
public sealed record CreateConversationRequest(
    ConversationId Id, ConversationKind Kind, ClientMessageId ClientId, byte[] Commit, byte[]? Welcome, byte[] GroupInfo);

/// <summary><c>GET /v1/conversations/{id}/group-info</c>: for an external join of another own device.</summary>
public sealed record GroupInfoReply(long Epoch, long Seq, byte[] GroupInfo);

/// <summary><c>PUT /v1/conversations/{id}/members/{account}</c>: owners only.</summary>
public sealed record SetRoleRequest(MemberRole Role);

/// <summary>
/// <c>PUT /v1/conversations/{id}/retention</c>: owners of a group, either person of a direct conversation.
/// </summary>
/// <param name="Days">
/// <see cref="Limits.RetentionMinDays"/> to <see cref="Limits.RetentionMaxDays"/>; null for the server's default.
/// </param>
public sealed record SetRetentionRequest(int? Days);
