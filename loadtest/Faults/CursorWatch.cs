using ChatPay.Core.Protocol;

namespace ChatPay.LoadTest.Faults;

/// <summary>Looks at where a device says that it stands, again and again: within one history it only ever moves on.</summary>
internal sealed class CursorWatch
{
    private readonly Dictionary<ConversationId, long> _last = [];
    private Guid? _lineage;

    /// <param name="mayGo">Conversations that the account may be in no longer.</param>
    /// <returns>The cursors that went back, in words; empty where none did.</returns>
    public IReadOnlyList<string> Observe(
        Guid? lineage, IReadOnlyList<Cursor> cursors, IReadOnlySet<ConversationId>? mayGo = null)
    {
        ArgumentNullException.ThrowIfNull(cursors);
        if (lineage != _lineage)
        {
            // Another history of the database: the protocol has every device begin anew.
            _last.Clear();
            _lineage = lineage;
        }

        var back = new List<string>();
        foreach (var (conversation, seq) in cursors)
        {
            if (seq < _last.GetValueOrDefault(conversation))
            {
                back.Add($"{conversation} went from {_last[conversation]} back to {seq}");
            }

            _last[conversation] = seq;
        }

        foreach (var missing in _last.Keys.Except(cursors.Select(cursor => cursor.Conversation)).ToList())
        {
            // It comes back with what comes after it was gone, so its last place goes on being compared with.
            if (mayGo?.Contains(missing) is true)
            {
                continue;
            }

            back.Add($"{missing} is without a cursor");
            _last.Remove(missing);
        }

        return back;
    }
}
