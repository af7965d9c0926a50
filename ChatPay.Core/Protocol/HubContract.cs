namespace ChatPay.Core.Protocol;

/// <summary>
/// What clients call on the hub at <c>/hub</c>. Every reply is a <see cref="HubReply{T}"/>. The first call on a
/// connection is <see cref="Hello"/>; until then the others answer <c>hello_first</c>.
/// </summary>
public interface IChatHub
{
    Task<HubReply<HelloReply>> Hello(HelloRequest request);

    Task<HubReply<SyncReply>> Sync(SyncRequest request);

    Task<HubReply<SendReply>> Send(SendRequest request);

    Task<HubReply<CommitReply>> SubmitCommit(CommitRequest request);

    /// <summary>Sends something to single devices; answered once it is stored.</summary>
    Task<HubReply<Unit>> SendToDevices(SendToDevicesRequest request);

    /// <summary>Removes received device messages from this device's queue.</summary>
    Task<HubReply<Unit>> AckDevice(AckDeviceRequest request);

    /// <summary>The next page of this device's queue, oldest first.</summary>
    Task<HubReply<DeviceMessagesPage>> PullDevice();

    Task<HubReply<Unit>> Mark(MarkRequest request);

    Task<HubReply<Unit>> Typing(TypingRequest request);

    /// <summary>Says who of these accounts is there, and tells the connection when that changes.</summary>
    Task<HubReply<PresenceReply>> WatchPresence(WatchPresenceRequest request);

    Task<HubReply<CardActReply>> CardAct(CardActRequest request);
}

/// <summary>What the server calls on clients; always batched.</summary>
public interface IChatClient
{
    /// <summary>Committed events, in seq order per conversation. Hints: apply last+1, drop older, sync on a gap.</summary>
    Task Events(IReadOnlyList<Event> events);

    /// <summary>Conversations whose state (members, roles, epoch, pending removals) changed, or that are new.</summary>
    Task Heads(IReadOnlyList<ConversationView> conversations);

    Task DeviceMessages(IReadOnlyList<DeviceMessage> messages);

    Task Receipts(IReadOnlyList<Receipt> receipts);

    Task Ephemeral(IReadOnlyList<EphemeralSignal> signals);

    /// <summary>Watched accounts that came, went, or are no longer to be seen.</summary>
    Task Presence(IReadOnlyList<PresenceView> accounts);

    /// <summary>The wallet of this account changed; balances as of the commit.</summary>
    Task WalletChanged(IReadOnlyList<WalletBalance> balances);

    Task Control(ControlSignal signal);

    /// <summary>
    /// The account's chain in the key log grew, its archive was turned on or off, or a realm in the server counted a guess of
    /// the PIN or has begun or ended a wait. A hint: who was not there reads log, archive and attempts after Hello.
    /// </summary>
    Task Keys(KeysSignal signal);
}
