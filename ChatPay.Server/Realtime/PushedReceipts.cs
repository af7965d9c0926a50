using ChatPay.Core.Protocol;

namespace ChatPay.Server.Realtime;

/// <summary>
/// Receipts that this node has pushed lately: one that does not rise above what went out before, because it comes twice or
/// late, does not go out again. Two generations: when the younger is full, the older is forgotten.
/// </summary>
internal sealed class PushedReceipts
{
    private const int GenerationMax = 32_768;

    private readonly Lock _lock = new();
    private Dictionary<(ConversationId, DeviceId), (long Delivered, long Read)> _young = [];
    private Dictionary<(ConversationId, DeviceId), (long Delivered, long Read)> _old = [];

    /// <summary>Whether the receipt says more than was said before, and from now on it has been said.</summary>
    public bool IsNew(Receipt receipt)
    {
        var key = (receipt.Conversation, receipt.Device);
        lock (_lock)
        {
            if ((_young.TryGetValue(key, out var known) || _old.TryGetValue(key, out known))
                && receipt.Delivered <= known.Delivered && receipt.Read <= known.Read)
            {
                return false;
            }

            if (_young.Count >= GenerationMax)
            {
                (_old, _young) = (_young, _old);
                _young.Clear();
            }

            _young[key] = (Math.Max(receipt.Delivered, known.Delivered), Math.Max(receipt.Read, known.Read));
            return true;
        }
    }
}
