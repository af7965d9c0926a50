using ChatPay.Client.Internal;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>
/// One device of an account, whole: it signs in, keeps its keys and its place in every conversation in a store, stays
/// connected, and sends, receives and pays end-to-end encrypted. Bots and native clients are written on it.
/// </summary>
/// <remarks>
/// <para>
/// Safe for concurrent use: everything that changes state takes turns. State is written before anything of it is sent
/// or shown, so the program may be killed at any moment and goes on where it was when it opens the store again. A store
/// belongs to one device, which is open once at a time.
/// </para>
/// <para>
/// Whatever may fail for a reason outside the program throws <see cref="ChatPayException"/>. Cancelling a call ends the
/// wait for it; what was stored by then is done all the same, once.
/// </para>
/// </remarks>
/// <example>
/// <code>
/// await using var store = await FileStore.OpenAsync("/var/lib/bot", passphrase, null, cancellationToken);
/// var options = new ChatPayDeviceOptions { Address = address, Store = store };
/// await using var device = await ChatPayDevice.OpenAsync(options, cancellationToken);
/// await device.SignUpOrInAsync("echo_bot", "Echo", password, cancellationToken);
/// await foreach (var item in device.ReceiveAsync(cancellationToken))
/// {
///     if (item is TextMessage { IsOwn: false } message)
///     {
///         var conversation = device.Conversation(item.Conversation);
///         await conversation.SendTextAsync(message.Text, item.ReplyId("echo"), cancellationToken);
///     }
/// }
/// </code>
/// </example>
public sealed partial class ChatPayDevice : IAsyncDisposable
{
    private readonly DeviceCore _core;
    private readonly Commits _commits;
    private readonly Outbox _outbox;
    private readonly GroupDoor _door;
    private readonly GroupCare _care;
    private readonly Desk _desk;
    private readonly KeyPackageStock _stock;
    private readonly Marks _marks;
    private readonly PresenceWatch _presence;
    private readonly SemaphoreSlim _signing = new(1);
    private readonly LogReader _reader;
    private TaskCompletionSource<ChatSessionEnd> _ended = new();
    private bool _disposed;

    private ChatPayDevice(ChatPayDeviceOptions options)
    {
        Client = new ChatPayClient(options.Address);
        _core = new DeviceCore(options, Client);
        _commits = new Commits(_core);
        _outbox = new Outbox(_core, _commits);
        _door = new GroupDoor(_core, _commits);
        _care = new GroupCare(_core, _commits, _outbox);
        _desk = new Desk(_core, _commits, _outbox, _door, _care);
        _stock = new KeyPackageStock(_core);
        _marks = new Marks(_core);
        _presence = new PresenceWatch(_core);
        _reader = NewReader();
        _core.Keys.Approved = Approved;
    }

    /// <summary>
    /// The server's REST interface with this device's session, for what this class has no method for.
    /// </summary>
    public ChatPayClient Client { get; }

    /// <summary>Whether the store holds a device whose session has not ended.</summary>
    public bool IsSignedIn => _core.DeviceOrNull?.Token is not null;

    /// <summary>The account.</summary>
    /// <exception cref="ChatPayException"><see cref="ClientErrors.NotReady"/>: nobody is signed in.</exception>
    public AccountView Account => _core.Device.Account;

    /// <summary>This device.</summary>
    /// <exception cref="ChatPayException"><see cref="ClientErrors.NotReady"/>: nobody is signed in.</exception>
    public DeviceId Id => _core.Device.Device;

    /// <summary>The assets of the server, with their decimals, as last heard.</summary>
    /// <exception cref="ChatPayException"><see cref="ClientErrors.NotReady"/>: nobody is signed in.</exception>
    public IReadOnlyList<AssetView> Assets => _core.Device.Assets;

    /// <summary>Whether the server hands out play money, as last heard.</summary>
    /// <exception cref="ChatPayException"><see cref="ClientErrors.NotReady"/>: nobody is signed in.</exception>
    public bool IsSandbox => _core.Device.Sandbox;

    /// <summary>What the connection is doing.</summary>
    public ChatSessionState State => _core.Session?.State ?? ChatSessionState.Ended;

    /// <summary>Opens the store and, where it holds a device that is signed in, connects it.</summary>
    /// <param name="options">Server and store at least.</param>
    /// <exception cref="ArgumentException">An option is out of its bounds.</exception>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.StoreFailed"/>: the store cannot be read, or holds records that this version does not
    /// know.
    /// </exception>
    /// <example>
    /// <code>
    /// var options = new ChatPayDeviceOptions { Address = address, Store = store };
    /// await using var device = await ChatPayDevice.OpenAsync(options, cancellationToken);
    /// </code>
    /// </example>
    public static async Task<ChatPayDevice> OpenAsync(ChatPayDeviceOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var device = new ChatPayDevice(options.Checked());
        try
        {
            await device._core.LoadAsync(cancellationToken);
            await device._desk.LoadAsync(cancellationToken);
            if (device._core.DeviceOrNull is { } record)
            {
                device.Client.Resume(record.Token, record.Account, record.Device);
                await device._core.Groups.OpenAsync(cancellationToken);
                if (record.Token is not null)
                {
                    device.Connect();
                }
            }

            return device;
        }
        catch
        {
            await device.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Completes once the device is connected, has read everything that waited for it, and can be added to
    /// conversations. While this is waited for the device reads on even where
    /// <see cref="ChatPayDeviceOptions.MaxWaitingItems"/> wait already, so it completes whether or not anybody
    /// receives; what arrives meanwhile waits in the store.
    /// </summary>
    /// <exception cref="ChatPayException">
    /// Nobody is signed in; the session is over; <c>key_package_invalid</c>, <c>internal</c>, among others: the server
    /// does not take this device's key packages, so nobody can add it. Everything else works, and it is tried again.
    /// </exception>
    /// <example>
    /// <code>
    /// await device.OnlineAsync(cancellationToken);
    /// Console.WriteLine($"{device.Conversations.Count} conversations");
    /// </code>
    /// </example>
    public async Task OnlineAsync(CancellationToken cancellationToken)
    {
        var session = _core.RequireSession();
        using var hurry = _core.Arrivals.Hurry();
        await session.OnlineAsync(cancellationToken);
        var ready = Task.WhenAll(_core.CaughtUp, _stock.Looked);
        ready.MayFailUnseen();
        var first = await Task.WhenAny(ready, session.Completion).WaitAsync(cancellationToken);
        await session.OnlineAsync(cancellationToken);
        if (first == ready)
        {
            await ready;
        }
    }

    /// <summary>
    /// Completes when the device's session is over for good, with the reason, and the store knows: sign in again, or
    /// open the device anew. Fails where the store failed or the server refused this client.
    /// </summary>
    /// <exception cref="ChatPayException">
    /// Nobody is signed in; <see cref="ClientErrors.StoreFailed"/>; <see cref="ClientErrors.SessionEnded"/>: the
    /// session failed.
    /// </exception>
    /// <example>
    /// <code>
    /// if (await device.CompletionAsync(cancellationToken) == ChatSessionEnd.Revoked)
    /// {
    ///     await device.SignInAsync(handle, password, cancellationToken);
    /// }
    /// </code>
    /// </example>
    public async Task<ChatSessionEnd> CompletionAsync(CancellationToken cancellationToken)
    {
        try
        {
            _ = _core.RequireSession();
            var end = await _ended.Task.WaitAsync(cancellationToken);
            return _core.StoreFault is { } fault ? throw fault : end;
        }
        catch (Exception failure) when (failure is not (OperationCanceledException or ChatPayException))
        {
            throw LocalErrors.SessionEnded(ChatSessionEnd.Refused, failure);
        }
    }

    /// <summary>
    /// Closes the connection and ends every call. There is nothing to save: the store has all of it, and stays open for
    /// its owner to dispose.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _core.Archive.Uploader.FlushAsync();
        var session = _core.Session;
        await _core.DisposeAsync();
        if (session is not null)
        {
            await session.DisposeAsync();
        }

        _core.Signals.Complete();
        Client.Dispose();
    }

    private LogReader NewReader() => new(_core, _door, new LogHooks(
        state =>
        {
            _marks.Touch(state);
            _care.Look(state);
        },
        _care.JoinSeen,
        _outbox.GiveUp,
        greeting => _core.Background(token => _stock.FillAsync(greeting.KeyPackagesLeft, token)),
        () =>
        {
            _core.Background(RefreshAsync);
            _core.Background(_desk.SettleOpenAsync);
            _core.Background(WatchKeysAsync);
            _core.Background(_core.Keys.Gossip.TryAgainAsync);
            _core.Background(_core.Keys.Vault.LookAsync);
            _care.LookAgain();
            foreach (var state in _core.Conversations)
            {
                _outbox.Kick(state);
            }
        }));

    private void Connect()
    {
        var record = _core.Device;
        var position = new ChatPosition(
            record.Lineage,
            [
                .. _core.Conversations.Where(static state => state.Record.Active)
                    .OrderByDescending(static state => state.Place.Head)
                    .Select(static state => new Cursor(state.Id, state.Place.Cursor)),
            ]);
        _stock.Begin();

        // Before the session begins, for it may have read the log by the time that this goes on.
        _core.BeginCatchUp();
        var ended = new TaskCompletionSource<ChatSessionEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        ended.Task.MayFailUnseen();
        _ended = ended;
        var session = Client.StartSession(_reader.Handlers(Pushes(), OnStateChanged), _core.Options.Session, position);
        _core.Session = session;
        _core.Background(async _ =>
        {
            try
            {
                await WatchAsync(session, record.Device);
            }
            finally
            {
                ended.SetFromTask(session.Completion);
            }
        });
    }

    /// <summary>
    /// A session that the server has ended is not tried again when the device is opened the next time.
    /// </summary>
    private async Task WatchAsync(ChatSession session, DeviceId device)
    {
        var end = await session.Completion.ContinueWith(
            static task => task.IsCompletedSuccessfully ? task.Result : ChatSessionEnd.Refused,
            CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        if (end == ChatSessionEnd.Revoked)
        {
            using (await _core.EnterAsync(_core.Stopping))
            {
                // Another device may have begun meanwhile, whose session is another one.
                if (_core.DeviceOrNull is { } known && known.Device == device)
                {
                    var batch = new Batch(_core);
                    batch.Put(known with { Token = null });
                    await batch.WriteAsync(_core.Stopping);
                }
            }
        }

        if (ReferenceEquals(_core.Session, session) && !_core.Stopping.IsCancellationRequested)
        {
            _core.EndWaits(LocalErrors.SessionEnded(end, null));
        }
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var device = _core.Device.Device;
        var me = await Transport.RetryAsync(_core, Client.MeAsync, cancellationToken);
        using (await _core.EnterAsync(cancellationToken))
        {
            if (_core.DeviceOrNull is not { } known || known.Device != device || me.Device.Id != device)
            {
                // Another device has begun meanwhile.
                return;
            }

            var batch = new Batch(_core);
            batch.Put(known with { Account = me.Account, Assets = me.Assets, Sandbox = me.Sandbox });
            await batch.WriteAsync(cancellationToken);
        }
    }

    private void OnStateChanged(ChatSessionState state, TimeSpan? retryIn)
    {
        _core.Signals.Tell(new ConnectionSignal(state, retryIn));
        if (state == ChatSessionState.Online)
        {
            _core.Background(_presence.AgainAsync);
        }
    }

    private ChatHandlers Pushes() => new()
    {
        Receipts = receipts =>
        {
            foreach (var receipt in receipts)
            {
                Take(receipt);
            }
        },
        Ephemeral = signals =>
        {
            foreach (var (_, conversation, account, active, ttlMs) in
                signals.Where(static signal => signal.Kind == EphemeralKind.Typing))
            {
                _core.Signals.Tell(
                    new TypingSignal(conversation, account, active, TimeSpan.FromMilliseconds(Math.Max(0, ttlMs))));
            }
        },
        Presence = _presence.Tell,
        WalletChanged = balances => _core.Signals.Tell(new WalletSignal([.. balances.Select(ChatBalance.From)])),
        Keys = signal =>
        {
            if (signal is { Attempt: { } attempt })
            {
                _core.Signals.Tell(new VaultAttemptSignal(attempt));
                if (attempt.Outcome != VaultAttemptOutcome.Open)
                {
                    _core.Background(_core.Keys.Vault.LookAsync);
                }
            }
            else if (signal is { Wait: { } wait })
            {
                _core.Signals.Tell(new VaultWaitSignal(wait));
                _core.Background(_core.Keys.Vault.LookAsync);
            }
            else
            {
                _core.Background(WatchKeysAsync);
            }
        },
        Control = signal =>
        {
            if (signal is { Kind: ControlKind.Resync, Conversation: null })
            {
                // Who came or went was perhaps told in what the server has dropped.
                _core.Background(_presence.AgainAsync);
            }
            else if (signal.Kind == ControlKind.KeyPackagesLow)
            {
                // It does not say how many are left, and what this device calls low is its own affair.
                _core.Background(async token =>
                    await _stock.FillAsync((await Client.CountKeyPackagesAsync(token)).OneTime, token));
            }
        },
    };

    private void Take(Receipt receipt)
    {
        if (!_core.TryFind(receipt.Conversation, out var state) || !state.Mark(receipt))
        {
            return;
        }

        _core.Signals.Tell(new ReceiptSignal(receipt));
        if (receipt.Account == _core.Device.Account.Id && receipt.Device != _core.Device.Device)
        {
            // What is read on one device is unread on none.
            _core.Background(token => _marks.ReadAsync(state, receipt.Read, token));
        }
    }
}
