using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.Cluster;

/// <summary>Compares what was delivered with the heads of the logs, and delivers what is missing by the same door.</summary>
internal sealed class HeadWatch(WatchStore store, ConnectionRegistry registry)
{
    private const int HeadsPerQuery = 20_000;
    private const int ConversationsPerPage = 100;

    /// <summary>Looks at all conversations that are heard here.</summary>
    public Task CheckAsync(CancellationToken cancellationToken) => CheckAsync(registry.Delivered(), cancellationToken);

    public Task CheckAsync(IEnumerable<ConversationId> conversations, CancellationToken cancellationToken) =>
        CheckAsync(registry.Delivered(conversations), cancellationToken);

    private async Task CheckAsync(IReadOnlyList<Cursor> delivered, CancellationToken cancellationToken)
    {
        foreach (var cursors in delivered.Chunk(HeadsPerQuery))
        {
            var ahead = await store.AheadAsync(cursors, cancellationToken);
            await CatchUpAsync(ahead.ToDictionary(head => head.Conversation, head => head.Seq), cancellationToken);
        }
    }

    /// <summary>Page by page until every feed is as far as its head was, or nobody hears it any more.</summary>
    private async Task CatchUpAsync(Dictionary<ConversationId, long> heads, CancellationToken cancellationToken)
    {
        while (heads.Count > 0)
        {
            Cursor[] behind =
            [
                .. registry.Delivered(heads.Keys.Take(ConversationsPerPage))
                    .Where(cursor => cursor.Seq < heads[cursor.Conversation]),
            ];
            foreach (var done in heads.Keys.Take(ConversationsPerPage).Except(behind.Select(one => one.Conversation)).ToArray())
            {
                heads.Remove(done);
            }

            if (behind.Length > 0)
            {
                Deliver(behind, await store.NextAsync(behind, cancellationToken), heads);
            }
        }
    }

    private void Deliver(Cursor[] behind, IReadOnlyList<Event> events, Dictionary<ConversationId, long> heads)
    {
        var after = behind.ToDictionary(cursor => cursor.Conversation, cursor => cursor.Seq);
        ClusterMetrics.CatchUp(events.Count);
        foreach (var logged in events)
        {
            registry.Offer(LoggedPush.Of(logged) with { After = after[logged.Conversation] });
            after[logged.Conversation] = logged.Seq;
        }

        // The first is always answered. If it was not, what it lacks is no longer in the log.
        var first = behind[0];
        if (events.Count == 0 || events[0].Conversation != first.Conversation)
        {
            registry.Skip(first.Conversation, first.Seq, heads[first.Conversation]);
            heads.Remove(first.Conversation);
        }
    }
}
