using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Client.Internal;

/// <summary>Values by key, and keys in order.</summary>
internal sealed class OrderedMap<T>
    where T : class
{
    /// <summary>Behind every character that a key may have.</summary>
    private const char End = '\u007f';

    private readonly SortedSet<string> _keys = new(StringComparer.Ordinal);
    private readonly Dictionary<string, T> _values = new(StringComparer.Ordinal);

    public int Count => _values.Count;

    public IEnumerable<KeyValuePair<string, T>> All => _keys.Select(key => KeyValuePair.Create(key, _values[key]));

    public bool TryGet(string key, [NotNullWhen(true)] out T? value) => _values.TryGetValue(key, out value);

    /// <summary>Null removes the key.</summary>
    public void Set(string key, T? value)
    {
        if (value is not null)
        {
            _values[key] = value;
            _keys.Add(key);
        }
        else if (_values.Remove(key))
        {
            _keys.Remove(key);
        }
    }

    public List<KeyValuePair<string, T>> List(in StoreQuery query)
    {
        ArgumentNullException.ThrowIfNull(query.Prefix, nameof(query));
        ArgumentOutOfRangeException.ThrowIfNegative(query.Limit, nameof(query));
        var (after, before) = (query.After, query.Before);
        var first = after is not null && string.CompareOrdinal(after, query.Prefix) > 0 ? after : query.Prefix;
        var end = query.Prefix + End;
        var last = before is not null && string.CompareOrdinal(before, end) < 0 ? before : end;
        if (string.CompareOrdinal(first, last) > 0)
        {
            return [];
        }

        var view = _keys.GetViewBetween(first, last);
        var found = new List<KeyValuePair<string, T>>();
        foreach (var key in query.Backwards ? view.Reverse() : view)
        {
            if (found.Count == query.Limit)
            {
                break;
            }

            if (key != after && key != before)
            {
                found.Add(KeyValuePair.Create(key, _values[key]));
            }
        }

        return found;
    }
}
