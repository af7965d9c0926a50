using ChatPay.Core.Protocol;
using ChatPay.Server.Presence;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.Cluster;

/// <summary>
/// Something that one node tells the others so that they need not wait for their next check. Every hint may be lost, come
/// twice or late, and nothing may follow from it that the database does not say.
/// </summary>
internal abstract record Hint;

/// <summary>An event of a conversation's log, as it was serialised for connections.</summary>
/// <param name="HasToBeRead">Whether somebody comes or goes by it, or not everybody may see all of it.</param>
internal sealed record EventHint(ConversationId Conversation, long Seq, bool HasToBeRead, byte[] Json) : Hint;

/// <summary>An event too large to be sent along.</summary>
internal sealed record HeadHint(ConversationId Conversation, long Seq) : Hint;

/// <summary>Receipts and typing: for all who hear the conversation.</summary>
internal sealed record SignalHint(ConversationId Conversation, AccountId? Except, PushKind Kind, byte[] Json) : Hint;

/// <param name="Message">Of a device message: its id, by which one that is read from the database is known again.</param>
internal sealed record DeviceHint(DeviceId Device, Guid Message, PushKind Kind, byte[] Json) : Hint;

/// <param name="Version">Of the ledger account.</param>
internal sealed record WalletHint(AccountId Account, string Asset, long Version, byte[] Json) : Hint;

/// <summary>For all devices of an account; nobody misses it for long.</summary>
internal sealed record AccountHint(AccountId Account, PushKind Kind, byte[] Json) : Hint;

/// <summary>Accounts that have come into a conversation.</summary>
internal sealed record JoinHint(ConversationId Conversation, IReadOnlyList<AccountId> Accounts) : Hint;

/// <summary>A session of the device is over, or all of them.</summary>
internal sealed record SessionHint(DeviceId Device) : Hint;

/// <summary>Who has come to a node, or gone from it.</summary>
/// <param name="Changes">At most 1,000.</param>
internal sealed record PresenceHint(Guid Node, IReadOnlyList<PresenceChange> Changes) : Hint;

/// <summary>The account shows from now on whether it is there, or hides it.</summary>
internal sealed record VisibilityHint(AccountId Account) : Hint;

/// <summary>A node's own voice, by which it knows that it hears.</summary>
internal sealed record PulseHint : Hint;
