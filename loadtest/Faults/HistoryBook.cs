using System.Collections.Concurrent;
using ChatPay.Core.Protocol;

namespace ChatPay.LoadTest.Faults;

/// <summary>Where everybody writes down what was tried, what was answered, and what must not have happened.</summary>
internal sealed class HistoryBook
{
    private const int ViolationsMax = 1_000;

    private readonly ConcurrentDictionary<MessageName, bool> _attempted = new();
    private readonly ConcurrentDictionary<MessageName, long> _acknowledged = new();
    private readonly ConcurrentQueue<(ConversationId Conversation, long Seq, CardEntry Card)> _cards = new();
    private readonly ConcurrentQueue<(ConversationId Conversation, long Seq, long Epoch)> _commits = new();
    private readonly ConcurrentDictionary<ConversationId, long> _heads = new();
    private readonly ConcurrentQueue<Violation> _violations = new();
    private long _operations;
    private long _refusals;

    /// <summary>Calls that were answered: messages, commits, card actions, and what old clients did.</summary>
    public long Operations => Interlocked.Read(ref _operations);

    /// <summary>
    /// What the rules refused, as they should: card actions where two want different things, commits and messages for an
    /// epoch that is over, words of somebody who is out.
    /// </summary>
    public long Refusals => Interlocked.Read(ref _refusals);

    public int Messages => _acknowledged.Count;

    public int CardActions => _cards.Count;

    public int Commits => _commits.Count;

    public IReadOnlyCollection<Violation> Violations => _violations;

    public IReadOnlySet<MessageName> Attempted => _attempted.Keys.ToHashSet();

    public IReadOnlyDictionary<MessageName, long> Acknowledged => _acknowledged;

    public IReadOnlyList<(ConversationId Conversation, long Seq, CardEntry Card)> CardsAcknowledged => [.. _cards];

    public IReadOnlyList<(ConversationId Conversation, long Seq, long Epoch)> CommitsAcknowledged => [.. _commits];

    /// <summary>How far each log goes at least: what has been acknowledged so far.</summary>
    public IReadOnlyDictionary<ConversationId, long> Heads => _heads.ToDictionary();

    public long HeadOf(ConversationId conversation) => _heads.GetValueOrDefault(conversation);

    public void Attempt(MessageName name) => _attempted.TryAdd(name, true);

    public void Acknowledge(MessageName name, long seq)
    {
        Interlocked.Increment(ref _operations);
        Reached(name.Conversation, seq);
        if (_acknowledged.GetOrAdd(name, seq) is var before && before != seq)
        {
            Violate(Rules.AcknowledgedOnce, $"{name} was acknowledged as {before} and as {seq}");
        }
    }

    public void AcknowledgeCard(ConversationId conversation, CardActReply reply)
    {
        Interlocked.Increment(ref _operations);
        Reached(conversation, reply.Seq);
        _cards.Enqueue((conversation, reply.Seq, new(reply.Card.Id, reply.Card.State, reply.Card.Version)));
    }

    /// <param name="epoch">The one that it ended.</param>
    public void AcknowledgeCommit(MessageName name, long seq, long epoch)
    {
        Acknowledge(name, seq);
        _commits.Enqueue((name.Conversation, seq, epoch));
    }

    public void Refused() => Interlocked.Increment(ref _refusals);

    public void Violate(string rule, string what)
    {
        if (_violations.Count < ViolationsMax)
        {
            _violations.Enqueue(new(rule, what));
        }
    }

    private void Reached(ConversationId conversation, long seq) =>
        _heads.AddOrUpdate(conversation, seq, (_, head) => Math.Max(head, seq));
}
