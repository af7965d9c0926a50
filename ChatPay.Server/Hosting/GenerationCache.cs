using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Server.Hosting;

/// <summary>
/// A bounded cache of short memory. Every entry knows when it was made and is void after the lifetime; for the bound
/// there are two generations, the older of which is dropped whole when the younger is full or old, so that making room
/// costs nothing per entry.
/// </summary>
internal sealed class GenerationCache<TKey, TValue>(
    TimeSpan lifetime, int capacity, TimeProvider time, IEqualityComparer<TKey>? comparer = null)
    where TKey : notnull
{
    private readonly Lock _lock = new();
    private Dictionary<TKey, Entry> _young = new(comparer);
    private Dictionary<TKey, Entry> _old = new(comparer);
    private long _youngSince = time.GetTimestamp();

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        lock (_lock)
        {
            if ((_young.TryGetValue(key, out var entry) || _old.TryGetValue(key, out entry))
                && time.GetElapsedTime(entry.Made) < lifetime)
            {
                value = entry.Value;
                return true;
            }

            value = default;
            return false;
        }
    }

    public void Set(TKey key, TValue value)
    {
        if (lifetime <= TimeSpan.Zero)
        {
            return;
        }

        lock (_lock)
        {
            var full = _young.Count >= Math.Max(1, capacity / 2) && !_young.ContainsKey(key);
            if (full || time.GetElapsedTime(_youngSince) >= lifetime)
            {
                (_old, _young) = (_young, _old);
                _young.Clear();
                _youngSince = time.GetTimestamp();
            }

            _young[key] = new Entry(value, time.GetTimestamp());
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
            foreach (var generation in (Dictionary<TKey, Entry>[])[_young, _old])
            {
                foreach (var (key, entry) in generation)
                {
                    if (condition(entry.Value))
                    {
                        generation.Remove(key);
                    }
                }
            }
        }
    }

    private readonly record struct Entry(TValue Value, long Made);
}
