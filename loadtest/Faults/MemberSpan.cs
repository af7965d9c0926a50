using ChatPay.Core.Protocol;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// From the event that brought an account into a conversation to the one that took it out, both included: these it is to be
/// handed, and nothing else.
/// </summary>
/// <param name="To"><see cref="long.MaxValue"/> while it is in.</param>
internal readonly record struct MemberSpan(long From, long To)
{
    public bool IsOpen => To == long.MaxValue;

    public bool Holds(long seq) => seq >= From && seq <= To;

    /// <summary>What a log says of an account, in order.</summary>
    /// <param name="founder">Whether it is in from the beginning.</param>
    public static IReadOnlyList<MemberSpan> Of(IEnumerable<LogEntry> log, AccountId account, bool founder)
    {
        ArgumentNullException.ThrowIfNull(log);
        var spans = new List<MemberSpan>();
        if (founder)
        {
            spans.Add(new(1, long.MaxValue));
        }

        foreach (var entry in log)
        {
            var isIn = spans is [.., { IsOpen: true }];
            if (isIn && entry.Members is { } gone && gone.Takes(account))
            {
                spans[^1] = spans[^1] with { To = entry.Seq };
            }
            else if (!isIn && entry.Members is { } come && come.Brings(account))
            {
                spans.Add(new(entry.Seq, long.MaxValue));
            }
        }

        return spans;
    }
}
