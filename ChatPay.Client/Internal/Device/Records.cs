using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>Who this store's device is, and its session.</summary>
/// <param name="Token">The bearer token; null once it is known to be over.</param>
/// <param name="DeviceToken">What the device is recognised by when it signs in again.</param>
/// <param name="Lineage">The history that all cursors belong to; null before the first greeting.</param>
/// <param name="LastResortUntil">When the last-resort key package on the server ends.</param>
internal sealed record DeviceRecord(
    AccountView Account, DeviceId Device, DateTimeOffset CreatedAt, string? Token, string? DeviceToken, bool Sandbox,
    IReadOnlyList<AssetView> Assets, Guid? Lineage, DateTimeOffset LastResortUntil);

/// <summary>What changes seldom about a conversation.</summary>
/// <param name="ViewSeq">
/// Members and removals are known as of this seq, by a view of the server; later events change them.
/// </param>
/// <param name="Former">People who were members once, the latest last, for names.</param>
/// <param name="NameSeq">Seq of the last message that set or repeated the group's name.</param>
/// <param name="RetentionDays">For how long the server keeps the log, whoever has set it; null for good.</param>
/// <param name="IsRetentionOpen">
/// The log says that it is the server's default, and no view has told yet how long that is.
/// </param>
internal sealed record ConversationRecord(
    ConversationId Id, ConversationKind Kind, DateTimeOffset CreatedAt, long JoinedSeq,
    IReadOnlyList<MemberView> Members,
    IReadOnlyList<AccountView> Former, IReadOnlyList<PendingRemoval> PendingRemovals, long ViewSeq, bool Active,
    string? Name, long NameSeq, int? RetentionDays, bool IsRetentionOpen = false);

/// <summary>Where this device stands in a conversation; written with every batch of events.</summary>
/// <param name="Cursor">The last seq that was applied.</param>
/// <param name="Head">The newest seq that the server has told of.</param>
/// <param name="Epoch">The server's epoch at <paramref name="Head"/>, as far as it told.</param>
/// <param name="Read">Everything up to this seq was read.</param>
/// <param name="Replayed">Up to this seq the log was applied once before, in an earlier lineage.</param>
internal sealed record PlaceRecord(long Cursor, long Head, long Epoch, long Read, long Replayed);

/// <summary>What belongs to a group besides its sealed state.</summary>
/// <param name="Epoch">The epoch that the sealed state is in.</param>
/// <param name="JoinSeq">Events up to here are from before this device joined and cannot be read.</param>
/// <param name="LastCommit">SHA-256 of the commit that led to this epoch; empty after a Welcome.</param>
/// <param name="Own">
/// The leaves of this device's account in this epoch, its own among them; null where an earlier version wrote this.
/// </param>
internal sealed record GroupFacts(
    long Epoch, long JoinSeq, byte[] LastCommit, IReadOnlyList<OwnLeaf>? Own = null);

/// <summary>A leaf, of whose account the place says: mostly this device's.</summary>
/// <param name="IdentityKey">
/// Vouches for the device, 32 bytes; empty for a leaf that proves nothing, from before the account had a chain.
/// </param>
/// <param name="SignatureKey">The device's, 32 bytes; null where an earlier version wrote this.</param>
internal sealed record OwnLeaf(DeviceId Device, byte[] IdentityKey, byte[]? SignatureKey = null);

/// <summary>A leaf as a group or a key package shows it.</summary>
internal sealed record ShownLeaf(AccountId Account, OwnLeaf Leaf);

/// <summary>What belongs to a commit that nobody has accepted yet, besides its sealed state.</summary>
/// <param name="Epoch">The epoch it was made in.</param>
/// <param name="Joining">The commit is this device's own way into the group.</param>
internal sealed record PendingFacts(ClientMessageId ClientId, long Epoch, bool Joining);

/// <summary>A key package whose public half is, or will be, on the server.</summary>
/// <param name="Bundle">Sealed.</param>
/// <param name="Unsent">The public half, until the server is known to have it.</param>
internal sealed record KeyPackageRecord(
    bool LastResort, DateTimeOffset NotAfter, byte[] Bundle, byte[]? Unsent = null);

/// <summary>A card as this device knows it.</summary>
/// <param name="Memo">Null where this device cannot read it.</param>
internal sealed record CardRecord(CardView View, string? Memo, CardTrust Trust);

/// <summary>A message on its way: encrypted, and perhaps sent.</summary>
/// <param name="Order">Its place in the outbox.</param>
/// <param name="Content">The plaintext, to be encrypted again where others were faster.</param>
/// <param name="Body">The message as it is sent, always the same; null once it is known to be void.</param>
/// <param name="Card">What goes with a card.</param>
internal sealed record OutboxRecord(
    ConversationId Conversation, ClientMessageId ClientId, long Order, DateTimeOffset At, byte[] Content, long Epoch,
    byte[]? Body, OutboxCard? Card);

/// <summary>A card's terms as they are posted.</summary>
/// <param name="IdempotencyKey">
/// Another one for other bytes; the card's id stays what guards against paying twice.
/// </param>
internal sealed record OutboxCard(
    CardId Id, CardKind Kind, AccountId Payer, AccountId Payee, long AmountMinor, string Asset, int LifetimeSeconds,
    byte[] DetailCommit, Guid IdempotencyKey, CardPlan? Plan = null)
{
    /// <summary>What it settles.</summary>
    public CardTerms TermsIn(ConversationId conversation) => new(
        Kind, Id, conversation, Payer, Payee, Money.Of(AmountMinor, AssetCode.Parse(Asset)), LifetimeSeconds, Plan);
}
