namespace ChatPay.Server.Accounts;

/// <summary>What failures are counted by.</summary>
/// <param name="Kind">Which rule the count belongs to, so that counts of different rules never mix.</param>
internal readonly record struct FailureKey(string Kind, string Subject, string Address = "");

/// <summary>How long to wait after how many failures.</summary>
/// <param name="Free">Failures that cost nothing.</param>
/// <param name="First">The wait after the next one, doubled by each further one.</param>
/// <param name="Most">The longest wait.</param>
/// <param name="Forget">Failures are forgotten when none came for this long.</param>
internal sealed record FailureRule(int Free, TimeSpan First, TimeSpan Most, TimeSpan Forget)
{
    public TimeSpan WaitAfter(int failures)
    {
        var over = failures - Free;
        if (over < 0)
        {
            return TimeSpan.Zero;
        }

        // Beyond 2^30 times the first wait the longest one has long been reached.
        var wait = First * (1L << Math.Min(over, 30));
        return wait < Most ? wait : Most;
    }
}

/// <summary>
/// Failures per key, in bounded memory: when it is full, the key that failed longest ago is forgotten. Each failure has cost
/// its sender a password hash, so filling the book takes minutes of the server's whole hashing capacity.
/// </summary>
internal sealed class FailureBook(int capacity, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<FailureKey, LinkedListNode<Count>> _counts = [];
    private readonly LinkedList<Count> _byAge = new();

    /// <summary>
    /// Counts one attempt as a failure on every key, in advance, so that many attempts at once cannot slip by; nothing if one
    /// of them has to wait.
    /// </summary>
    /// <returns>How long to wait; zero if the attempt was counted and may go on.</returns>
    public TimeSpan Begin(IReadOnlyList<(FailureKey Key, FailureRule Rule)> keys)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var wait = TimeSpan.Zero;
            foreach (var (key, rule) in keys)
            {
                if (_counts.TryGetValue(key, out var node))
                {
                    var quiet = time.GetElapsedTime(node.Value.Last, now);
                    var left = quiet >= rule.Forget ? TimeSpan.Zero : rule.WaitAfter(node.Value.Failures) - quiet;
                    wait = left > wait ? left : wait;
                }
            }

            if (wait == TimeSpan.Zero)
            {
                foreach (var (key, rule) in keys)
                {
                    Add(key, rule, now);
                }
            }

            return wait;
        }
    }

    /// <summary>Takes one counted attempt back: it did not fail.</summary>
    public void Undo(FailureKey key)
    {
        lock (_lock)
        {
            if (_counts.TryGetValue(key, out var node) && --node.Value.Failures <= 0)
            {
                Remove(node);
            }
        }
    }

    public void Clear(FailureKey key)
    {
        lock (_lock)
        {
            if (_counts.TryGetValue(key, out var node))
            {
                Remove(node);
            }
        }
    }

    private void Add(FailureKey key, FailureRule rule, long now)
    {
        if (_counts.TryGetValue(key, out var node))
        {
            var forgotten = time.GetElapsedTime(node.Value.Last, now) >= rule.Forget;
            node.Value.Failures = forgotten ? 1 : node.Value.Failures + 1;
            _byAge.Remove(node);
        }
        else
        {
            if (_counts.Count >= capacity)
            {
                Remove(_byAge.First!);
            }

            node = new LinkedListNode<Count>(new Count(key) { Failures = 1 });
            _counts.Add(key, node);
        }

        node.Value.Last = now;
        _byAge.AddLast(node);
    }

    private void Remove(LinkedListNode<Count> node)
    {
        _counts.Remove(node.Value.Key);
        _byAge.Remove(node);
    }

    private sealed class Count(FailureKey key)
    {
        public FailureKey Key { get; } = key;

        public int Failures { get; set; }

        public long Last { get; set; }
    }
}
