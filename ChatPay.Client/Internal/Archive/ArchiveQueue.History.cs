using ChatPay.Core.Archive;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Archive;

/// <content>What is queued out of the local history: all of it at first, and later what there was no room for.</content>
internal sealed partial class ArchiveQueue
{
    /// <summary>Items of the history that are looked at in one write.</summary>
    private const int HistoryItems = 100;

    /// <summary>By conversation, at most one of each; behind the gate.</summary>
    private readonly Dictionary<ConversationId, Gap> _gaps = [];
    private volatile bool _hasGaps;

    /// <summary>Whether something of the local history is still to be queued.</summary>
    public bool LooksBack => _record is { Backfill: not null } || _hasGaps;

    /// <summary>Queues the next of what is in the local history and was not queued as it came.</summary>
    public async Task LookBackAsync(CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            if (_record is { Backfill: { } after } record)
            {
                var batch = new Batch(core);
                var query = new StoreQuery(StoreKeys.AllItems) { After = after.Length > 0 ? after : null };
                var last = await PutAsync(batch, query, cancellationToken);
                Put(batch, record with { Backfill = last });
                await batch.WriteAsync(cancellationToken);
            }
            else if (_record is not null && _gaps.Count > 0)
            {
                await FillAsync(_gaps.First(), cancellationToken);
            }
        }
    }

    private async Task FillAsync(KeyValuePair<ConversationId, Gap> first, CancellationToken cancellationToken)
    {
        var (conversation, gap) = first;
        var batch = new Batch(core);
        var query = new StoreQuery(StoreKeys.Items(conversation)) { After = StoreKeys.Item(conversation, gap.From - 1) };
        if (await PutAsync(batch, query, cancellationToken) is { } last)
        {
            PutGap(batch, conversation, StoreKeys.NumberOf(last) + 1);
        }
        else
        {
            batch.Put(StoreKeys.ArchiveGap(conversation), null);
            batch.After(() =>
            {
                _gaps.Remove(conversation);
                _hasGaps = _gaps.Count > 0;
            });
        }

        await batch.WriteAsync(cancellationToken);
    }

    /// <summary>
    /// Few wait when this is called, so what it adds is within what the queue has room for.
    /// </summary>
    /// <returns>The key of the last item that was looked at; null after the last one that there is.</returns>
    private async Task<string?> PutAsync(Batch batch, StoreQuery query, CancellationToken cancellationToken)
    {
        var page = await core.Store.ListAsync(query with { Limit = HistoryItems }, cancellationToken);
        foreach (var (_, value) in page)
        {
            var item = DeviceCore.Decode<ChatItem>(value);
            if (core.TryFind(item.Conversation, out var state) && IsWanted(state.Record)
                && ArchiveItems.TryRead(item, out var archived))
            {
                Put(batch, archived, item.By!);
            }
        }

        return page.Count < HistoryItems ? null : page[^1].Key;
    }

    /// <summary>
    /// Whether a message is left to the history, for there is no room, or something before it in its conversation is left to
    /// it already: then it comes by itself, and once.
    /// </summary>
    private bool LeavesOut(Batch batch, ArchivedItem item)
    {
        var isFull = Waiting.Count >= core.Options.MaxWaitingForArchive;
        if (core.Options.HistoryPerConversation == 0)
        {
            // There is none to look it up in.
            return isFull;
        }

        var gap = _gaps.GetValueOrDefault(item.Conversation);
        if (gap is null && !isFull)
        {
            return false;
        }

        // This device's own messages may be told of before what stands before them in the log.
        if (gap is not { IsWritten: true } || item.Seq < gap.From)
        {
            PutGap(batch, item.Conversation, Math.Min(item.Seq, gap?.From ?? item.Seq));
        }

        return true;
    }

    private void PutGap(Batch batch, ConversationId conversation, long from)
    {
        _gaps[conversation] = new Gap(from, IsWritten: false);
        batch.Put(StoreKeys.ArchiveGap(conversation), DeviceCore.Encode(new ArchiveGapRecord(conversation, from)));
        batch.After(() =>
        {
            _gaps[conversation] = new Gap(from, IsWritten: true);
            _hasGaps = true;
        });
    }

    private async Task LoadGapsAsync(CancellationToken cancellationToken)
    {
        ForgetGaps();
        await foreach (var (_, value) in core.ListAsync(StoreKeys.ArchiveGaps, cancellationToken))
        {
            var (conversation, from) = DeviceCore.Decode<ArchiveGapRecord>(value);
            _gaps[conversation] = new Gap(from, IsWritten: true);
        }

        _hasGaps = _gaps.Count > 0;
    }

    private void ForgetGaps()
    {
        _gaps.Clear();
        _hasGaps = false;
    }

    /// <param name="From">A seq.</param>
    /// <param name="IsWritten">Not while it is in a batch, which may be abandoned.</param>
    private sealed record Gap(long From, bool IsWritten);
}
