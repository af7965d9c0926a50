using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Archive;

/// <summary>The archive that this device writes to, and how far it has come; there while it is on.</summary>
/// <param name="Next">The number of this device's next chunk; less than none until the server has been asked.</param>
/// <param name="Previous">Digest of the chunk before that one, 32 bytes; empty until then.</param>
/// <param name="Backfill">
/// The store's key of the last item of the local history that was queued: empty before the first one, null after the last.
/// </param>
internal sealed record ArchiveRecord(ArchiveId Id, long Next, byte[] Previous, string? Backfill);

/// <summary>What the queue has had no room for: a conversation's messages from this one on, until they are looked up.</summary>
/// <param name="From">A seq.</param>
internal sealed record ArchiveGapRecord(ConversationId Conversation, long From);

/// <summary>Where a message stands that may be archived.</summary>
/// <param name="Device">Its sender's.</param>
/// <param name="Id">As its sender called it.</param>
internal readonly record struct ArchivePlace(
    ConversationId Conversation, long Seq, DateTimeOffset At, DeviceId? Device, ClientMessageId? Id);

/// <summary>A sealed chunk on its way: sent again, it is the same bytes.</summary>
internal sealed record ArchiveChunkRecord(long Number, byte[] Sealed);
