using System.Security.Cryptography;
using ChatPay.Core.Archive;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Archive;

/// <content>From items that wait to chunks that are sealed, sent and done.</content>
internal sealed partial class ArchiveQueue
{
    /// <summary>Items of the history that are looked at in one write.</summary>
    private const int BackfillItems = 100;

    /// <summary>Queues the next of what was in the local history when the archive began.</summary>
    public async Task BackfillAsync(CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            if (_record is not { Backfill: { } after } record)
            {
                return;
            }

            var batch = new Batch(core);
            var query = new StoreQuery(StoreKeys.AllItems) { After = after.Length > 0 ? after : null, Limit = BackfillItems };
            var page = await core.Store.ListAsync(query, cancellationToken);
            foreach (var (_, value) in page)
            {
                var item = DeviceCore.Decode<ChatItem>(value);
                if (core.TryFind(item.Conversation, out var state) && ArchiveItems.TryRead(item, out var archived))
                {
                    Take(batch, state.Record, archived, item.By!);
                }
            }

            Put(batch, record with { Backfill = page.Count < BackfillItems ? null : page[^1].Key });
            await batch.WriteAsync(cancellationToken);
        }
    }

    /// <summary>Seals what waited longest into the next chunk; the items go as the chunk comes.</summary>
    public async Task SealAsync(ArchiveCipher cipher, CancellationToken cancellationToken)
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
                if (bytes == 0 || bytes + value.Length <= BytesPerChunk)
                {
                    changes.Add(new(key, null));
                    bytes += value.Length;
                    Merge(value, people, items);
                }

                CryptographicOperations.ZeroMemory(value);
            }

            var removed = changes.Count;
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

    /// <summary>A conversation may have been given a retention since the item began to wait.</summary>
    private void Merge(byte[] waiting, Dictionary<AccountId, AccountView> people, List<ArchivedItem> items)
    {
        if (ArchiveJson.TryDecode(waiting, out var content) && content.Items is [var item]
            && (!core.TryFind(item.Conversation, out var state) || MayArchive(state.Record)))
        {
            items.Add(item);
            foreach (var person in content.People)
            {
                people[person.Id] = person;
            }
        }
    }
}
