using System.Security.Cryptography;
using ChatPay.Core.Archive;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Archive;

/// <content>From items that wait to chunks that are sealed, sent and done.</content>
internal sealed partial class ArchiveQueue
{
    /// <summary>
    /// Conversations of which only a view can tell how long they are kept; somebody who is no member is not told.
    /// </summary>
    public IReadOnlyList<ConversationId> Untold =>
        [.. core.Conversations.Select(static state => state.Record).Where(IsUntold).Select(static record => record.Id)];

    /// <summary>The server says how long it keeps a conversation.</summary>
    public async Task ToldAsync(ConversationView view, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            if (core.TryFind(view.Id, out var state) && IsUntold(state.Record))
            {
                var batch = new Batch(core);
                var draft = batch.Of(state);
                draft.Record = Views.KeptFor(draft.Record, view.RetentionDays);
                await batch.WriteAsync(cancellationToken);
            }
        }
    }

    /// <summary>
    /// Seals what waited longest into the next chunk; the items go as the chunk comes. Those wait on of which it became unclear
    /// meanwhile whether they may be archived.
    /// </summary>
    /// <param name="refused">Conversations of which the server does not tell how long it keeps them.</param>
    public async Task SealAsync(
        ArchiveCipher cipher, IReadOnlyCollection<ConversationId> refused, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            if (_record is not { Next: >= 0 } record || record.Id != cipher.Id || _hasChunk)
            {
                return;
            }

            var changes = new List<StoreChange>();
            var (people, items, bytes) = (new Dictionary<AccountId, AccountView>(), new List<ArchivedItem>(), 0L);
            var query = new StoreQuery(StoreKeys.ArchiveQueue) { Limit = ItemsPerChunk };
            foreach (var (key, value) in await core.Store.ListAsync(query, cancellationToken))
            {
                if ((bytes == 0 || bytes + value.Length <= BytesPerChunk) && TryMerge(value, refused, people, items))
                {
                    changes.Add(new(key, null));
                    bytes += value.Length;
                }

                CryptographicOperations.ZeroMemory(value);
            }

            var removed = changes.Count;
            if (removed == 0)
            {
                return;
            }

            if (items.Count > 0)
            {
                var json = ArchiveJson.Encode(new ArchiveContent([.. people.Values], items));
                var chunk = cipher.Seal(core.Device.Device, record.Next, record.Previous, json, GroupKeeper.Random);
                CryptographicOperations.ZeroMemory(json);
                changes.Add(new(
                    StoreKeys.ArchiveChunk, DeviceCore.Encode(new ArchiveChunkRecord(record.Next, chunk))));
            }

            await core.WriteAsync(changes, cancellationToken);
            _hasChunk = items.Count > 0;
            lock (_lock)
            {
                _count -= removed;
                _bytes -= bytes;
                _since = core.Time.GetUtcNow();
            }
        }
    }

    /// <summary>The server has the chunk: the next one goes behind it.</summary>
    public async Task SentAsync(ArchiveRecord sent, ArchiveChunkRecord chunk, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            if (_record is { } record && record.Id == sent.Id && record.Next == chunk.Number)
            {
                record = record with { Next = chunk.Number + 1, Previous = ArchiveCipher.DigestOf(chunk.Sealed) };
                await core.WriteAsync(
                    [new(StoreKeys.Archive, DeviceCore.Encode(record)), new(StoreKeys.ArchiveChunk, null)],
                    cancellationToken);
                (_record, _hasChunk) = (record, false);
            }
        }
    }

    /// <summary>
    /// Goes on behind what the server has of this device: it is the first time, or the server has more or less than this
    /// device remembers, after a restored backup for instance. A chunk that is sealed already is sealed anew for its place.
    /// </summary>
    /// <param name="isLess">Whether to begin again with the local history: some of it may be gone.</param>
    /// <returns>Whether that is another place than before.</returns>
    public async Task<bool> MoveAsync(
        ArchiveCipher cipher, long next, byte[] previous, bool isLess, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            if (_record is not { } record || record.Id != cipher.Id
                || (record.Next == next && record.Previous.AsSpan().SequenceEqual(previous)))
            {
                return false;
            }

            var changes = new List<StoreChange>();
            if (await ChunkAsync(cancellationToken) is { } chunk)
            {
                changes.Add(new(StoreKeys.ArchiveChunk, Reseal(cipher, record, chunk, next, previous)));
            }

            record = record with { Next = next, Previous = previous, Backfill = isLess ? "" : record.Backfill };
            changes.Add(new(StoreKeys.Archive, DeviceCore.Encode(record)));
            await core.WriteAsync(changes, cancellationToken);
            (_record, _hasChunk) = (record, changes[0].Key == StoreKeys.ArchiveChunk && changes[0].Value is not null);
            return true;
        }
    }

    private byte[]? Reseal(
        ArchiveCipher cipher, ArchiveRecord record, ArchiveChunkRecord chunk, long next, byte[] previous)
    {
        var device = core.Device.Device;
        if (!cipher.TryOpen(device, chunk.Number, record.Previous, chunk.Sealed, out var json))
        {
            // It was this device that sealed it, so the store is not what it was; what is lost is in the history still.
            return null;
        }

        var moved = new ArchiveChunkRecord(next, cipher.Seal(device, next, previous, json, GroupKeeper.Random));
        CryptographicOperations.ZeroMemory(json);
        return DeviceCore.Encode(moved);
    }

    private static bool IsUntold(ConversationRecord conversation) =>
        conversation is { Active: true, IsRetentionOpen: true };

    /// <summary>A conversation may have been given a retention since the item began to wait: then it goes unarchived.</summary>
    /// <returns>False for one that is to wait on.</returns>
    private bool TryMerge(
        byte[] waiting, IReadOnlyCollection<ConversationId> refused, Dictionary<AccountId, AccountView> people,
        List<ArchivedItem> items)
    {
        if (!ArchiveJson.TryDecode(waiting, out var content) || content.Items is not [var item])
        {
            return true;
        }

        var record = core.TryFind(item.Conversation, out var state) ? state.Record : null;
        if (record is not null && IsUntold(record) && !refused.Contains(record.Id))
        {
            return false;
        }

        if (record is null or { RetentionDays: null, IsRetentionOpen: false })
        {
            items.Add(item);
            foreach (var person in content.People)
            {
                people[person.Id] = person;
            }
        }

        return true;
    }
}
