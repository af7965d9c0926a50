using ChatPay.Server.Hosting;

namespace ChatPay.Server.Cluster;

/// <summary>Who this node is among the others, and whether it can speak to them.</summary>
internal sealed class ClusterNode(IdFactory ids, HintOutbox outbox)
{
    private volatile bool _isRedisUp;

    /// <summary>New with every start: what a node said before it died is not its own.</summary>
    public Guid Id { get; } = ids.NewUuid();

    /// <summary>Whether this node hears itself through Redis.</summary>
    public bool IsRedisUp
    {
        get => _isRedisUp;
        set
        {
            _isRedisUp = value;
            ClusterMetrics.Redis(value);
        }
    }

    /// <summary>Everything works, but slower: other nodes' news are found by checking.</summary>
    public bool IsDegraded => outbox.IsOn && !_isRedisUp;
}
