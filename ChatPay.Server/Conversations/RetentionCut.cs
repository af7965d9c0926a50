using ChatPay.Core.Protocol;

namespace ChatPay.Server.Conversations;

/// <summary>A log that may have events to remove, its row locked.</summary>
internal sealed record AgingLog(ConversationId Id, long FirstSeq, long Head)
{
    /// <summary>When its oldest events were appended, from <see cref="FirstSeq"/> on, as many as were asked for.</summary>
    public List<DateTimeOffset> Times { get; } = [];
}

/// <summary>How much of a log goes now.</summary>
/// <param name="To">The log begins here afterwards.</param>
/// <param name="OldestAt">Not worth a look before this is older than the log is kept.</param>
internal readonly record struct RetentionCut(ConversationId Id, long From, long To, DateTimeOffset OldestAt)
{
    /// <summary>
    /// What is left when everything is too old is the newest event, which stays; such a log is looked at again a day
    /// later.
    /// </summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromDays(1);

    public long Count => To - From;

    /// <summary>
    /// Events go from the beginning up to the first that is young enough, so no gap comes about where clocks went back;
    /// never the newest, and never more than <paramref name="most"/>.
    /// </summary>
    public static RetentionCut Decide(AgingLog log, DateTimeOffset cutoff, int most)
    {
        var gone = 0;
        while (gone < most && gone < log.Times.Count && log.FirstSeq + gone < log.Head && log.Times[gone] < cutoff)
        {
            gone++;
        }

        var to = log.FirstSeq + gone;
        var next = gone < log.Times.Count ? log.Times[gone] : cutoff;
        return new(log.Id, log.FirstSeq, to, to == log.Head && next < cutoff ? cutoff + s_pause : next);
    }
}
