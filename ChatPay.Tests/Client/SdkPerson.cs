using System.Globalization;
using ChatPay.Client;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Somebody with one device of the SDK, and everything that it received.</summary>
internal sealed class SdkPerson : IAsyncDisposable
{
    /// <summary>Longest that any test of the SDK may take, on a machine that is busy.</summary>
    public const int TimeoutMs = 300_000;

    private static int s_count;

    private readonly CancellationTokenSource _stop = new();
    private Task _receiving = Task.CompletedTask;
    private Task _listening = Task.CompletedTask;

    private SdkPerson(ChatPayDevice device, IDeviceStore store, string handle) =>
        (Device, Store, Handle) = (device, store, handle);

    public ChatPayDevice Device { get; }

    public IDeviceStore Store { get; }

    public string Handle { get; }

    public AccountId Id => Device.Account.Id;

    public Inbox<ChatItem> Items { get; } = new();

    public Inbox<ChatSignal> Signals { get; } = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Waits of some milliseconds, so that a test of what clients wait for takes no time.</summary>
    public static ChatPayDeviceTiming Quick { get; } = new()
    {
        Removals = TimeSpan.FromMilliseconds(100),
        Names = TimeSpan.FromMilliseconds(50),
        Marks = TimeSpan.FromMilliseconds(10),
        Archive = TimeSpan.FromMilliseconds(20),
    };

    public static ChatPayDeviceOptions Options(Uri address, IDeviceStore store) => new()
    {
        Address = address,
        Store = store,
        KeyPackageStock = 5,
        Timing = Quick,
        RegistrationOnTheWay = TimeSpan.Zero,
        Session = new()
        {
            BaseDelay = TimeSpan.FromMilliseconds(5),
            MaxDelay = TimeSpan.FromMilliseconds(200),
        },
    };

    /// <summary>A number at the end is told apart digit by digit, so no two of these look alike.</summary>
    public static string NewHandle() =>
        "sdk" + Interlocked.Increment(ref s_count).ToString("D6", CultureInfo.InvariantCulture);

    /// <summary>Signs up and is online.</summary>
    public static async Task<SdkPerson> JoinAsync(
        Uri address, IDeviceStore? store = null, Func<ChatPayDeviceOptions, ChatPayDeviceOptions>? with = null)
    {
        var handle = NewHandle();
        return await OpenAsync(address, store ?? new MemoryStore(), handle, with);
    }

    /// <summary>The device of a store, or a new one of the account; receiving.</summary>
    /// <param name="approver">A device of the account that approves a new one; without one, its identity begins anew.</param>
    public static async Task<SdkPerson> OpenAsync(
        Uri address, IDeviceStore store, string handle, Func<ChatPayDeviceOptions, ChatPayDeviceOptions>? with = null,
        bool receives = true, SdkPerson? approver = null)
    {
        var options = Options(address, store);
        var device = await ChatPayDevice.OpenAsync(with?.Invoke(options) ?? options, Cancellation);
        var person = new SdkPerson(device, store, handle);
        try
        {
            await device.SignUpOrInAsync(handle, "The " + handle, Person.Password, Cancellation);
            person._listening = person.ListenAsync();
            if (receives)
            {
                person.Receive();
            }

            await person.EnterAccountAsync(approver);
            return person;
        }
        catch
        {
            await person.DisposeAsync();
            throw;
        }
    }

    /// <summary>A device, closed again, that has begun to talk with somebody, who has seen it.</summary>
    public static async Task<(MemoryStore Store, string Handle, ConversationId Chat)> LeaveChatAsync(SdkPerson other)
    {
        var (store, handle) = (new MemoryStore(), NewHandle());
        await using var person = await OpenAsync(other.Device.Client.Address, store, handle);
        var chat = await person.Device.StartDirectAsync(other.Id, Cancellation);
        await other.SeesAsync(chat.Id);
        return (store, handle, chat.Id);
    }

    /// <summary>A new device of an account, signed in, that nothing vouches for yet.</summary>
    public static async Task<ChatPayDevice> NewDeviceAsync(Uri address, string handle)
    {
        var device = await ChatPayDevice.OpenAsync(Options(address, new MemoryStore()), Cancellation);
        try
        {
            await device.SignInAsync(handle, Person.Password, Cancellation);
            return device;
        }
        catch
        {
            await device.DisposeAsync();
            throw;
        }
    }

    /// <summary>Once the device knows that its session is over.</summary>
    /// <param name="approver">A device of the account that approves this one, where it is a new one.</param>
    public async Task SignInAgainAsync(SdkPerson? approver = null)
    {
        await Eventually.TrueAsync(() => Task.FromResult(!Device.IsSignedIn), "the session is known to be over");
        await Device.SignInAsync(Handle, Person.Password, Cancellation);
        await EnterAccountAsync(approver);
    }

    /// <summary>Another device of the same account, which this one approves.</summary>
    public Task<SdkPerson> OnAnotherDeviceAsync() =>
        OpenAsync(Device.Client.Address, new MemoryStore(), Handle, approver: this);

    /// <summary>Has the account's identity vouch for this device, and waits until others can add it.</summary>
    public async Task EnterAccountAsync(SdkPerson? approver = null)
    {
        if (await Device.ApprovalCodeAsync(Cancellation) is { } code)
        {
            if (approver is null)
            {
                await Device.ResetIdentityAsync(Cancellation);
            }
            else
            {
                await approver.ApproveAsync(Device);
            }
        }

        await StockedAsync();
        await Device.OnlineAsync(Cancellation);
    }

    /// <summary>Approves another device of the account and waits until it is online.</summary>
    public async Task ApproveAsync(ChatPayDevice other)
    {
        await Device.ApproveAsync((await other.ApprovalCodeAsync(Cancellation))!, Cancellation);
        await Eventually.TrueAsync(() => Task.FromResult(other.IsApproved), $"another device of {Handle} is approved");
        await Eventually.TrueAsync(
            async () => (await other.Client.CountKeyPackagesAsync(Cancellation)).HasLastResort,
            $"another device of {Handle} has key packages");
        await other.OnlineAsync(Cancellation);
    }

    /// <summary>Takes everything that comes, also when it has signed in again.</summary>
    public void Receive() => _receiving = Task.Run(async () =>
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        try
        {
            do
            {
                try
                {
                    await foreach (var item in Device.ReceiveAsync(_stop.Token))
                    {
                        Items.Add([item]);
                    }

                    return;
                }
                catch (ChatPayException over) when (over.Name is ClientErrors.SessionEnded)
                {
                    // Until somebody signs in, if anybody does.
                }
            }
            while (await timer.WaitForNextTickAsync(_stop.Token));
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    });

    /// <summary>The next item, by a loop of its own that is left at once: the item is in the program's hands.</summary>
    public async Task<ChatItem> NextAsync()
    {
        await foreach (var item in Device.ReceiveAsync(Cancellation))
        {
            return item;
        }

        throw new InvalidOperationException("There is nothing more.");
    }

    public async Task<ChatConversation> SeesAsync(ConversationId conversation)
    {
        await Eventually.TrueAsync(
            () => Task.FromResult(Device.Conversations.Any(one => one.Id == conversation && one.IsReadable)),
            $"{Handle} is in the conversation");
        return Device.Conversation(conversation);
    }

    public async Task<TextMessage> ReadsAsync(string text) =>
        (TextMessage)await Items.FirstAsync(item => item is TextMessage message && message.Text == text);

    /// <summary>The card as the log has told this device of it.</summary>
    /// <param name="state">Waits until it has this state; null for its first sight.</param>
    public async Task<ChatCard> SeesCardAsync(CardId card, CardState? state = null) => await Items.FirstAsync(item => item switch
    {
        CardPosted posted => posted.Card.Id == card && (state is null || posted.Card.State == state),
        CardChanged changed => changed.Card.Id == card && changed.Card.State == state,
        _ => false,
    }) switch
    {
        CardPosted posted => posted.Card,
        var changed => ((CardChanged)changed).Card,
    };

    /// <summary>
    /// The card once this device knows of a version of it, or of a later one; by the log, or by the answer to what it did itself,
    /// of which no item tells it.
    /// </summary>
    public async Task<ChatCard> KnowsCardAsync(CardId card, int version)
    {
        ChatCard? known = null;
        await Eventually.TrueAsync(
            async () => (known = await Device.CardAsync(card, Cancellation)).View.Version >= version,
            $"{Handle} knows of version {version} of the card");
        return known!;
    }

    public IReadOnlyList<string> Texts(ConversationId conversation) =>
    [
        .. Items.Items.OfType<TextMessage>()
            .Where(message => message.Conversation == conversation)
            .Select(message => message.Text),
    ];

    /// <summary>The identity key that each leaf of a group shows, as its newest GroupInfo has it; empty for none.</summary>
    public async Task<IReadOnlyDictionary<DeviceId, byte[]>> LeavesAsync(ConversationId chat)
    {
        var info = await Device.Client.GroupInfoAsync(chat, Cancellation);
        Assert.True(TlsCodec.TryDecode<MlsMessage>(info.GroupInfo, out var message, out _));
        var extension = message.GroupInfo!.Extensions.Single(one => one.Type == ExtensionType.RatchetTree);
        Assert.True(TlsCodec.TryDecode<RatchetTree>(extension.Data, out var tree, out _));
        var leaves = new Dictionary<DeviceId, byte[]>();
        foreach (var leaf in tree.Nodes.Select(static node => node?.Leaf).OfType<LeafNode>())
        {
            Assert.True(CredentialIdentity.TryRead(leaf.Credential, out var identity));
            leaves[identity.Device] = DeviceCredential.TryRead(leaf.Credential, out var certified)
                ? [.. certified.IdentityKey] : [];
        }

        return leaves;
    }

    /// <summary>Waits until a device's leaf shows this identity key.</summary>
    public Task ShowsAsync(ConversationId chat, DeviceId device, byte[] identityKey) => Eventually.TrueAsync(
        async () => (await LeavesAsync(chat)).GetValueOrDefault(device, []).AsSpan().SequenceEqual(identityKey),
        "the leaf shows the account's key");

    public async Task<long> AvailableAsync() =>
        Assert.Single(await Device.BalancesAsync(Cancellation)).Available.Amount.Value;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Device.DisposeAsync();
        await _receiving;
        await _listening;
        _stop.Dispose();
    }

    /// <summary>Others can add it from here on.</summary>
    private Task StockedAsync() => Eventually.TrueAsync(
        async () => (await Device.Client.CountKeyPackagesAsync(Cancellation)).HasLastResort,
        $"{Handle} has key packages");

    private async Task ListenAsync()
    {
        try
        {
            await foreach (var signal in Device.SignalsAsync(_stop.Token))
            {
                Signals.Add([signal]);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
