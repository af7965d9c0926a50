using System.Diagnostics;
using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Driving;

namespace ChatPay.LoadTest.Chatting;

/// <summary>A session of the SDK that is to survive the loss of its node.</summary>
/// <param name="talks">Whether it sends a message as soon as the node is lost; the other one of the two waits for it.</param>
internal sealed class StormClient(
    ConversationId conversation, ChatPerson person, ChatPerson other, bool talks, int payloadBytes) : IAsyncDisposable
{
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ChatPayClient? _client;
    private ChatSession? _session;
    private Task _sending = Task.CompletedTask;
    private long _lost;
    private long _inSync;
    private long _last;
    private int _messages;
    private int _choices;
    private volatile bool _broken;

    public ChatSessionCounts Counts => _session?.Counts ?? default;

    /// <summary>Whether events have come in order, each once, and from whom they had to.</summary>
    public bool IsInOrder => !_broken && _messages == 1;

    public bool IsInSync => Interlocked.Read(ref _inSync) != 0 && _sending.IsCompletedSuccessfully;

    public bool HasGivenUp => _session is { Completion.IsCompleted: true } || _sending.IsFaulted;

    public TimeSpan? InSyncAfter =>
        Interlocked.Read(ref _inSync) is var at and not 0 ? Stopwatch.GetElapsedTime(_lost, at) : null;

    /// <summary>Connects to <paramref name="first"/> and waits until there is nothing more to read.</summary>
    public async Task ConnectAsync(Uri first, Uri second, CancellationToken cancellationToken)
    {
        _client = new ChatPayClient(second, person.Token);
        await _client.MeAsync(cancellationToken);
        var random = new ChatSessionOptions().Random;
        _session = _client.StartSession(
            new ChatSessionHandlers { Events = TakeAsync, CaughtUp = () => _ready.TrySetResult() },
            new ChatSessionOptions
            {
                Addresses = [first, second],

                // The first address to begin with, and afterwards as anybody.
                Random = () => Interlocked.Increment(ref _choices) == 1 ? 0 : random(),
            });
        await _ready.Task.WaitAsync(cancellationToken);
    }

    /// <summary>The node is gone, whether this client has noticed or not.</summary>
    public void Lose(long timestamp)
    {
        _lost = timestamp;
        if (talks)
        {
            var seed = new SplitMix64(SplitMix64.Mix((ulong)timestamp ^ unchecked((uint)person.Account.Value.GetHashCode())));
            var id = new ClientMessageId(seed.NextOrderedUuid(TimeProvider.System.GetUtcNow()));
            _sending = _session!.SendAsync(
                new(conversation, id, ChatPeople.Epoch, ChatMessages.Create(conversation, id, payloadBytes)),
                CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_session is not null)
        {
            await _session.DisposeAsync();
        }

        _client?.Dispose();
    }

    private ValueTask TakeAsync(IReadOnlyList<Event> events, CancellationToken cancellationToken)
    {
        foreach (var logged in events)
        {
            _broken |= logged.Seq != ++_last;
            if (logged.Kind == EventKind.Message)
            {
                _messages++;
                _broken |= logged.Account != (talks ? person : other).Account;
                Interlocked.Exchange(ref _inSync, Stopwatch.GetTimestamp());
            }
        }

        return ValueTask.CompletedTask;
    }
}
