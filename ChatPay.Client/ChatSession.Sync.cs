using ChatPay.Client.Internal;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>
/// One reader takes in greetings and pushes, one after the other: what continues a log is handed on, what is known is
/// dropped, and where something is missing the log is read.
/// </content>
public sealed partial class ChatSession
{
    /// <summary>Each may answer with a full page, and memory is to stay bounded.</summary>
    private const int ConversationsPerSync = 20;

    /// <summary>Pushes taken in before the next page is asked for, so that neither keeps the other waiting.</summary>
    private const int ItemsPerTurn = 256;

    private readonly HashSet<ConversationId> _wanted = [];
    private readonly HashSet<ConversationId> _aside = [];
    private bool _behind;
    private long _syncs;

    /// <summary>
    /// For the handlers of events and of device messages: what they were handed of this conversation is not dealt with.
    /// Its log stays where it stands until <see cref="Read"/>, and its messages are not acknowledged.
    /// </summary>
    internal void PutAside(ConversationId conversation) => _aside.Add(conversation);

    private async Task ReadAsync(CancellationToken stop)
    {
        while (true)
        {
            for (var taken = 0; taken < ItemsPerTurn && (_wanted.Count == 0 || !_inbox.IsEmpty); taken++)
            {
                if (_behind && _wanted.Count == 0 && _inbox.IsEmpty)
                {
                    _behind = false;
                    _handlers.CaughtUp?.Invoke();
                    await EndTurnAsync(stop);
                }

                await TakeInAsync(await _inbox.TakeAsync(stop), stop);
                await EndTurnAsync(stop);
            }

            if (_wanted.Count > 0)
            {
                await ReadPagesAsync([.. _wanted.Take(ConversationsPerSync)], stop);
                await EndTurnAsync(stop);
            }
        }
    }

    private ValueTask EndTurnAsync(CancellationToken stop) => _handlers.TurnEnded?.Invoke(stop) ?? default;

    private async Task TakeInAsync(SessionItem item, CancellationToken stop)
    {
        if (item.Greeting is { } greeting)
        {
            await TakeInAsync(greeting, stop);
        }
        else if (item.Events is { } events)
        {
            await ApplyAsync(events, stop);
        }
        else if (item.Heads is { } heads)
        {
            Learn(heads);
        }
        else if (item.DeviceMessages is { } messages)
        {
            await HandAsync(messages, stop);
        }
        else if (item.Resync?.Conversation is { } one)
        {
            Want([one]);
        }
        else if (item.Resync is not null)
        {
            // Anything may have been dropped, also that there is a conversation at all. A greeting says what differs.
            await TakeInAsync(
                await PersistAsync((hub, token) => hub.HelloAsync(Greeting(), token), mayFail: false, stop), stop);
        }
    }

    private async Task TakeInAsync(HelloReply greeting, CancellationToken stop)
    {
        _behind = true;
        if (_log.Adopt(greeting.Lineage))
        {
            _wanted.Clear();
            _handlers.LineageChanged?.Invoke(greeting.Lineage);
        }

        _handlers.Greeted?.Invoke(greeting);

        Learn(greeting.Changed);
        Want((greeting.Heads ?? []).Where(IsBehind).Select(head => head.Conversation));

        // What a former member may still read has an end, and only the log says where.
        Want(greeting.Gone);
        if (greeting.DeviceMessagesWaiting > 0)
        {
            await PullDeviceAsync(stop);
        }
    }

    private void Learn(IReadOnlyList<ConversationView> views)
    {
        if (views.Count > 0)
        {
            _handlers.Conversations?.Invoke(views);
            Want(views.Where(view => IsBehind(new(view.Id, view.Head))).Select(view => view.Id));
        }
    }

    private bool IsBehind(Cursor head) => head.Seq > _log.SeqOf(head.Conversation) || !_log.Knows(head.Conversation);

    private void Want(IEnumerable<ConversationId> conversations)
    {
        _wanted.UnionWith(conversations);
        _behind |= _wanted.Count > 0;
    }

    private async Task ReadPagesAsync(IReadOnlyList<ConversationId> conversations, CancellationToken stop)
    {
        _wanted.ExceptWith(conversations);
        var request = new SyncRequest([.. conversations.Select(id => new Cursor(id, _log.SeqOf(id)))]);
        SyncReply reply;
        try
        {
            Interlocked.Increment(ref _syncs);
            reply = await PersistAsync((hub, token) => hub.SyncAsync(request, token), mayFail: false, stop);
        }
        catch (ChatPayException unknown) when (unknown.Code is ErrorCode.ConversationUnknown or ErrorCode.NotMember)
        {
            await ReadApartAsync(conversations, stop);
            return;
        }

        Require(reply.Pages.Select(page => page.Conversation.Id).ToHashSet().SetEquals(conversations));
        foreach (var page in reply.Pages)
        {
            await ApplyAsync(page, stop);
        }
    }

    /// <summary>One conversation that this account knows nothing of must not keep the others waiting.</summary>
    private async Task ReadApartAsync(IReadOnlyList<ConversationId> conversations, CancellationToken stop)
    {
        if (conversations is [var only])
        {
            Leave(only);
            return;
        }

        foreach (var conversation in conversations)
        {
            await ReadPagesAsync([conversation], stop);
        }
    }

    private async Task ApplyAsync(SyncPage page, CancellationToken stop)
    {
        var (view, events, more) = page;
        for (var i = 0; i < events.Count; i++)
        {
            Require(events[i].Conversation == view.Id && (i == 0 || events[i].Seq == events[i - 1].Seq + 1));
        }

        _handlers.Conversations?.Invoke([view]);
        var last = _log.SeqOf(view.Id);
        if (last >= view.JoinedSeq && last + 1 < view.FirstSeq)
        {
            _handlers.Missed?.Invoke(view.Id, last + 1, view.FirstSeq - 1);
        }

        await HandAsync([.. events.Where(logged => logged.Seq > _log.SeqOf(view.Id))], stop);
        if (_aside.Contains(view.Id))
        {
            return;
        }

        if (more)
        {
            Want([view.Id]);
            return;
        }

        // A log may begin later than the cursor: after a rejoining, or where its beginning is kept no longer.
        _log.MoveTo(view.Id, view.Head);
        if (view.Members.Count == 0)
        {
            Leave(view.Id);
        }
    }

    private async Task ApplyAsync(IReadOnlyList<Event> pushed, CancellationToken stop)
    {
        var next = new List<Event>(pushed.Count);
        var reached = new Dictionary<ConversationId, long>();
        foreach (var logged in pushed)
        {
            var last = reached.GetValueOrDefault(logged.Conversation, _log.SeqOf(logged.Conversation));
            if (logged.Seq == last + 1)
            {
                next.Add(logged);
                reached[logged.Conversation] = logged.Seq;
            }
            else if (logged.Seq > last)
            {
                Want([logged.Conversation]);
            }
        }

        await HandAsync(next, stop);
    }

    /// <summary>Events that continue their logs.</summary>
    private async Task HandAsync(List<Event> events, CancellationToken stop)
    {
        _aside.Clear();
        if (events.Count == 0)
        {
            return;
        }

        if (_handlers.Events is { } handle)
        {
            await handle(events, stop);
        }

        foreach (var logged in events.Where(logged => !_aside.Contains(logged.Conversation)))
        {
            _log.MoveTo(logged.Conversation, logged.Seq);
            if (logged.Members is { } members && (members.Removed.Contains(_account) || members.Left.Contains(_account))
                && !events.Exists(later => later.Seq > logged.Seq && ComesBack(later, logged.Conversation)))
            {
                Leave(logged.Conversation);
            }
        }
    }

    private bool ComesBack(Event logged, ConversationId conversation) =>
        logged.Conversation == conversation && logged.Members is { } members
        && members.Added.Any(member => member.Account == _account);

    private void Leave(ConversationId conversation)
    {
        _wanted.Remove(conversation);
        if (_log.Leave(conversation))
        {
            _handlers.Gone?.Invoke([conversation]);
        }
    }

    private async Task PullDeviceAsync(CancellationToken stop)
    {
        for (var more = _handlers.DeviceMessages is not null; more;)
        {
            var page = await PersistAsync((hub, token) => hub.PullDeviceAsync(token), mayFail: false, stop);

            // Whatever it says, a page that nothing was taken of is the last: the next one would be the same.
            more = await HandAsync(page.Messages, stop) && page.More;
        }
    }

    /// <returns>Whether something was taken, and acknowledged.</returns>
    private async Task<bool> HandAsync(IReadOnlyList<DeviceMessage> messages, CancellationToken stop)
    {
        _aside.Clear();
        if (messages.Count == 0 || _handlers.DeviceMessages is not { } handle)
        {
            return false;
        }

        await handle(messages, stop);
        var received = new AckDeviceRequest(
        [
            .. messages.Where(message => message.Conversation is not { } one || !_aside.Contains(one))
                .Select(message => message.Id),
        ]);
        if (received.Ids.Count == 0)
        {
            return false;
        }

        await PersistAsync(async (hub, token) =>
        {
            await hub.AckDeviceAsync(received, token);
            return new Unit();
        }, mayFail: false, stop);
        return true;
    }

    private static void Require(bool holds)
    {
        if (!holds)
        {
            throw LocalErrors.SessionEnded(
                ChatSessionEnd.Refused,
                new InvalidDataException("The server answered a Sync with pages that do not fit the question."));
        }
    }
}
