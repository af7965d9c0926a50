using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.Conversations;

/// <summary>
/// Conversations in a batch. Every command that appends to a log calls <see cref="Need"/>, which locks the
/// conversation's row; members, leaves and events change only under that lock, so they need none of their own.
/// What only appends to conversations that this node remembers does without reading and locking, see
/// <see cref="NeedForAppending"/>.
/// </summary>
internal sealed partial class ConversationRows(
    WriteSet set, ConversationCache cache, ConnectionRegistry registry, Fanout fanout) : WriteRows
{
    private readonly Dictionary<ConversationId, ConversationState> _found = [];
    private readonly Dictionary<(AccountId Low, AccountId High), ConversationId> _directs = [];
    private readonly Dictionary<MessageKey, Event> _duplicates = [];
    private readonly Dictionary<DeviceId, DeviceFacts> _devices = [];
    private readonly Dictionary<AccountId, int> _counts = [];
    private readonly HashSet<ConversationId> _created = [];
    private readonly List<Event> _appended = [];
    private readonly List<GroupInfoRow> _groupInfos = [];
    private readonly List<WelcomeRow> _welcomes = [];

    public override int LockOrder => 300;

    /// <summary>Locks the conversation's row and loads head and epoch.</summary>
    public void Need(ConversationId conversation) => _needed.Add(conversation);

    /// <summary>As <see cref="Need"/>, and loads the account's place in it, now or once.</summary>
    public void NeedMember(ConversationId conversation, AccountId account)
    {
        Need(conversation);
        _neededMembers.Add((conversation, account));
    }

    /// <summary>As <see cref="Need"/>, and loads all its members and leaves.</summary>
    public void NeedMembership(ConversationId conversation)
    {
        Need(conversation);
        _neededMemberships.Add(conversation);
    }

    /// <summary>Loads what the device has appended under this client message id, if anything.</summary>
    public void NeedDuplicateCheck(ConversationId conversation, DeviceId device, ClientMessageId clientId)
    {
        Need(conversation);
        _neededDuplicates.Add(new(conversation, device, clientId));
    }

    /// <summary>
    /// Asks for what appending takes: of the cache, where nothing speaks against it by what is known there, else by
    /// <see cref="IAppendingCommand.NeedLocked"/>. What may not be appended is always decided on locked rows, for it may have
    /// been appended before.
    /// </summary>
    public void NeedForAppending(IAppendingCommand command) => _appending.Add(command);

    /// <summary>Looks up the direct conversation of two accounts.</summary>
    public void NeedDirect(AccountId one, AccountId other) => _neededDirects.Add(Pair(one, other));

    /// <summary>Counts the conversations that each account is in.</summary>
    public void NeedMembershipCounts(IEnumerable<AccountId> accounts) => _neededCounts.UnionWith(accounts);

    /// <summary>Whether the account is in fewer conversations than it may; its count was asked for.</summary>
    /// <remarks>Not locked: batches of several nodes may go over the bound by a few.</remarks>
    public bool HasRoomForAnother(AccountId account) =>
        _counts.GetValueOrDefault(account) < Limits.ConversationsPerAccount;

    /// <summary>Loads devices and keeps them from being revoked before this batch is committed.</summary>
    public void NeedDevices(IEnumerable<DeviceId> devices) => _neededDevices.UnionWith(devices);

    /// <summary>The conversation as earlier commands of the batch left it; null where there is none.</summary>
    public ConversationState? Find(ConversationId conversation) => _found.GetValueOrDefault(conversation);

    /// <summary>Whether the account is a member now; asked for by <see cref="NeedMember"/>.</summary>
    public bool IsMember(ConversationId conversation, AccountId account) =>
        Find(conversation)?.IsMember(account) ?? false;

    /// <summary>The event that stands under this client message id, from earlier batches or this one.</summary>
    public Event? FindDuplicate(ConversationId conversation, DeviceId device, ClientMessageId clientId) =>
        _duplicates.GetValueOrDefault(new(conversation, device, clientId));

    public ConversationId? FindDirect(AccountId one, AccountId other) =>
        _directs.TryGetValue(Pair(one, other), out var conversation) ? conversation : null;

    /// <summary>A device that was asked for, live or revoked; null where there is none.</summary>
    public DeviceFacts? FindDevice(DeviceId device) => _devices.GetValueOrDefault(device);

    /// <summary>
    /// Appends an event at the next seq, at the batch's time and in the conversation's current epoch. The
    /// conversation was asked for and found; with a client id, the duplicate check was asked for and negative.
    /// </summary>
    /// <returns>The event as members will see it, with its seq.</returns>
    public Event Append(ConversationId conversation, NewEvent appended)
    {
        var state = Find(conversation)
            ?? throw new InvalidOperationException("An event is appended to a conversation that was not loaded.");
        var logged = new Event(
            conversation, state.NextSeq(), appended.Kind, appended.Account, appended.Device, appended.ClientId,
            state.Epoch, set.Now, appended.Body, appended.Card, appended.Members);
        if (appended is { Device: { } device, ClientId: { } clientId }
            && !_duplicates.TryAdd(new(conversation, device, clientId), logged))
        {
            throw new InvalidOperationException("A client message id is appended twice.");
        }

        _appended.Add(logged);
        return logged;
    }

    /// <summary>
    /// Puts a later state of its card into an event that this batch has appended and that nobody has seen yet.
    /// </summary>
    public Event Amend(Event logged, CardView card)
    {
        var at = _appended.LastIndexOf(logged);
        return at < 0
            ? throw new InvalidOperationException("Only an event of this batch can be amended.")
            : _appended[at] = logged with { Card = card };
    }

    /// <summary>Takes in a conversation that a command has just begun.</summary>
    /// <param name="other">The other person of a direct conversation; null for a group.</param>
    public void Add(ConversationState begun, AccountId creator, AccountId? other)
    {
        _found.Add(begun.Id, begun);
        _created.Add(begun.Id);
        if (other is { } peer)
        {
            _directs.Add(Pair(creator, peer), begun.Id);
        }
    }

    /// <summary>Keeps the GroupInfo of the epoch that a commit just began.</summary>
    public void PutGroupInfo(ConversationId conversation, long epoch, long seq, byte[] body)
    {
        _groupInfos.RemoveAll(row => row.Conversation == conversation);
        _groupInfos.Add(new(conversation, epoch, seq, body));
    }

    /// <summary>Queues a Welcome for one added device; an older one for the same conversation is void.</summary>
    public void PutWelcome(Guid id, DeviceId device, ConversationId conversation, long seq, byte[] body)
    {
        _welcomes.RemoveAll(row => row.Device == device && row.Message.Conversation == conversation);
        _welcomes.Add(new(device, new(id, DeviceMessageKind.Welcome, conversation, seq, body, set.Now)));
    }

    public override void Decided()
    {
        if (!set.Locks)
        {
            Remember();
        }
    }

    public override void Abandoned() => cache.Forget(_found.Keys);

    public override void Committed()
    {
        if (set.Locks)
        {
            Remember();
        }

        if (_appended.Count > 0)
        {
            fanout.Committed(_appended, [.. _welcomes.Select(row => (row.Device, row.Message))]);
        }
    }

    private void Remember() => cache.Put(
        _found.Values,
        from logged in _appended
        where logged is { Device: not null, ClientId: not null }
        select new MessageKey(logged.Conversation, logged.Device!.Value, logged.ClientId!.Value));

    private static (AccountId Low, AccountId High) Pair(AccountId one, AccountId other) =>
        string.CompareOrdinal(one.ToString(), other.ToString()) < 0 ? (one, other) : (other, one);

    private sealed record GroupInfoRow(ConversationId Conversation, long Epoch, long Seq, byte[] Body);

    private sealed record WelcomeRow(DeviceId Device, DeviceMessage Message);
}

/// <summary>What a feature appends to a log; the rows add seq, epoch and time.</summary>
internal sealed record NewEvent(
    EventKind Kind, AccountId? Account, DeviceId? Device = null, ClientMessageId? ClientId = null, byte[]? Body = null,
    CardView? Card = null, MembersChange? Members = null);

internal sealed class ConversationRowsFactory(ConversationCache cache, ConnectionRegistry registry, Fanout fanout)
    : IWriteRowsFactory
{
    public WriteRows Create(WriteSet set) => new ConversationRows(set, cache, registry, fanout);

    public void DatabaseLost() => cache.Clear();
}
