using System.Globalization;
using ChatPay.Client;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>
/// Somebody with one device, through the public door: signed up over HTTP, connected to the hub, and able to make MLS
/// messages that the server takes for real. The group's state is the test's to keep, in a <see cref="TestGroup"/>.
/// </summary>
internal sealed class Person : IAsyncDisposable
{
    public const string Password = "a fairly long sentence 7";

    private static int s_count;

    private Person(ChatPayClient client, Key key)
    {
        Client = client;
        Key = key;
    }

    public ChatPayClient Client { get; }

    public Key Key { get; }

    public CardSigner Signer => new(Id, Device, Key);

    /// <summary>The account's identity key, once there is a chain.</summary>
    public Key? IdentityKey { get; private set; }

    /// <summary>Somebody who vouches for this device instead.</summary>
    public Key? Voucher { get; set; }

    public AccountId Id => Client.Account!.Id;

    public DeviceId Device => Client.Device!.Id;

    public ChatConnection Hub { get; private set; } = null!;

    public HelloReply Greeting { get; private set; } = null!;

    public Inbox<Event> Events { get; } = new();

    public Inbox<ConversationView> Heads { get; } = new();

    public Inbox<DeviceMessage> DeviceMessages { get; } = new();

    public Inbox<Receipt> Receipts { get; } = new();

    public Inbox<EphemeralSignal> Ephemeral { get; } = new();

    public Inbox<PresenceView> Presence { get; } = new();

    public Inbox<WalletBalance> Wallet { get; } = new();

    public Inbox<ControlSignal> Controls { get; } = new();

    public Inbox<KeysSignal> Keys { get; } = new();

    /// <summary>The exceptions that connections closed with; null for a close from this side.</summary>
    public Inbox<Exception?> Closed { get; } = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Signs up, connects and says Hello.</summary>
    public static async Task<Person> JoinAsync(Uri address)
    {
        var person = await SignUpAsync(address);
        await person.ConnectAsync();
        return person;
    }

    public static async Task<Person> SignUpAsync(Uri address)
    {
        var key = TestMls.NewSignatureKey();
        var client = new ChatPayClient(address);
        var handle = NewHandle();
        await client.SignUpAsync(
            new(handle, handle, Password, new("Test", TestMls.PublicKeyOf(key))), Cancellation);
        return new(client, key);
    }

    /// <summary>The same account on another device, connected.</summary>
    /// <param name="address">Of another node; this person's own by default.</param>
    public async Task<Person> OnAnotherDeviceAsync(Uri? address = null)
    {
        var key = TestMls.NewSignatureKey();
        var client = new ChatPayClient(address ?? Client.Address);
        await client.SignInAsync(
            new(Client.Account!.Handle, Password, new("Another", TestMls.PublicKeyOf(key))), Cancellation);
        var other = new Person(client, key);
        await other.ConnectAsync();
        return other;
    }

    /// <summary>Connects, anew if need be, and says Hello with the given cursors.</summary>
    public async Task<HelloReply> ConnectAsync(Guid? lineage = null, params IReadOnlyList<Cursor> cursors)
    {
        await OpenAsync();
        Greeting = await Hub.HelloAsync(
            new(Device, Limits.ProtocolVersion, [], lineage ?? (cursors.Count > 0 ? Greeting.Lineage : null), cursors),
            Cancellation);
        return Greeting;
    }

    /// <summary>Connects without a word.</summary>
    public async Task OpenAsync()
    {
        await DisconnectAsync();
        Hub = await Client.ConnectAsync(Handlers(), Cancellation);
    }

    public async Task DisconnectAsync()
    {
        if (Hub is not null)
        {
            await Hub.DisposeAsync();
        }
    }

    /// <summary>Begins the account's chain in the key log, with this device in it.</summary>
    public async Task<KeyChainReply> BeginChainAsync()
    {
        IdentityKey = TestMls.NewSignatureKey();
        var first = KeyLogEntry.Identity(KeyLogPlace.First(Id), IdentityKey, IdentityKey);
        var second = KeyLogEntry.DeviceAdded(new KeyLogPlace(Id, 1, first.Hash()), Device, Key, IdentityKey);
        return await Client.AppendKeysAsync([first.Encoding.ToArray(), second.Encoding.ToArray()], Cancellation);
    }

    /// <summary>
    /// Posts or acts on a card; what takes this person's money is signed by this device, in a chain begun for it.
    /// </summary>
    public async Task<CardActReply> CardActAsync(CardActRequest request, CancellationToken cancellationToken)
    {
        var signed = Signer.Sign(request);
        if (signed.Authorisation is not null)
        {
            await BeChainedAsync();
        }

        return await Hub.CardActAsync(signed, cancellationToken);
    }

    /// <summary>Pays a request, signed likewise.</summary>
    public async Task<CardActReply> PayAsync(CardView card, CancellationToken cancellationToken)
    {
        await BeChainedAsync();
        return await Hub.CardActAsync(Signer.Sign(TestCards.Act(card, CardActionKind.Pay), card), cancellationToken);
    }

    /// <summary>Sees to it that this device is in its account's chain.</summary>
    public async Task BeChainedAsync()
    {
        if (IdentityKey is null && Voucher is null)
        {
            await BeginChainAsync();
        }
    }

    /// <summary>A key package as an upload would carry it, with a certificate once there is a chain.</summary>
    public byte[] KeyPackage() => TestMls.KeyPackage(Id, Device, Key, new()
    {
        Credential = (Voucher ?? IdentityKey) is { } vouching
            ? DeviceCredential.Issue(new CredentialIdentity(Id, Device), TestMls.PublicKeyOf(Key), vouching).ToCredential()
            : null,
    });

    /// <summary>The numbered error that a call ends with.</summary>
    public static async Task<ErrorBody> ErrorOf(Task call) =>
        (await Assert.ThrowsAsync<ChatPayException>(() => call)).Error;

    public async ValueTask DisposeAsync()
    {
        await DisconnectAsync();
        Client.Dispose();
        Key.Dispose();
        IdentityKey?.Dispose();
    }

    /// <summary>A number at the end is told apart digit by digit, so no two of these look alike.</summary>
    private static string NewHandle() =>
        "person" + Interlocked.Increment(ref s_count).ToString("D6", CultureInfo.InvariantCulture);

    private ChatHandlers Handlers() => new()
    {
        Events = Events.Add,
        Heads = Heads.Add,
        DeviceMessages = DeviceMessages.Add,
        Receipts = Receipts.Add,
        Ephemeral = Ephemeral.Add,
        Presence = Presence.Add,
        WalletChanged = Wallet.Add,
        Control = signal => Controls.Add([signal]),
        Keys = signal => Keys.Add([signal]),
        Closed = exception => Closed.Add([exception]),
    };
}
