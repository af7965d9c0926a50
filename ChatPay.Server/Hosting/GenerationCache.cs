using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Server.Hosting;

/// <summary>
/// A bounded cache of short memory. Every entry knows when it was made and is void after the lifetime; for the bound
/// there are two generations, the older of which is dropped whole when the younger is full or old, so that making room
/// costs nothing per entry.
/// </summary>
/// <param name="lifetime"><see cref="Timeout.InfiniteTimeSpan"/> for entries that never become void.</param>
/// <param name="capacity">Entries at most, or their weights together.</param>
/// <param name="weightOf">What an entry counts for; null for one each.</param>
internal sealed class GenerationCache<TKey, TValue>(
    TimeSpan lifetime, int capacity, TimeProvider time, IEqualityComparer<TKey>? comparer = null,
    Func<TValue, int>? weightOf = null)
    where TKey : notnull
{
    private readonly TimeSpan _lifetime = lifetime == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : lifetime;
    private long _youngWeight;

    private readonly Lock _lock = new();
    private Dictionary<TKey, Entry> _young = new(comparer);
    private Dictionary<TKey, Entry> _old = new(comparer);
    private long _youngSince = time.GetTimestamp();

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        lock (_lock)
        {
            if ((_young.TryGetValue(key, out var entry) || _old.TryGetValue(key, out entry))
                && time.GetElapsedTime(entry.Made) < _lifetime)
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
        if (_lifetime <= TimeSpan.Zero)
        {
            return;
        }

        lock (_lock)
        {
            var isNew = !_young.ContainsKey(key);
            var full = isNew && _youngWeight >= Math.Max(1, capacity / 2);
            if (full || time.GetElapsedTime(_youngSince) >= _lifetime)
            {
                (_old, _young) = (_young, _old);
                _young.Clear();
                _youngWeight = 0;
                _youngSince = time.GetTimestamp();
                isNew = true;
            }

            _young[key] = new Entry(value, time.GetTimestamp());
            _old.Remove(key);
            if (isNew)
            {
                _youngWeight += weightOf?.Invoke(value) ?? 1;
            }
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _young.Clear();
            _old.Clear();
            _youngWeight = 0;
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
