using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Keys;

/// <summary>Everything that a device knows of identity keys: its account's own, other people's, and the log.</summary>
internal sealed class DeviceKeys : IDisposable
{
    /// <summary>So often a chain is asked for before a leaf is judged: whoever reads the log waits for it.</summary>
    public const int Looks = 3;

    private readonly DeviceCore _core;

    public DeviceKeys(DeviceCore core)
    {
        _core = core;
        Alarms = new KeyAlarms(core);
        Log = new KeyLogFollower(core, Alarms);
        Ledger = new LedgerFollower(core, Alarms);
        Own = new OwnKeys(core, Log, Alarms);
        Wrapped = new WrappedKeys(core, Own);
        People = new PeopleKeys(core, Log, Alarms);
        Gossip = new LogGossip(core, Log, Alarms);
        Pin = new PinKeeper(core, Own, Wrapped, Log);
        Vault = new VaultWatch(core, Alarms);
    }

    public KeyAlarms Alarms { get; }

    public KeyLogFollower Log { get; }

    public LedgerFollower Ledger { get; }

    public OwnKeys Own { get; }

    public WrappedKeys Wrapped { get; }

    public PeopleKeys People { get; }

    public LogGossip Gossip { get; }

    public PinKeeper Pin { get; }

    public VaultWatch Vault { get; }

    /// <summary>Called when this device has become one that others let in.</summary>
    public Action Approved { get; set; } = static () => { };

    /// <summary>Whether this device can prove itself, by now.</summary>
    /// <exception cref="ChatPayException">The server cannot be reached.</exception>
    public async Task<bool> IsApprovedAsync(CancellationToken cancellationToken) =>
        _core.Groups.IsCertified
        || (_core.DeviceOrNull is not null && await Own.EnsureAsync(cancellationToken));

    /// <summary>
    /// Whether others would let this device in, for the reader of the log: what the server says of keys, other than to come
    /// back later, stops no reading.
    /// </summary>
    public async Task<bool> MayEnterAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await IsApprovedAsync(cancellationToken);
        }
        catch (ChatPayException refused) when (refused.Error.Code != ClientErrors.Code && !refused.Retryable)
        {
            return false;
        }
    }

    /// <summary>Another device has approved this one, a message says.</summary>
    /// <returns>Whether that could be looked at: not where the key log cannot be read now.</returns>
    public async Task<bool> TryTakeApprovalAsync(byte[] message, CancellationToken cancellationToken)
    {
        try
        {
            if (await Own.TakeApprovalAsync(message, cancellationToken))
            {
                _core.Signals.Tell(new DeviceApprovedSignal());
                _core.Background(Own.SettleAsync);
            }

            return true;
        }
        catch (ChatPayException failed) when (failed.Error.Code != ClientErrors.Code || failed.Retryable)
        {
            return false;
        }
    }

    /// <summary>
    /// Whether one of this account's leaves is of a device, or under an identity key, that its chain has not: somebody vouches
    /// for a device of this very account who is not its person.
    /// </summary>
    public bool HasStranger(IEnumerable<OwnLeaf> own) => own.Any(leaf => !People.IsOwn(leaf));

    /// <summary>
    /// Those of the leaves that are not to be taken for their account's as far as its chain is known here, and that nobody has
    /// looked for in the log yet.
    /// </summary>
    public IReadOnlyList<ShownLeaf> Unknown(IEnumerable<ShownLeaf> leaves) =>
        [.. leaves.Where(shown => !People.IsKnown(shown))];

    public bool HasUnknown(IEnumerable<ShownLeaf> leaves) => leaves.Any(shown => !People.IsKnown(shown));

    /// <summary>
    /// Somebody shows a device that their chain has not, or another key, as far as it is known here: they may have added or
    /// replaced it since. So the chain is looked at, and only what it has not either raises an alarm.
    /// </summary>
    public async Task LookAtAsync(IReadOnlyList<ShownLeaf> leaves, CancellationToken cancellationToken)
    {
        var me = _core.Device.Account.Id;
        foreach (var some in Unknown(leaves).GroupBy(static shown => shown.Account))
        {
            if (some.Key == me)
            {
                await LookAtOwnAsync([.. some.Select(static shown => shown.Leaf)], cancellationToken);
            }
            else
            {
                await People.LookAtAsync(some.Key, [.. some.Select(static shown => shown.Leaf)], cancellationToken);
            }
        }
    }

    /// <summary>As the other one, for this account.</summary>
    public async Task LookAtOwnAsync(IReadOnlyList<OwnLeaf> own, CancellationToken cancellationToken)
    {
        try
        {
            await Transport.RetryAsync(_core, Own.EnsureAsync, cancellationToken, attempts: Looks);
        }
        catch (ChatPayException failed) when (!failed.EndsDevice && !_core.Stopping.IsCancellationRequested)
        {
            // What is known by now decides.
        }

        foreach (var leaf in own.Where(leaf => !People.IsOwn(leaf)))
        {
            await Alarms.RaiseAsync(
                KeyAlarmKind.IdentityUnlogged, _core.Device.Account.Id, PeopleKeys.Evidence(leaf), cancellationToken);
        }
    }

    public void Dispose()
    {
        Own.Dispose();
        Log.Dispose();
        Ledger.Dispose();
    }

    /// <summary>Reads what is kept in memory.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await People.LoadAsync(cancellationToken);
        await Log.LoadAsync(cancellationToken);
    }

    /// <summary>
    /// Before something is put into the outbox, which looks at the group's leaves as well before it encrypts.
    /// </summary>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.IdentityChanged"/>: somebody has to be accepted first.
    /// </exception>
    public void RequireAccepted(ConversationState state)
    {
        if (Refusal(state) is { } refusal)
        {
            throw refusal;
        }
    }

    /// <summary>Before something that is done in a conversation without a message.</summary>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.IdentityChanged"/>: somebody has to be accepted first, or a stranger has to go.
    /// </exception>
    public async Task RequireNoStrangerAsync(ConversationState state, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(state);
        using (await _core.EnterAsync(cancellationToken))
        {
            var refusal = await _core.Groups.GroupAsync(state, cancellationToken) is { } group
                ? Refusal(state, group) : Refusal(state);
            if (refusal is not null)
            {
                throw refusal;
            }
        }
    }

    /// <summary>
    /// Why nothing may be encrypted for a group now; null where it may. Also where its people are accepted: a device in
    /// somebody's name that their chain has not stays one until it is out of the group. A device of theirs may put it out,
    /// anybody once the server takes it for leaving, and an owner their whole account. Behind the core's gate.
    /// </summary>
    public ChatPayException? Refusal(ConversationState state, Group group)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(group);
        if (Refusal(state) is { } refusal)
        {
            return refusal;
        }

        var asOf = (group.Epoch, People.Version);
        if (state.Strangers?.AsOf != asOf)
        {
            state.Strangers = (asOf,
            [
                .. GroupKeeper.Shown(group.Members.Select(static member => member.Leaf)).Where(People.IsStranger)
                    .Select(static shown => shown.Account).Distinct(),
            ]);
        }

        return state.Strangers is { Accounts: { Count: > 0 } accounts }
            ? LocalErrors.DeviceUnlogged(Names(state.Record, accounts)) : null;
    }

    /// <summary>Why nothing may go to a conversation now, as far as its people are known; null where it may.</summary>
    public ChatPayException? Refusal(ConversationState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (HasStranger(state.Facts?.Own ?? []))
        {
            return LocalErrors.OwnDeviceUnlogged();
        }

        var conversation = state.Record;
        var me = _core.Device.Account.Id;
        var blocked = People.Blocked(conversation.Members.Select(member => member.Account).Where(one => one != me));
        return blocked.Count == 0 ? null : LocalErrors.IdentityChanged(Names(conversation, blocked));
    }

    private static string Names(ConversationRecord conversation, IReadOnlyList<AccountId> accounts) => string.Join(
        ", ", conversation.Members.Where(member => accounts.Contains(member.Account))
            .Select(static member => member.DisplayName));
}
