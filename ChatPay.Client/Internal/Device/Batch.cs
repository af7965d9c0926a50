using System.Text.Json;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// What one write will change, readable while it is put together behind the core's gate. Memory follows when it is
/// written.
/// </summary>
internal sealed class Batch(DeviceCore core)
{
    private readonly Dictionary<string, byte[]?> _changes = new(StringComparer.Ordinal);
    private readonly Dictionary<ConversationId, ConversationDraft> _drafts = [];
    private readonly Dictionary<CardId, (CardRecord Record, bool Changed)> _cards = [];
    private readonly List<Action> _after = [];
    private DeviceRecord? _device;
    private int _arrivals;
    private long _lastArrival;

    public DeviceCore Core => core;

    /// <exception cref="ChatPayException">The conversation is of an earlier device.</exception>
    public ConversationDraft Of(ConversationState state)
    {
        core.RequireLive(state);
        if (!_drafts.TryGetValue(state.Id, out var draft))
        {
            _drafts.Add(state.Id, draft = new ConversationDraft(state));
        }

        return draft;
    }

    public async ValueTask<CardRecord?> CardAsync(CardId id, CancellationToken cancellationToken) =>
        _cards.TryGetValue(id, out var changed) ? changed.Record : await core.CardAsync(id, cancellationToken);

    /// <param name="changed">Whether there is something to tell whoever watches it.</param>
    public void Put(CardRecord card, bool changed = true) => _cards[card.View.Id] = (card, changed);

    public void Put(DeviceRecord device) => _device = device;

    public void Put(OutboxRecord entry) => _changes[StoreKeys.Waiting(entry.Order)] = DeviceCore.Encode(entry);

    public void Remove(OutboxRecord entry) => _changes[StoreKeys.Waiting(entry.Order)] = null;

    public void Put(string key, byte[]? value) => _changes[key] = value;

    /// <summary>Happens once the batch is written.</summary>
    public void After(Action action) => _after.Add(action);

    /// <summary>Into the conversation's history and, unless this very device did it, to the program.</summary>
    public void Arrive(ChatItem item)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(item, WireFormat.Json);
        if (core.Options.HistoryPerConversation > 0 && item.Seq > 0)
        {
            _changes[StoreKeys.Item(item.Conversation, item.Seq)] = bytes;
        }

        if (core.Arrivals.Keeps && item.Device != core.Device.Device)
        {
            _lastArrival = core.Arrivals.Take();
            _arrivals++;
            _changes[StoreKeys.Arrival(_lastArrival)] = bytes;
        }
    }

    /// <summary>
    /// Nothing of it will be written. Groups may have moved on in memory meanwhile: what is in the store is what they
    /// are.
    /// </summary>
    public void Abandon()
    {
        foreach (var draft in _drafts.Values)
        {
            GroupKeeper.Drop(draft.State);
        }
    }

    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        foreach (var draft in _drafts.Values)
        {
            draft.Collect(core, _changes);
        }

        foreach (var (id, (record, _)) in _cards)
        {
            _changes[StoreKeys.Card(id)] = DeviceCore.Encode(record);
        }

        if (_device is not null)
        {
            _changes[StoreKeys.Device] = DeviceCore.Encode(_device);
        }

        if (_changes.Count > 0)
        {
            await core.WriteAsync(
                [.. _changes.Select(static change => new StoreChange(change.Key, change.Value))], cancellationToken);
        }

        Follow();
        core.Groups.Trim();
    }

    private void Follow()
    {
        if (_device is not null)
        {
            core.Follow(_device);
        }

        foreach (var (card, changed) in _cards.Values)
        {
            core.Keep(card);
            if (changed)
            {
                core.CardChanges.Tell(new(card.View, card.Memo, card.Trust));
            }
        }

        foreach (var draft in _drafts.Values)
        {
            draft.Follow(core);
        }

        if (_arrivals > 0)
        {
            core.Arrivals.Stored(_arrivals, _lastArrival);
        }

        _after.ForEach(static action => action());
        foreach (var draft in _drafts.Values)
        {
            draft.State.Announce();
        }
    }
}

/// <summary>A conversation as a batch will leave it.</summary>
internal sealed class ConversationDraft(ConversationState state)
{
    private bool _saveEpoch;
    private bool _saveRatchets;
    private bool _groupGone;
    private PendingCommit? _newPending;

    public ConversationState State => state;

    public ConversationRecord Record { get; set; } = state.Record;

    public PlaceRecord Place { get; set; } = state.Place;

    public GroupFacts? Facts { get; private set; } = state.Facts;

    public PendingFacts? Pending { get; private set; } = state.Pending;

    /// <summary>Message keys were used.</summary>
    public void RatchetsMoved() => _saveRatchets = true;

    /// <summary>The group, which is at hand, is in another epoch, or new.</summary>
    public void EpochChanged(GroupKeeper groups, GroupFacts facts)
    {
        (_saveEpoch, _saveRatchets, _groupGone) = (true, true, false);
        Facts = facts with { Own = groups.OwnLeaves(state.Group!.Members) };
    }

    /// <summary>Notes what an earlier version did not: whose leaves are in the group, which is at hand.</summary>
    public void LookedAt(GroupKeeper groups) => Facts = Facts! with { Own = groups.OwnLeaves(state.Group!.Members) };

    /// <summary>The device is no longer in the group, and keeps no keys of it.</summary>
    public void GroupGone()
    {
        (_saveEpoch, _saveRatchets, _groupGone) = (false, false, true);
        Facts = null;
        DropPending();
    }

    public void KeepPending(PendingFacts facts, PendingCommit pending) => (Pending, _newPending) = (facts, pending);

    public void DropPending() => (Pending, _newPending) = (null, null);

    public void Collect(DeviceCore core, Dictionary<string, byte[]?> changes)
    {
        var id = state.Id;
        Put(changes, StoreKeys.Conversation(id), state.Record, Record);
        if (Place != state.Place)
        {
            changes[StoreKeys.Place(id)] = DeviceCore.Encode(Place);
            Forget(core, changes);
        }

        Put(changes, StoreKeys.GroupFacts(id), state.Facts, Facts);
        if (_groupGone)
        {
            changes[StoreKeys.GroupEpoch(id)] = null;
            changes[StoreKeys.GroupRatchets(id)] = null;
        }
        else if (_saveRatchets)
        {
            core.Groups.PutGroup(changes, id, state.Group!, _saveEpoch);
        }

        Put(changes, StoreKeys.PendingFacts(id), state.Pending, Pending);
        if (_newPending is not null)
        {
            core.Groups.PutPending(changes, id, _newPending);
        }
        else if (Pending is null && state.Pending is not null)
        {
            changes[StoreKeys.PendingState(id)] = null;
        }
    }

    public void Follow(DeviceCore core)
    {
        state.Follow(Record, Place);
        (state.Facts, state.Pending) = (Facts, Pending);
        if (_groupGone)
        {
            GroupKeeper.Drop(state);
        }
        else if (_saveEpoch)
        {
            core.Keys.People.See(state.Group!);
        }
    }

    private static void Put<T>(Dictionary<string, byte[]?> changes, string key, T? before, T? after)
        where T : class
    {
        if (!ReferenceEquals(before, after))
        {
            changes[key] = after is null ? null : DeviceCore.Encode(after);
        }
    }

    /// <summary>
    /// What is further back than the history reaches goes as the log goes on, so that nobody has to look for it.
    /// </summary>
    private void Forget(DeviceCore core, Dictionary<string, byte[]?> changes)
    {
        var kept = core.Options.HistoryPerConversation;
        var before = state.Place.Cursor;
        var (from, to) = (Math.Max(0, before - kept), Math.Min(before, Place.Cursor - kept));
        for (var seq = from + 1; kept > 0 && seq <= to; seq++)
        {
            changes.TryAdd(StoreKeys.Item(state.Id, seq), null);
        }
    }
}
