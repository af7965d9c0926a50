namespace ChatPay.Core.Protocol;

/// <param name="Device">Must be the session's device, else <c>wrong_device</c>.</param>
/// <param name="Protocol"><see cref="Limits.ProtocolVersion"/>.</param>
/// <param name="Capabilities">Names of optional features the client understands; unknown names are ignored.</param>
/// <param name="Lineage">The database lineage the cursors belong to; null at first.</param>
/// <param name="Cursors">Last applied seq per conversation, at most <see cref="Limits.CursorsPerHello"/>.</param>
/// <param name="Views">
/// 1 to <see cref="Limits.ViewsPerHello"/>: about so many conversations in <see cref="HelloReply.Changed"/>, the others in
/// <see cref="HelloReply.Heads"/>. Null for all in the first, as clients of before understand it.
/// </param>
public sealed record HelloRequest(
    DeviceId Device, int Protocol, IReadOnlyList<string> Capabilities, Guid? Lineage, IReadOnlyList<Cursor> Cursors,
    int? Views = null);

/// <param name="Seq">Last applied seq, 0 for none.</param>
public sealed record Cursor(ConversationId Conversation, long Seq);

/// <param name="Lineage">Differs from the client's after a restored backup: discard all cursors and resync.</param>
/// <param name="Changed">Conversations new to the client or whose head differs from its cursor.</param>
/// <param name="Gone">Conversations the client has a cursor for and the account is no longer in.</param>
/// <param name="DeviceMessagesWaiting">How many device messages wait; pull and acknowledge them.</param>
/// <param name="KeyPackagesLeft">One-time key packages left; upload more below the low-stock mark.</param>
/// <param name="ReadElsewhere">
/// Where another device of the account has read further than this one, and up to which seq: what is read on one device is
/// unread on none. Left out where there is nothing.
/// </param>
/// <param name="Heads">
/// The rest of what is new to the client or differs from its cursor, with the seq of the newest event: Sync tells what
/// they are. Left out where there is nothing.
/// </param>
public sealed record HelloReply(
    Guid Lineage, DateTimeOffset ServerTime, AccountId Account, IReadOnlyList<ConversationView> Changed,
    IReadOnlyList<ConversationId> Gone, int DeviceMessagesWaiting, int KeyPackagesLeft,
    IReadOnlyList<Cursor>? ReadElsewhere = null, IReadOnlyList<Cursor>? Heads = null);

/// <param name="After">Per conversation the last applied seq; at most <see cref="Limits.ConversationsPerSync"/>.</param>
public sealed record SyncRequest(IReadOnlyList<Cursor> After);

public sealed record SyncReply(IReadOnlyList<SyncPage> Pages);

/// <param name="Conversation">State now: members, epoch, head.</param>
/// <param name="Events">
/// The next events after the cursor, gapless, at most a page. They begin at the conversation's first seq where the
/// cursor lies below it.
/// </param>
/// <param name="More">Whether the head lies beyond this page.</param>
public sealed record SyncPage(ConversationView Conversation, IReadOnlyList<Event> Events, bool More);

/// <param name="ClientId">The idempotency key: a retry with the same body gets the same answer.</param>
/// <param name="Epoch">The MLS epoch the body is encrypted in; must be the conversation's, else <c>stale_epoch</c>.</param>
/// <param name="Body">An MLSMessage holding a PrivateMessage, at most <see cref="Limits.MessageBodyBytes"/>.</param>
public sealed record SendRequest(ConversationId Conversation, ClientMessageId ClientId, long Epoch, byte[] Body);

/// <param name="Seq">Position in the log, committed.</param>
public sealed record SendReply(long Seq, DateTimeOffset At);

/// <summary>A commit for the conversation's current epoch, and what comes with it if it wins.</summary>
/// <param name="Epoch">The epoch the commit was made in; compare-and-set against the conversation's.</param>
/// <param name="Commit">An MLSMessage holding a PublicMessage with a Commit; proposals by value only.</param>
/// <param name="Welcome">MLSMessage with a Welcome for the added devices, or null.</param>
/// <param name="GroupInfo">MLSMessage with the new epoch's GroupInfo (external_pub and ratchet_tree), for joins.</param>
public sealed record CommitRequest(
    ConversationId Conversation, ClientMessageId ClientId, long Epoch, byte[] Commit, byte[]? Welcome, byte[] GroupInfo);

/// <param name="Seq">Where the commit stands in the log.</param>
/// <param name="Epoch">The new epoch.</param>
public sealed record CommitReply(long Seq, long Epoch, DateTimeOffset At);

/// <summary>One entry of a conversation's log.</summary>
/// <param name="Seq">Gapless from 1 per conversation.</param>
/// <param name="Account">Who caused it; null for the server itself (an expiry).</param>
/// <param name="Epoch">MLS epoch at this position, before a commit is applied.</param>
/// <param name="Body">Message, card and commit: the MLSMessage bytes. Others: null.</param>
/// <param name="Card">Card and cardChanged: the card as of this event.</param>
/// <param name="Members">Commit and members: who came, went or changed role by it.</param>
public sealed record Event(
    ConversationId Conversation, long Seq, EventKind Kind, AccountId? Account, DeviceId? Device,
    ClientMessageId? ClientId, long Epoch, DateTimeOffset At, byte[]? Body = null, CardView? Card = null,
    MembersChange? Members = null);

public enum EventKind
{
    /// <summary>An encrypted application message.</summary>
    Message = 1,

    /// <summary>An MLS commit: the epoch after it is Epoch + 1.</summary>
    Commit = 2,

    /// <summary>A card posted, with the encrypted message that shows it.</summary>
    Card = 3,

    /// <summary>A card's state changed.</summary>
    CardChanged = 4,

    /// <summary>Somebody left, changed role, had a device revoked, or set for how long the log is kept.</summary>
    Members = 5,
}

/// <param name="Added">Accounts that became members.</param>
/// <param name="Removed">Accounts that an owner removed.</param>
/// <param name="Left">Accounts that left by themselves.</param>
/// <param name="Roles">Accounts whose role changed.</param>
/// <param name="DevicesAdded">Leaves that joined.</param>
/// <param name="DevicesRemoved">Leaves that were removed.</param>
/// <param name="DevicesRevoked">Devices revoked by their account, still to be removed from the group by a commit.</param>
/// <param name="Retention">For how long the log is kept from here on; null where that did not change.</param>
public sealed record MembersChange(
    IReadOnlyList<MemberView> Added, IReadOnlyList<AccountId> Removed, IReadOnlyList<AccountId> Left,
    IReadOnlyList<RoleChange> Roles, IReadOnlyList<DeviceId> DevicesAdded, IReadOnlyList<DeviceId> DevicesRemoved,
    IReadOnlyList<DeviceId> DevicesRevoked, RetentionChange? Retention = null);

public sealed record RoleChange(AccountId Account, MemberRole Role);

/// <param name="Days">Null for the server's default.</param>
public sealed record RetentionChange(int? Days);

/// <summary>Something for one device only. A kind that the client does not know it acknowledges and passes over.</summary>
/// <param name="Id">To acknowledge it with.</param>
/// <param name="Conversation">For a Welcome; null for a pairwise message.</param>
/// <param name="Seq">For a Welcome: the seq of the commit it belongs to; the device's log starts after it.</param>
/// <param name="FromAccount">For a pairwise message, by the server's word: whose device sent it.</param>
/// <param name="FromDevice">For a pairwise message: the device that sent it.</param>
/// <param name="ClientId">For a pairwise message: by which, with its sender, the receiver knows one that came twice.</param>
public sealed record DeviceMessage(
    Guid Id, DeviceMessageKind Kind, ConversationId? Conversation, long Seq, byte[] Body, DateTimeOffset At,
    AccountId? FromAccount = null, DeviceId? FromDevice = null, ClientMessageId? ClientId = null);

public enum DeviceMessageKind
{
    Welcome = 1,

    /// <summary>Something that one device has to say to another, such as a key; opaque to the server.</summary>
    Pairwise = 2,
}

/// <summary>
/// Messages to single devices of the caller's own account, or of accounts that share a live conversation with it: each waits
/// until its device has acknowledged it. All of them or none. A repeated request changes nothing, for as long as
/// <see cref="Limits.PairwiseMemoryHours"/>.
/// </summary>
/// <param name="Envelopes">1 to <see cref="Limits.PairwisePerRequest"/>, each device once.</param>
/// <param name="ClientId">With sender and receiver the idempotency key: other bytes under it are <c>client_id_reused</c>.</param>
public sealed record SendToDevicesRequest(IReadOnlyList<DeviceEnvelope> Envelopes, ClientMessageId ClientId);

/// <param name="Body">
/// 1 to <see cref="Limits.PairwiseBytes"/>; all together at most <see cref="Limits.HubHandshakeBytes"/>.
/// </param>
public sealed record DeviceEnvelope(DeviceId Device, byte[] Body);

public sealed record DeviceMessagesPage(IReadOnlyList<DeviceMessage> Messages, bool More);

public sealed record AckDeviceRequest(IReadOnlyList<Guid> Ids);

/// <summary>Raises this device's delivered or read mark; lower values than the stored ones are ignored.</summary>
public sealed record MarkRequest(IReadOnlyList<ReceiptMark> Marks);

public sealed record ReceiptMark(ConversationId Conversation, long Delivered, long Read);

public sealed record Receipt(
    ConversationId Conversation, AccountId Account, DeviceId Device, long Delivered, long Read);

public sealed record TypingRequest(ConversationId Conversation, bool Active);

/// <param name="TtlMs">The signal is void after this long unless renewed.</param>
public sealed record EphemeralSignal(
    EphemeralKind Kind, ConversationId Conversation, AccountId Account, bool Active, int TtlMs);

public enum EphemeralKind
{
    Typing = 1,
}

/// <param name="Conversation">For a resync of one conversation; null for all.</param>
/// <param name="ReconnectAfterMs">For a reconnect: wait this long, plus jitter.</param>
public sealed record ControlSignal(ControlKind Kind, ConversationId? Conversation = null, int? ReconnectAfterMs = null);

public enum ControlKind
{
    /// <summary>Something was dropped on the way: call Sync.</summary>
    Resync = 1,

    /// <summary>This device's session is over; the connection closes.</summary>
    Revoked = 2,

    /// <summary>The node is going away: reconnect after the given delay.</summary>
    Reconnect = 3,

    /// <summary>The client is too old for this server.</summary>
    Upgrade = 4,

    /// <summary>Few one-time key packages are left: upload more.</summary>
    KeyPackagesLow = 5,
}
