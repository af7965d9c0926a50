using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Server.Accounts;

/// <summary>
/// A bounded cache of short memory: two generations, the older of which is dropped whole twice per lifetime, so that nothing
/// in it is ever older than the lifetime and forgetting costs nothing per entry. A full generation ends early.
/// </summary>
internal sealed class GenerationCache<TKey, TValue>(
    TimeSpan lifetime, int capacity, TimeProvider time, IEqualityComparer<TKey>? comparer = null)
    where TKey : notnull
{
    private readonly Lock _lock = new();
    private Dictionary<TKey, TValue> _young = new(comparer);
    private Dictionary<TKey, TValue> _old = new(comparer);
    private long _youngSince = time.GetTimestamp();

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        lock (_lock)
        {
            Age();
            return _young.TryGetValue(key, out value) || _old.TryGetValue(key, out value);
        }
    }

    public void Set(TKey key, TValue value)
    {
        lock (_lock)
        {
            Age();
            if (lifetime <= TimeSpan.Zero)
            {
                return;
            }

            if (_young.Count >= Math.Max(1, capacity / 2) && !_young.ContainsKey(key))
            {
                NextGeneration();
            }

            _young[key] = value;
            _old.Remove(key);
        }
    }

    public void Remove(TKey key)
    {
        lock (_lock)
        {
            _young.Remove(key);
            _old.Remove(key);
        }
    }

    public void RemoveWhere(Func<TValue, bool> condition)
    {
        lock (_lock)
        {
            foreach (var generation in (Dictionary<TKey, TValue>[])[_young, _old])
            {
                foreach (var (key, value) in generation)
                {
                    if (condition(value))
                    {
                        generation.Remove(key);
                    }
                }
            }
        }
    }

    private void Age()
    {
        var age = time.GetElapsedTime(_youngSince);
        if (age >= lifetime)
        {
            _young.Clear();
            NextGeneration();
        }
        else if (age >= lifetime / 2)
        {
            NextGeneration();
        }
    }

    private void NextGeneration()
    {
        (_old, _young) = (_young, _old);
        _young.Clear();
        _youngSince = time.GetTimestamp();
    }
}
