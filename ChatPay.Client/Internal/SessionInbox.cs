using System.Threading.Channels;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>One thing that the session's reader has to take in.</summary>
internal sealed record SessionItem(
    HelloReply? Greeting = null, IReadOnlyList<Event>? Events = null, IReadOnlyList<ConversationView>? Heads = null,
    IReadOnlyList<DeviceMessage>? DeviceMessages = null, ControlSignal? Resync = null);

/// <summary>
/// What waits for the session's reader, bounded. A greeting takes the place of everything before it, and so does a
/// resync when the bound is reached: the log has it all.
/// </summary>
internal sealed class SessionInbox(int maxItems)
{
    private readonly Lock _lock = new();
    private readonly Queue<SessionItem> _items = [];
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private int _link;
    private bool _greeted;
    private List<SessionItem> _early = [];

    /// <summary>From here on only pushes of this connection count; they wait until it is greeted.</summary>
    public void Begin(int link)
    {
        lock (_lock)
        {
            (_link, _greeted, _early) = (link, false, []);
        }
    }

    /// <summary>The connection was greeted: first the greeting, then what was pushed before its answer was read.</summary>
    public void Greeted(int link, HelloReply greeting)
    {
        lock (_lock)
        {
            if (link != _link)
            {
                return;
            }

            _greeted = true;
            _items.Clear();
            _items.Enqueue(new(greeting));
            _early.ForEach(AddLocked);
            _early = [];
        }

        Wake();
    }

    public void Add(int link, SessionItem item)
    {
        lock (_lock)
        {
            if (link != _link)
            {
                return;
            }

            if (!_greeted)
            {
                AddEarlyLocked(item);
                return;
            }

            AddLocked(item);
        }

        Wake();
    }

    public async Task<SessionItem> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (_lock)
            {
                if (_items.TryDequeue(out var item))
                {
                    return item;
                }
            }

            await _wake.Reader.ReadAsync(cancellationToken);
        }
    }

    public bool IsEmpty
    {
        get
        {
            lock (_lock)
            {
                return _items.Count == 0;
            }
        }
    }

    private void AddEarlyLocked(SessionItem item)
    {
        if (_early.Count >= maxItems)
        {
            _early = [new(Resync: new ControlSignal(ControlKind.Resync))];
        }

        _early.Add(item);
    }

    private void AddLocked(SessionItem item)
    {
        if (_items.Count >= maxItems)
        {
            // A greeting that was not taken in yet says more than a resync.
            var first = _items.Peek();
            _items.Clear();
            _items.Enqueue(first.Greeting is null ? new(Resync: new ControlSignal(ControlKind.Resync)) : first);
            if (first.Greeting is not null)
            {
                _items.Enqueue(new(Resync: new ControlSignal(ControlKind.Resync)));
            }
        }

        _items.Enqueue(item);
    }

    private void Wake() => _wake.Writer.TryWrite(true);
}
