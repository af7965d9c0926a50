using System.Threading.Channels;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Realtime;

/// <summary>
/// What is to be looked up in the database before the next regular check: a note that never waits and never fails.
/// </summary>
internal sealed class Rechecks
{
    private readonly Lock _lock = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private HashSet<ConversationId> _heads = [];
    private bool _members;
    private bool _all;

    /// <summary>The log of a conversation may be ahead of what was delivered.</summary>
    public void Head(ConversationId conversation) => Heads([conversation]);

    public void Heads(IEnumerable<ConversationId> conversations)
    {
        lock (_lock)
        {
            _heads.UnionWith(conversations);
        }

        _wake.Writer.TryWrite(true);
    }

    /// <summary>Somebody who is connected here may have come into a conversation.</summary>
    public void Members()
    {
        lock (_lock)
        {
            _members = true;
        }

        _wake.Writer.TryWrite(true);
    }

    /// <summary>Anything may have been missed.</summary>
    public void All()
    {
        lock (_lock)
        {
            _all = true;
        }

        _wake.Writer.TryWrite(true);
    }

    /// <summary>What was taken could not be done; it waits for the next round, which wakes by itself.</summary>
    public void Missed(bool all)
    {
        lock (_lock)
        {
            _all |= all;
        }
    }

    /// <summary>Waits until something is to be looked up.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => _wake.Reader.ReadAsync(cancellationToken);

    public (bool All, bool Members, IReadOnlyCollection<ConversationId> Heads) Take()
    {
        lock (_lock)
        {
            var taken = (_all, _members, _heads);
            (_all, _members, _heads) = (false, false, []);
            return taken;
        }
    }
}
