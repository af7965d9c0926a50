using System.Runtime.InteropServices;
using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Realtime;

/// <summary>An event on its way to connections, serialised once.</summary>
/// <param name="After">The seq before it in the log: one less, unless what lies between has been removed from the log.</param>
/// <param name="Members">Who comes and goes by it, if anybody.</param>
/// <param name="Private">The event, where not every member may see all of it: it is of a card between some of them.</param>
internal sealed record LoggedPush(
    ConversationId Conversation, long Seq, long After, Push Push, MembersChange? Members, Event? Private = null)
{
    private Push? _outside;

    /// <summary>Whether another node has to read it before it can be passed on.</summary>
    public bool HasToBeRead => Members is not null || Private is not null;

    /// <param name="committedAt">Timestamp of the commit; 0 where it was not on this node.</param>
    public static LoggedPush Of(Event logged, long committedAt = 0) => Of(logged, Push.Of(logged, committedAt));

    /// <param name="push">The event as it was serialised.</param>
    public static LoggedPush Of(Event logged, Push push) => new(
        logged.Conversation, logged.Seq, logged.Seq - 1, push, logged.Members,
        logged.Card is { } card && !CardPrivacy.IsPublic(card) ? logged : null);

    /// <summary>What this member is given of it; under the registry's lock.</summary>
    public Push For(AccountId member) => Private is { Card: { } card } logged && !CardPrivacy.IsConcerned(card, member)
        ? _outside ??= Push.Of(CardPrivacy.ForOthers(logged)!, Push.CommittedAt)
        : Push;
}

/// <summary>What became of an event at the door of a feed.</summary>
internal enum Offered
{
    /// <summary>Nobody here hears the conversation.</summary>
    Unheard,

    Delivered,

    /// <summary>It has been here before.</summary>
    Duplicate,

    /// <summary>Others come before it that have not been here; they are in the log.</summary>
    Gap,
}

/// <summary>
/// One conversation as this node's connections hear it: each event once and in order, wherever it comes from. What this
/// node commits, what others tell and what is read from the log all pass <see cref="Take"/>, so a hint that comes twice, too
/// late or not at all does no harm. Guarded by the registry's lock.
/// </summary>
/// <param name="delivered">Seq of the last event that listeners have been given, or need not be given.</param>
internal sealed class ConversationFeed(long delivered)
{
    /// <summary>Events that came too early wait here, so that two that changed places cost no query.</summary>
    private const int EarlyMax = 64;

    private SortedList<long, LoggedPush>? _early;

    public long Delivered { get; private set; } = delivered;

    /// <summary>Who hears it, and from which seq on: a log begins with the commit that added its reader.</summary>
    public Dictionary<ClientConnection, long> Listeners { get; } = [];

    /// <summary>The one rule: the next event advances the feed, an older one is dropped, a later one has to wait.</summary>
    public Offered Take(LoggedPush logged)
    {
        if (logged.Seq <= Delivered)
        {
            return Offered.Duplicate;
        }

        if (logged.After <= Delivered)
        {
            Delivered = logged.Seq;
            return Offered.Delivered;
        }

        _early ??= [];
        if (_early.Count < EarlyMax)
        {
            _early.TryAdd(logged.Seq, logged);
        }

        return Offered.Gap;
    }

    /// <summary>The event that came too early and is next now.</summary>
    public LoggedPush? TakeEarly()
    {
        while (_early is { Count: > 0 } early)
        {
            var first = early.GetValueAtIndex(0);
            if (first.After > Delivered)
            {
                return null;
            }

            early.RemoveAt(0);
            if (Take(first) is Offered.Delivered)
            {
                return first;
            }
        }

        _early = null;
        return null;
    }

    /// <summary>The log has nothing more between the two.</summary>
    public void Skip(long after, long to)
    {
        if (Delivered >= after)
        {
            Delivered = Math.Max(Delivered, to);
        }
    }

    public void Push(LoggedPush logged)
    {
        foreach (var (connection, from) in Listeners)
        {
            if (logged.Seq >= from)
            {
                connection.Enqueue(logged.For(connection.Caller.Account));
            }
        }
    }

    /// <summary>The connection hears it; one that does already keeps what it had.</summary>
    public void Hear(ClientConnection connection, long from)
    {
        ref var since = ref CollectionsMarshal.GetValueRefOrAddDefault(Listeners, connection, out var present);
        since = present ? Math.Min(since, from) : from;
    }
}
