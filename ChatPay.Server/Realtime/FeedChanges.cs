using System.Threading.Channels;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Realtime;

/// <summary>
/// Conversations that somebody here has begun or ceased to hear, for whoever subscribes to them elsewhere. Each is noted
/// once until it is taken, so there are never more than conversations.
/// </summary>
internal sealed class FeedChanges
{
    private readonly Lock _lock = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private HashSet<ConversationId> _changed = [];
    private bool _wanted;

    /// <summary>From here on changes are kept; until then nobody would take them.</summary>
    public void Want()
    {
        lock (_lock)
        {
            _wanted = true;
        }
    }

    public void Note(ConversationId conversation)
    {
        lock (_lock)
        {
            if (!_wanted)
            {
                return;
            }

            _changed.Add(conversation);
        }

        _wake.Writer.TryWrite(true);
    }

    /// <summary>Waits until there is something to take.</summary>
    public async Task<IReadOnlyCollection<ConversationId>> TakeAsync(CancellationToken cancellationToken)
    {
        await _wake.Reader.ReadAsync(cancellationToken);
        lock (_lock)
        {
            var taken = _changed;
            _changed = [];
            return taken;
        }
    }
}
