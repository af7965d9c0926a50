using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// Where a session stands in each of its logs. Only the session's one reader moves it; others may look at any time.
/// </summary>
internal sealed class SessionLog
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ConversationId, Place> _places = [];
    private Guid? _lineage;
    private long _moves;

    public SessionLog(ChatPosition start)
    {
        _lineage = start.Lineage;

        // The latest come first, so they are counted last.
        foreach (var cursor in start.Cursors.Reverse())
        {
            _places[cursor.Conversation] = new Place { Seq = cursor.Seq, MovedAt = ++_moves };
        }
    }

    /// <summary>The latest first; conversations that are gone are left out.</summary>
    public ChatPosition Position
    {
        get
        {
            lock (_lock)
            {
                return new(_lineage, [.. _places.Where(place => !place.Value.Gone)
                    .OrderByDescending(place => place.Value.MovedAt)
                    .Select(place => new Cursor(place.Key, place.Value.Seq))]);
            }
        }
    }

    /// <summary>Returns whether the cursors so far belong to another history; they are dropped then.</summary>
    public bool Adopt(Guid lineage)
    {
        lock (_lock)
        {
            var other = _lineage is { } known && known != lineage;
            if (other)
            {
                _places.Clear();
            }

            _lineage = lineage;
            return other;
        }
    }

    /// <summary>The last seq that was handled, 0 in a conversation that is new.</summary>
    public long SeqOf(ConversationId conversation)
    {
        lock (_lock)
        {
            return _places.GetValueOrDefault(conversation)?.Seq ?? 0;
        }
    }

    public bool Knows(ConversationId conversation)
    {
        lock (_lock)
        {
            return _places.ContainsKey(conversation);
        }
    }

    public void MoveTo(ConversationId conversation, long seq)
    {
        lock (_lock)
        {
            if (!_places.TryGetValue(conversation, out var place))
            {
                _places.Add(conversation, place = new Place());
            }

            place.Seq = Math.Max(place.Seq, seq);
            place.Gone = false;
            place.MovedAt = ++_moves;
        }
    }

    /// <summary>Returns whether that is news. The seq is kept, in case the account comes back.</summary>
    public bool Leave(ConversationId conversation)
    {
        lock (_lock)
        {
            if (!_places.TryGetValue(conversation, out var place) || place.Gone)
            {
                return false;
            }

            place.Gone = true;
            return true;
        }
    }

    private sealed class Place
    {
        public long Seq { get; set; }

        public long MovedAt { get; set; }

        public bool Gone { get; set; }
    }
}
