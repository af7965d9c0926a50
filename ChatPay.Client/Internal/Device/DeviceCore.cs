using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using ChatPay.Client.Internal.Archive;
using ChatPay.Client.Internal.Keys;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// What the parts of a device share: its store, its identity, its conversations in memory, and the gate that whoever
/// changes state goes through, one after the other. Nothing behind the gate waits for the network.
/// </summary>
internal sealed class DeviceCore : IAsyncDisposable
{
    private const int CardsAtHand = 10_000;

    private readonly SemaphoreSlim _gate = new(1);
    private readonly ConcurrentDictionary<ConversationId, ConversationState> _conversations = new();
    private readonly Dictionary<CardId, CardRecord> _cards = [];
    private readonly CancellationTokenSource _stop = new();
    private volatile TaskCompletionSource _caughtUp = NewCatchUp();
    private volatile DeviceRecord? _device;
    private volatile ChatPayException? _fault;
    private volatile ChatPayException? _over;

    public DeviceCore(ChatPayDeviceOptions options, ChatPayClient client)
    {
        (Options, Client) = (options, client);
        Store = new DeviceStore(options.Store);
        Keys = new DeviceKeys(this);
        Archive = new DeviceArchive(this);
        Groups = new GroupKeeper(this);
        Debits = new DebitSigner(this);
        Arrivals = new Arrivals(this, options.MaxWaitingItems);
    }

    public ChatPayDeviceOptions Options { get; }

    public DeviceStore Store { get; }

    public ChatPayClient Client { get; }

    public TimeProvider Time => Options.Session.Time;

    public DeviceKeys Keys { get; }

    public DeviceArchive Archive { get; }

    public GroupKeeper Groups { get; }

    public DebitSigner Debits { get; }

    public Arrivals Arrivals { get; }

    public Broadcast<ChatSignal> Signals { get; } = new();

    public Broadcast<ChatCard> CardChanges { get; } = new();

    /// <summary>Where calls are made; null before signing in.</summary>
    public ChatSession? Session { get; set; }

    /// <summary>
    /// Completes when the log has been read for the first time to where it ended then; fails when the session is over
    /// before.
    /// </summary>
    public Task CaughtUp => _caughtUp.Task;

    /// <summary>Cancelled when the device ends.</summary>
    public CancellationToken Stopping => _stop.Token;

    public DeviceRecord? DeviceOrNull => _device;

    /// <summary>What the device has ended with, where its store failed.</summary>
    public ChatPayException? StoreFault => _fault is { Name: ClientErrors.StoreFailed } fault ? fault : null;

    /// <exception cref="ChatPayException">Nobody is signed in.</exception>
    public DeviceRecord Device => _device ?? throw LocalErrors.NotReady("Sign up or sign in first.");

    public IEnumerable<ConversationState> Conversations => _conversations.Values;

    public bool TryFind(ConversationId id, [NotNullWhen(true)] out ConversationState? state) =>
        _conversations.TryGetValue(id, out state);

    /// <exception cref="ChatPayException">This device does not know the conversation.</exception>
    public ConversationState Find(ConversationId id) =>
        TryFind(id, out var state) ? state : throw LocalErrors.NotReady("This device knows no such conversation.");

    /// <summary>
    /// Whether a conversation's object is of the device that is here now, rather than of one that was here before.
    /// </summary>
    public bool IsLive(ConversationState state) => TryFind(state.Id, out var live) && ReferenceEquals(live, state);

    /// <exception cref="ChatPayException">It is of an earlier device, whose keys are gone.</exception>
    public void RequireLive(ConversationState state)
    {
        if (!IsLive(state))
        {
            throw LocalErrors.NotReady("This conversation belongs to an earlier device; ask for it again.");
        }
    }

    /// <exception cref="ChatPayException">Nobody is signed in.</exception>
    public ChatSession RequireSession() => Session ?? throw LocalErrors.NotReady("Sign up or sign in first.");

    /// <summary>Reads everything that is kept in memory.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        _device = await ReadAsync<DeviceRecord>(StoreKeys.Device, cancellationToken);
        if (_device is null)
        {
            // Perhaps the program died while it was wiping.
            await ClearAsync(cancellationToken);
        }

        var places = new Dictionary<string, PlaceRecord>(StringComparer.Ordinal);
        await foreach (var (key, value) in ListAsync(StoreKeys.Places, cancellationToken))
        {
            places[key[StoreKeys.Places.Length..]] = Decode<PlaceRecord>(value);
        }

        await foreach (var (key, value) in ListAsync(StoreKeys.Conversations, cancellationToken))
        {
            var record = Decode<ConversationRecord>(value);
            var place = places.GetValueOrDefault(key[StoreKeys.Conversations.Length..])
                ?? throw LocalErrors.StoreUnreadable("The place in a conversation's log is missing in the store.");
            var state = new ConversationState(record, place);
            await Groups.ReadFactsAsync(state, cancellationToken);
            _conversations[record.Id] = state;
        }

        await foreach (var (_, value) in ListAsync(StoreKeys.Outbox, cancellationToken))
        {
            var entry = Decode<OutboxRecord>(value);
            if (TryFind(entry.Conversation, out var state))
            {
                state.Lane.Resume(entry);
            }
        }

        await Keys.LoadAsync(cancellationToken);
        await Archive.LoadAsync(cancellationToken);
        await Arrivals.LoadAsync(cancellationToken);
    }

    /// <summary>
    /// Everything goes: another device begins in this store. What has begun goes on to its end, and a store that fails
    /// meanwhile ends the device. What a program leaves that dies in between goes when the store is opened again.
    /// </summary>
    /// <param name="nextKey">The key of the device that begins, which the server knows; null for none yet.</param>
    public async Task WipeAsync(byte[]? nextKey, CancellationToken cancellationToken)
    {
        using (await EnterAsync(cancellationToken))
        {
            // Programs may hold these: none of them may load what the next device will have under the same ids.
            Groups.Forget();
            ConversationState[] earlier = [.. Conversations];
            _conversations.Clear();
            foreach (var state in earlier)
            {
                state.End();
            }

            // Without its record a device's key counts as one that nobody has used yet, so they go together.
            await WriteAsync(
                [new(StoreKeys.Device, null), new(StoreKeys.SignatureKey, nextKey)], CancellationToken.None);
            _device = null;
            await ClearAsync(CancellationToken.None);
            _cards.Clear();
            await Keys.LoadAsync(CancellationToken.None);
            await Archive.LoadAsync(CancellationToken.None);
            await Arrivals.LoadAsync(CancellationToken.None);
        }
    }

    /// <summary>The right to change state, until the answer is disposed.</summary>
    public async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        if (_fault is { } fault)
        {
            _gate.Release();
            throw fault;
        }

        return new Exit(_gate);
    }

    /// <summary>
    /// One write of a batch, behind the gate but for what the program has taken. A store that fails ends the device,
    /// whose memory may be ahead of it.
    /// </summary>
    public async Task WriteAsync(IReadOnlyList<StoreChange> changes, CancellationToken cancellationToken)
    {
        try
        {
            await Store.WriteAsync(changes, cancellationToken);
        }
        catch (Exception exception) when (exception is not ArgumentException)
        {
            var fault = exception as ChatPayException ?? LocalErrors.StoreFailed(exception);
            _fault = fault;
            await _stop.CancelAsync();
            EndWaits(fault);

            // Whoever writes may be a handler of the session, which would wait for itself.
            Session?.DisposeAsync().AsTask().MayFailUnseen();
            throw fault;
        }
    }

    public void Follow(DeviceRecord device) => _device = device;

    public ConversationState Add(ConversationState state) => _conversations.GetOrAdd(state.Id, state);

    /// <summary>A card as the store has it; behind the gate.</summary>
    public async ValueTask<CardRecord?> CardAsync(CardId id, CancellationToken cancellationToken)
    {
        if (!_cards.TryGetValue(id, out var card)
            && await ReadAsync<CardRecord>(StoreKeys.Card(id), cancellationToken) is { } stored)
        {
            Keep(card = stored);
        }

        return card;
    }

    public void Keep(CardRecord card)
    {
        if (_cards.Count >= CardsAtHand)
        {
            _cards.Clear();
        }

        _cards[card.View.Id] = card;
    }

    /// <summary>Waits until a conversation is as wanted; the condition is looked at after every change of it.</summary>
    /// <exception cref="ChatPayException">
    /// The session or the device has ended, or the conversation is of an earlier device.
    /// </exception>
    public async Task UntilAsync(
        ConversationState state, Func<ConversationState, bool> wanted, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        using var hurry = Arrivals.Hurry();
        while (true)
        {
            var changed = state.Changed;
            RequireLive(state);
            if (wanted(state))
            {
                return;
            }

            if (_over is { } over)
            {
                throw over;
            }

            try
            {
                await changed.WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw _fault ?? LocalErrors.SessionEnded(null, null);
            }
        }
    }

    /// <summary>A session begins; until <see cref="EndCatchUp"/> it has not read the log.</summary>
    public void BeginCatchUp()
    {
        _caughtUp = NewCatchUp();
        EndWaits(null);
    }

    public void EndCatchUp() => _caughtUp.TrySetResult();

    /// <summary>The session is over, so nothing that is waited for will come; null when another begins.</summary>
    public void EndWaits(ChatPayException? over)
    {
        _over = over;
        if (over is not null)
        {
            _caughtUp.TrySetException(over);
        }

        Arrivals.Fail(over);
        CardChanges.Fail(over);
        foreach (var state in Conversations)
        {
            state.Announce();
        }
    }

    public async ValueTask<T?> ReadAsync<T>(string key, CancellationToken cancellationToken)
        where T : class =>
        await Store.ReadAsync(key, cancellationToken) is { } bytes ? Decode<T>(bytes) : null;

    public async IAsyncEnumerable<StoreEntry> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var query = new StoreQuery(prefix);
        while (true)
        {
            var page = await Store.ListAsync(query, cancellationToken);
            foreach (var entry in page)
            {
                yield return entry;
            }

            if (page.Count < query.Limit)
            {
                yield break;
            }

            query = query with { After = page[^1].Key };
        }
    }

    public static byte[] Encode<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, WireFormat.Json);

    /// <exception cref="ChatPayException"><c>store_failed</c>: it is no such record.</exception>
    public static T Decode<T>(byte[] bytes)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(bytes, WireFormat.Json)
                ?? throw LocalErrors.StoreUnreadable("A record in the store is empty.");
        }
        catch (JsonException exception)
        {
            throw LocalErrors.StoreUnreadable("A record in the store is of another version.", exception);
        }
        finally
        {
            // Some hold what people wrote, some keys; the store keeps the only copy.
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    public Guid NewId() => ClientIds.New(Time);

    /// <summary>The longest wait, scaled at random, so that not everybody does the same at once.</summary>
    public TimeSpan Spread(TimeSpan longest) => Options.Session.Random() * longest;

    /// <summary>
    /// Runs in the background until it is done or the device ends; what it throws then concerns nobody.
    /// </summary>
    public void Background(Func<CancellationToken, Task> work)
    {
        _ = Task.Run(async () =>
        {
            try
            {
                await work(_stop.Token);
            }
            catch (Exception exception) when (exception is ChatPayException or OperationCanceledException
                or ObjectDisposedException or IOException)
            {
                // It is tried again when the connection is back, or somebody is told by the call that waits for it.
                // Anything else is a mistake of this library, which the runtime reports as unobserved.
            }
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _gate.WaitAsync();
        _fault ??= LocalErrors.SessionEnded(null, null);
        Groups.Dispose();
        Keys.Dispose();
        _gate.Release();
        Arrivals.Complete();
        CardChanges.Complete();
        EndWaits(_fault);
    }

    private static TaskCompletionSource NewCatchUp()
    {
        var caughtUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        caughtUp.Task.MayFailUnseen();
        return caughtUp;
    }

    /// <summary>
    /// All but the key of the device that begins. The device's own record goes before, so that a half of this is
    /// nobody's.
    /// </summary>
    private async Task ClearAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var entries = await Store.ListAsync(new(""), cancellationToken);
            StoreChange[] removals =
            [
                .. entries.Where(static entry => entry.Key != StoreKeys.SignatureKey)
                    .Select(static entry => new StoreChange(entry.Key, null)),
            ];
            foreach (var entry in entries)
            {
                // Private keys are among them.
                CryptographicOperations.ZeroMemory(entry.Value);
            }

            if (removals.Length == 0)
            {
                return;
            }

            await Store.WriteAsync(removals, cancellationToken);
        }
    }

    private sealed class Exit(SemaphoreSlim gate) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                gate.Release();
            }
        }
    }
}
