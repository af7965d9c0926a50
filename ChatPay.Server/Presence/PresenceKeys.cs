using ChatPay.Core.Protocol;
using ChatPay.Server.Cluster;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using ClusterNode = ChatPay.Server.Cluster.ClusterNode;

namespace ChatPay.Server.Presence;

/// <summary>
/// What nodes write down for each other: each that it lives (<c>cp:{prefix}:pn:{node}</c>, with a short life), and for each
/// account the nodes it is on (<c>cp:{prefix}:p:{account}</c>, a set). So a node that dies takes its people with it, and one
/// that lives says so once for all of them.
/// </summary>
internal sealed class PresenceKeys(
    RedisAccess access, ClusterNode node, IOptions<ClusterOptions> cluster, IOptions<PresenceOptions> options)
{
    /// <summary>How long an account's set outlives the last word on it.</summary>
    public static readonly TimeSpan AccountLife = TimeSpan.FromHours(1);

    private readonly TimeSpan _patience = TimeSpan.FromMilliseconds(cluster.Value.RedisSilenceMs);
    private readonly TimeSpan _nodeLife = TimeSpan.FromSeconds(options.Value.NodeTtlSeconds);
    private readonly string _self = node.Id.ToString("N");

    /// <summary>Says that this node lives.</summary>
    /// <returns>False if nobody could know it: what it had written down may be lost as well.</returns>
    /// <exception cref="RedisException">Like every call here, also a <see cref="TimeoutException"/>.</exception>
    public async Task<bool> LiveAsync(CancellationToken cancellationToken)
    {
        var redis = Redis();
        var key = KeyOf(node.Id);
        if (await PatientlyAsync(redis.StringSetAsync(key, 1, _nodeLife, When.Exists), cancellationToken))
        {
            return true;
        }

        await PatientlyAsync(redis.StringSetAsync(key, 1, _nodeLife), cancellationToken);
        return false;
    }

    public async Task WriteAsync(IEnumerable<PresenceChange> changes, CancellationToken cancellationToken)
    {
        var redis = Redis();
        var written = new List<Task>();
        foreach (var change in changes)
        {
            var key = KeyOf(change.Account);
            if (change.Online)
            {
                written.Add(redis.SetAddAsync(key, _self));
                written.Add(redis.KeyExpireAsync(key, AccountLife));
            }
            else
            {
                written.Add(redis.SetRemoveAsync(key, _self));
            }
        }

        await PatientlyAsync(Task.WhenAll(written), cancellationToken);
    }

    /// <summary>The other nodes that each account is on; nodes that live no longer are crossed out.</summary>
    public async Task<IReadOnlyDictionary<AccountId, IReadOnlyList<Guid>>> ReadAsync(
        IReadOnlyList<AccountId> accounts, CancellationToken cancellationToken)
    {
        var redis = Redis();
        var sets = await PatientlyAsync(
            Task.WhenAll(accounts.Select(account => redis.SetMembersAsync(KeyOf(account)))), cancellationToken);
        Guid[][] nodes = [.. sets.Select(set => set.Select(NodeOf).OfType<Guid>().Where(id => id != node.Id).ToArray())];
        var dead = await DeadAsync([.. nodes.SelectMany(ids => ids).Distinct()], cancellationToken);
        var found = new Dictionary<AccountId, IReadOnlyList<Guid>>(accounts.Count);
        var crossedOut = new List<Task>();
        for (var i = 0; i < accounts.Count; i++)
        {
            var key = KeyOf(accounts[i]);
            found[accounts[i]] = [.. nodes[i].Where(id => !dead.Contains(id))];
            crossedOut.AddRange(nodes[i].Where(dead.Contains).Select(id => redis.SetRemoveAsync(key, id.ToString("N"))));
        }

        await PatientlyAsync(Task.WhenAll(crossedOut), cancellationToken);
        return found;
    }

    /// <summary>Those of the nodes that have not said for too long that they live.</summary>
    public async Task<IReadOnlySet<Guid>> DeadAsync(IReadOnlyCollection<Guid> nodes, CancellationToken cancellationToken)
    {
        var redis = Redis();
        var lives = await PatientlyAsync(Task.WhenAll(nodes.Select(id => redis.KeyExistsAsync(KeyOf(id)))), cancellationToken);
        return nodes.Zip(lives).Where(one => !one.Second).Select(one => one.First).ToHashSet();
    }

    private static Guid? NodeOf(RedisValue value) => Guid.TryParseExact(value, "N", out var id) ? id : null;

    private IDatabase Redis() => access.Database ?? throw new TimeoutException("There is no Redis at the moment.");

    private RedisKey KeyOf(AccountId account) => $"cp:{cluster.Value.Prefix}:p:{account.Value:N}";

    private RedisKey KeyOf(Guid id) => $"cp:{cluster.Value.Prefix}:pn:{id:N}";

    private Task<T> PatientlyAsync<T>(Task<T> answer, CancellationToken cancellationToken) =>
        answer.WaitAsync(_patience, cancellationToken);

    private Task PatientlyAsync(Task answer, CancellationToken cancellationToken) =>
        answer.WaitAsync(_patience, cancellationToken);
}
