using System.Security.Cryptography;
using ChatPay.Core.Archive;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Archive;

/// <summary>
/// What waits to be archived, in the store: written with the item that it is a copy of, and taken out with the chunk that it
/// goes into. Everything that changes it happens behind the core's gate.
/// </summary>
internal sealed partial class ArchiveQueue(DeviceCore core)
{
    public const int ItemsPerChunk = 32;

    /// <summary>A longer item goes alone; the longest there is fits into a chunk.</summary>
    public const int BytesPerChunk = 48 * 1024;

    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = New();
    private volatile ArchiveRecord? _record;
    private volatile bool _hasChunk;
    private int _count;
    private long _bytes;
    private long _next = 1;
    private DateTimeOffset _since;

    /// <summary>Null while no archive is on, as far as this device knows and can write to it.</summary>
    public ArchiveRecord? Record => _record;

    /// <summary>Whether a chunk is sealed that the server is not known to have.</summary>
    public bool HasChunk => _hasChunk;

    /// <summary>How much waits, and since when.</summary>
    public (int Count, long Bytes, DateTimeOffset Since) Waiting
    {
        get
        {
            lock (_lock)
            {
                return (_count, _bytes, _since);
            }
        }
    }

    /// <summary>Completes at the next change.</summary>
    public Task Changed
    {
        get
        {
            lock (_lock)
            {
                return _changed.Task;
            }
        }
    }

    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        _record = await core.ReadAsync<ArchiveRecord>(StoreKeys.Archive, cancellationToken);
        _hasChunk = await ChunkAsync(cancellationToken) is not null;
        await LoadGapsAsync(cancellationToken);
        var (count, bytes, next) = (0, 0L, 1L);
        await foreach (var (key, value) in core.ListAsync(StoreKeys.ArchiveQueue, cancellationToken))
        {
            (count, bytes, next) = (count + 1, bytes + value.Length, StoreKeys.NumberOf(key) + 1);
            CryptographicOperations.ZeroMemory(value);
        }

        lock (_lock)
        {
            (_count, _bytes, _next, _since) = (count, bytes, next, core.Time.GetUtcNow());
        }
    }

    public async Task<ArchiveChunkRecord?> ChunkAsync(CancellationToken cancellationToken) =>
        await core.ReadAsync<ArchiveChunkRecord>(StoreKeys.ArchiveChunk, cancellationToken);

    /// <summary>A message that this batch stores goes into the archive too, where one is on and it may.</summary>
    /// <param name="by">Null for somebody whom nobody names.</param>
    /// <param name="item">What <see cref="ChatItem"/> there is of it; a group's name that is not news has none.</param>
    public void Take(
        Batch batch, ConversationDraft draft, MessageContent? content, ChatItem? item, ArchivePlace place, AccountView? by)
    {
        if (_record is not null && place is { Device: { } device, Id: { } id } && by is not null
            && ArchiveItems.Of(content, (item as CardPosted)?.Card) is { } archived)
        {
            var taken = new ArchivedItem(place.Conversation, place.Seq, place.At, by.Id, device, id, archived);
            if (IsWanted(draft.Record) && !LeavesOut(batch, taken))
            {
                Put(batch, taken, by);
            }
        }
    }

    /// <summary>Begins to write to an archive, from the local history on; nothing where it is that one already.</summary>
    public async Task BeginAsync(ArchiveId id, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            if (_record?.Id == id)
            {
                return;
            }

            await ClearAsync(cancellationToken);
            var record = new ArchiveRecord(id, -1, [], "");
            await core.WriteAsync([new(StoreKeys.Archive, DeviceCore.Encode(record))], cancellationToken);
            _record = record;
        }

        Announce();
    }

    /// <summary>Nothing is archived any more; what waited is forgotten.</summary>
    public async Task DropAsync(CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            await ClearAsync(cancellationToken);
        }

        Announce();
    }

    public void Announce()
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            (changed, _changed) = (_changed, New());
        }

        changed.TrySetResult();
    }

    /// <summary>
    /// Whether a conversation's messages may be kept for longer than the server keeps them, or may turn out to be such by the
    /// time that they are sealed.
    /// </summary>
    private static bool IsWanted(ConversationRecord conversation) => conversation.RetentionDays is null;

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Put(Batch batch, ArchivedItem item, AccountView by)
    {
        var bytes = ArchiveJson.Encode(new ArchiveContent([by], [item]));
        long number;
        lock (_lock)
        {
            number = _next++;
        }

        batch.Put(StoreKeys.ArchiveWaiting(number), bytes);
        batch.After(() => Stored(1, bytes.Length));
    }

    private void Put(Batch batch, ArchiveRecord record)
    {
        batch.Put(StoreKeys.Archive, DeviceCore.Encode(record));
        batch.After(() => _record = record);
    }

    private void Stored(int count, long bytes)
    {
        lock (_lock)
        {
            if (_count == 0)
            {
                _since = core.Time.GetUtcNow();
            }

            _count += count;
            _bytes += bytes;
        }

        Announce();
    }

    /// <summary>The record goes last: a program that dies in between finds it, and does this again.</summary>
    private async Task ClearAsync(CancellationToken cancellationToken)
    {
        _record = null;
        await RemoveAsync(StoreKeys.ArchiveQueue, cancellationToken);
        await RemoveAsync(StoreKeys.ArchiveGaps, cancellationToken);
        ForgetGaps();
        await core.WriteAsync(
            [new(StoreKeys.ArchiveChunk, null), new(StoreKeys.Archive, null)], CancellationToken.None);
        _hasChunk = false;
        lock (_lock)
        {
            (_count, _bytes) = (0, 0);
        }
    }

    private async Task RemoveAsync(string prefix, CancellationToken cancellationToken)
    {
        for (IReadOnlyList<StoreEntry> page;
            (page = await core.Store.ListAsync(new(prefix), cancellationToken)).Count > 0;)
        {
            foreach (var entry in page)
            {
                CryptographicOperations.ZeroMemory(entry.Value);
            }

            await core.WriteAsync(
                [.. page.Select(static entry => new StoreChange(entry.Key, null))], CancellationToken.None);
        }
    }
}
