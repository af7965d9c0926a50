using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// Takes in what a session brings, in its order: views and gaps are noted when they come and dealt with before the
/// events that follow them.
/// </summary>
internal sealed class LogReader
{
    /// <summary>At most this many events go into one write.</summary>
    private const int EventsPerWrite = 64;

    private readonly DeviceCore _core;
    private readonly GroupDoor _door;
    private readonly LogApplier _applier;
    private readonly LogHooks _hooks;
    private readonly Queue<Func<CancellationToken, Task>> _notes = new();

    public LogReader(DeviceCore core, GroupDoor door, LogHooks hooks)
    {
        (_core, _door, _hooks) = (core, door, hooks);
        _applier = new LogApplier(core, hooks.JoinSeen);
    }

    /// <summary>For a session that begins: what the one before had still to look at is none of this one's.</summary>
    public ChatSessionHandlers Handlers(ChatHandlers pushes, Action<ChatSessionState, TimeSpan?> stateChanged)
    {
        _notes.Clear();
        return HandlersOf(pushes, stateChanged);
    }

    private ChatSessionHandlers HandlersOf(
        ChatHandlers pushes, Action<ChatSessionState, TimeSpan?> stateChanged) => new()
        {
            Events = OnEventsAsync,
            DeviceMessages = async (messages, cancellationToken) => await _door.TakeAsync(messages, cancellationToken),
            Conversations = views => Note(token => LearnAsync(views, token)),
            Gone = conversations => Note(token => LeaveAsync(conversations, token)),
            Missed = (conversation, from, to) => Note(token => SkipAsync(conversation, from, to, token)),
            LineageChanged = _ => Note(ReplayAsync),
            Greeted = greeting => Note(token => GreetedAsync(greeting, token)),
            CaughtUp = () => Note(CaughtUpAsync),
            TurnEnded = async cancellationToken => await DrainAsync(cancellationToken),
            StateChanged = stateChanged,
            Pushes = pushes,
        };

    private void Note(Func<CancellationToken, Task> note) => _notes.Enqueue(note);

    private async Task DrainAsync(CancellationToken cancellationToken)
    {
        while (_notes.TryDequeue(out var note))
        {
            await note(cancellationToken);
        }
    }

    private async ValueTask OnEventsAsync(IReadOnlyList<Event> events, CancellationToken cancellationToken)
    {
        await DrainAsync(cancellationToken);
        await _core.Arrivals.RoomAsync(cancellationToken);
        var left = events;
        for (var done = 0; done < left.Count;)
        {
            var (applied, outcome) = await ApplySomeAsync(left, done, cancellationToken);
            done += applied;
            if (outcome == Applied.UnknownConversation)
            {
                var unknown = left[done].Conversation;
                if (await _door.TryKnowAsync(unknown, cancellationToken) is (null, _))
                {
                    // An account that is not in it cannot read on either, and what was put aside comes again whole.
                    (left, done) = ([.. left.Skip(done).Where(logged => logged.Conversation != unknown)], 0);
                }
            }
            else if (outcome == Applied.NoGroup)
            {
                await _door.EnterAsync(_core.Find(left[done].Conversation), cancellationToken);
            }
            else if (outcome == Applied.KeyUnknown)
            {
                // The group goes on with that device in any case, but where it is a stranger nothing is said there.
                var shown = GroupKeeper.Shown(CommitChecks.Shown(left[done]));
                await _core.Keys.LookAtAsync(shown, cancellationToken);
                _core.Find(left[done].Conversation).KeysLookedAt = left[done].Seq;
            }
        }

        foreach (var conversation in events.Select(static logged => logged.Conversation).Distinct())
        {
            if (_core.TryFind(conversation, out var state))
            {
                if (state is { Unreadable: true, Record.Active: true } && _core.Groups.IsCertified && events.Any(
                    logged => logged.Conversation == conversation && logged.Kind == EventKind.Commit))
                {
                    _door.Rejoin(state);
                }

                _hooks.Applied(state);
            }
        }
    }

    private async Task<(int Count, Applied Outcome)> ApplySomeAsync(
        IReadOnlyList<Event> events, int from, CancellationToken cancellationToken)
    {
        using (await _core.EnterAsync(cancellationToken))
        {
            var batch = new Batch(_core);
            var (count, outcome) = (0, Applied.Done);
            try
            {
                while (from + count < events.Count && count < EventsPerWrite)
                {
                    outcome = await _applier.ApplyAsync(batch, events[from + count], cancellationToken);
                    if (outcome != Applied.Done)
                    {
                        break;
                    }

                    count++;
                }
            }
            catch
            {
                batch.Abandon();
                throw;
            }

            await batch.WriteAsync(cancellationToken);
            return (count, outcome);
        }
    }

    private async Task LearnAsync(IReadOnlyList<ConversationView> views, CancellationToken cancellationToken)
    {
        foreach (var view in views)
        {
            if (await _door.LearnAsync(view, cancellationToken) is { } state)
            {
                _hooks.Applied(state);
            }
        }
    }

    private async Task LeaveAsync(IReadOnlyList<ConversationId> conversations, CancellationToken cancellationToken)
    {
        using (await _core.EnterAsync(cancellationToken))
        {
            var batch = new Batch(_core);
            foreach (var id in conversations)
            {
                if (_core.TryFind(id, out var state))
                {
                    var draft = batch.Of(state);
                    draft.Record = draft.Record with { Active = false, PendingRemovals = [] };
                    draft.GroupGone();
                }
            }

            await batch.WriteAsync(cancellationToken);
        }
    }

    /// <summary>
    /// The server keeps the log's beginning no longer: reading goes on after it. Commits that were in there show by a
    /// later epoch, and this device then joins anew.
    /// </summary>
    private async Task SkipAsync(ConversationId id, long from, long to, CancellationToken cancellationToken)
    {
        using (await _core.EnterAsync(cancellationToken))
        {
            if (!_core.TryFind(id, out var state) || state.Place.Cursor >= to)
            {
                return;
            }

            var batch = new Batch(_core);
            var draft = batch.Of(state);
            draft.Place = draft.Place with { Cursor = to };
            batch.Arrive(new HistoryMissing { Conversation = id, From = from, Seq = to, At = _core.Time.GetUtcNow() });
            _hooks.Skipped(batch, state);
            await batch.WriteAsync(cancellationToken);
        }
    }

    /// <summary>
    /// The server was restored from a backup: its log may have lost its end and gone on differently. All logs are read
    /// again; what is known already does not come again.
    /// </summary>
    private async Task ReplayAsync(CancellationToken cancellationToken)
    {
        using (await _core.EnterAsync(cancellationToken))
        {
            var batch = new Batch(_core);
            foreach (var state in _core.Conversations)
            {
                var draft = batch.Of(state);
                var place = draft.Place;
                draft.Record = draft.Record with { ViewSeq = -1 };
                draft.Place = place with
                {
                    Cursor = draft.Record.JoinedSeq - 1,
                    Head = 0,
                    Epoch = 0,
                    Replayed = Math.Max(place.Replayed, place.Cursor),
                };
                state.Marks.Clear();
            }

            await batch.WriteAsync(cancellationToken);
        }
    }

    private async Task GreetedAsync(HelloReply greeting, CancellationToken cancellationToken)
    {
        using (await _core.EnterAsync(cancellationToken))
        {
            var batch = new Batch(_core);
            if (_core.Device.Lineage != greeting.Lineage)
            {
                batch.Put(_core.Device with { Lineage = greeting.Lineage });
            }

            foreach (var (conversation, seq) in greeting.ReadElsewhere ?? [])
            {
                if (_core.TryFind(conversation, out var state))
                {
                    var draft = batch.Of(state);
                    var read = Math.Max(draft.Place.Read, Math.Min(seq, draft.Place.Cursor));
                    draft.Place = draft.Place with { Read = read };
                }
            }

            await batch.WriteAsync(cancellationToken);
        }

        _hooks.Greeted(greeting);
    }

    /// <summary>
    /// At the head of its log a group must stand where the server's does; after a restored backup, or where commits
    /// were removed, it may not. What could not be mended before is tried again.
    /// </summary>
    private async Task CaughtUpAsync(CancellationToken cancellationToken)
    {
        foreach (var state in _core.Conversations.Where(static one => one.Record.Active).ToList())
        {
            if (await NeedsGroupAsync(state, cancellationToken))
            {
                await _door.EnterAsync(state, cancellationToken);
            }

            _hooks.Applied(state);
        }

        _core.EndCatchUp();
        _hooks.CaughtUp();
    }

    private async Task<bool> NeedsGroupAsync(ConversationState state, CancellationToken cancellationToken)
    {
        using (await _core.EnterAsync(cancellationToken))
        {
            state.Unreadable = false;
            if (state.Facts is null)
            {
                return true;
            }

            var place = state.Place;
            if (place.Cursor < place.Head || place.Epoch == 0 || state.Pending is not null
                || state.Facts.Epoch == place.Epoch

                // It has just come in, and the log is yet to tell.
                || state.Facts.JoinSeq > Math.Max(place.Cursor, place.Replayed))
            {
                return false;
            }

            var batch = new Batch(_core);
            batch.Of(state).GroupGone();
            await batch.WriteAsync(cancellationToken);
            return true;
        }
    }
}

/// <summary>What others want to know of the log.</summary>
/// <param name="Applied">A conversation was read, or looked at.</param>
/// <param name="JoinSeen">Somebody has come in by an external commit.</param>
/// <param name="Skipped">A part of the log is missing; the batch is written afterwards.</param>
/// <param name="Greeted">A connection is there.</param>
/// <param name="CaughtUp">Everything has been read that was there.</param>
internal sealed record LogHooks(
    Action<ConversationState> Applied, Action<ConversationState, Event> JoinSeen,
    Action<Batch, ConversationState> Skipped, Action<HelloReply> Greeted, Action CaughtUp);
