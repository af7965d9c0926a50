using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Realtime;

/// <summary>A standing session of somebody, and everything that it was told, in order.</summary>
internal sealed class SessionWatcher : IAsyncDisposable
{
    public ChatSession Session { get; private set; } = null!;

    public Inbox<Event> Events { get; } = new();

    public Inbox<(ChatSessionState State, TimeSpan? RetryIn)> States { get; } = new();

    public Inbox<ConversationId> Gone { get; } = new();

    public Inbox<Guid> Lineages { get; } = new();

    public Inbox<DeviceMessage> DeviceMessages { get; } = new();

    public Inbox<bool> CaughtUp { get; } = new();

    public Inbox<(ConversationId Conversation, long From, long To)> Missed { get; } = new();

    /// <summary>Delays of some milliseconds, so that a test of losses takes no time.</summary>
    public static ChatSessionOptions Quick { get; } = new()
    {
        BaseDelay = TimeSpan.FromMilliseconds(5),
        MaxDelay = TimeSpan.FromMilliseconds(100),
    };

    public static SessionWatcher Start(
        Person person, ChatSessionOptions? options = null, ChatPosition? from = null,
        Func<IReadOnlyList<Event>, CancellationToken, ValueTask>? before = null)
    {
        var watcher = new SessionWatcher();
        watcher.Session = person.Client.StartSession(
            new()
            {
                Events = async (events, cancellationToken) =>
                {
                    await (before?.Invoke(events, cancellationToken) ?? default);
                    watcher.Events.Add(events);
                },
                DeviceMessages = (messages, _) =>
                {
                    watcher.DeviceMessages.Add(messages);
                    return default;
                },
                Gone = watcher.Gone.Add,
                LineageChanged = lineage => watcher.Lineages.Add([lineage]),
                Missed = (conversation, from, to) => watcher.Missed.Add([(conversation, from, to)]),
                CaughtUp = () => watcher.CaughtUp.Add([true]),
                StateChanged = (state, retryIn) => watcher.States.Add([(state, retryIn)]),
            },
            options ?? Quick,
            from);
        return watcher;
    }

    /// <summary>The log of a conversation as it was handed on, checked for gaps, doubles and disorder.</summary>
    public async Task<IReadOnlyList<Event>> LogUpToAsync(ConversationId conversation, long seq, long first = 1)
    {
        var log = (await Events.UntilAsync(all => all.Any(e => e.Conversation == conversation && e.Seq >= seq)))
            .Where(e => e.Conversation == conversation).ToList();
        Assert.Equal(Enumerable.Range(0, log.Count).Select(i => first + i), log.Select(e => e.Seq));
        return log;
    }

    public ValueTask DisposeAsync() => Session.DisposeAsync();
}
