namespace ChatPay.Server.Realtime;

/// <summary>
/// Device messages that this node has pushed lately, so that a check which finds one in the database does not push it again.
/// Two generations: when the younger is full, the older is forgotten, and a device gets a message twice at worst.
/// </summary>
internal sealed class PushedMessages
{
    private const int GenerationMax = 16_384;

    private readonly Lock _lock = new();
    private HashSet<Guid> _young = [];
    private HashSet<Guid> _old = [];

    public bool IsKnown(Guid message)
    {
        lock (_lock)
        {
            return _young.Contains(message) || _old.Contains(message);
        }
    }

    /// <summary>Whether the message has not been here, and from now on it has.</summary>
    public bool IsNew(Guid message)
    {
        lock (_lock)
        {
            if (_young.Count >= GenerationMax)
            {
                (_old, _young) = (_young, _old);
                _young.Clear();
            }

            return !_old.Contains(message) && _young.Add(message);
        }
    }
}
