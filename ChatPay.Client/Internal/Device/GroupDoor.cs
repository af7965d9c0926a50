using System.Collections.Concurrent;
using ChatPay.Core.Identity;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// How this device gets into a conversation's group, and back into one whose log it cannot follow: by the Welcome that
/// waits for it, or by an external commit. Only the reader of the log goes through here, so nothing is read meanwhile.
/// </summary>
internal sealed partial class GroupDoor(DeviceCore core, Commits commits)
{
    private const int JoinAttempts = 5;

    /// <summary>Who waits here keeps all conversations waiting, so each request is made once for every attempt.</summary>
    private const int Once = 1;

    /// <summary>
    /// How long to wait, doubled each time, before a conversation is tried again that could not be joined for now.
    /// </summary>
    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_againLongest = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan s_shortest = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Those that the server does not show for now. Each is here for two seconds at most, and getting here takes some
    /// requests, so they are never many.
    /// </summary>
    private readonly ConcurrentDictionary<ConversationId, bool> _aside = new();

    /// <summary>
    /// Leaves this device in the group, or the conversation unreadable until it is tried again, or inactive.
    /// </summary>
    public async Task EnterAsync(ConversationState state, CancellationToken cancellationToken)
    {
        await PullWelcomesAsync(cancellationToken);
        var isPassing = false;
        for (var attempt = 0; attempt < JoinAttempts && state.Facts is null && state.Record.Active; attempt++)
        {
            try
            {
                if (!await core.Keys.MayEnterAsync(cancellationToken))
                {
                    // Nobody would let it in.
                    break;
                }

                if (await TryJoinAsync(state, cancellationToken))
                {
                    state.JoinFailures = 0;
                    return;
                }

                isPassing = false;
            }
            catch (ChatPayException passing) when (passing.Retryable && !core.Stopping.IsCancellationRequested)
            {
                isPassing = true;
            }

            await PauseAsync(attempt, cancellationToken);
        }

        if (state.Facts is null && state.Record.Active)
        {
            using (await core.EnterAsync(cancellationToken))
            {
                state.JoinFailures = isPassing ? state.JoinFailures + 1 : 0;
                state.Unreadable = true;
                state.Announce();
            }

            if (isPassing)
            {
                Rejoin(state);
            }
        }
    }

    /// <summary>
    /// The server was busy, or somebody has changed the group and perhaps mended it: whoever reads the log tries it again.
    /// </summary>
    public void Rejoin(ConversationState state)
    {
        if (!state.WillRejoin)
        {
            state.WillRejoin = true;
            core.Background(token => AgainAsync(state, token));
        }
    }

    private async Task AgainAsync(ConversationState state, CancellationToken cancellationToken)
    {
        var longest = Backoff.FullJitter(state.JoinFailures - 1, s_again, s_againLongest, static () => 1);
        await Task.Delay((longest / 2) + core.Spread(longest / 2), core.Time, cancellationToken);
        state.WillRejoin = false;
        if (core.IsLive(state))
        {
            core.RequireSession().Read(state.Id);
        }
    }

    /// <summary>Takes Welcomes up. One that leads nowhere is dropped.</summary>
    /// <returns>What is to be acknowledged: all but those of conversations that were put aside.</returns>
    public async Task<IReadOnlyList<DeviceMessage>> TakeAsync(
        IReadOnlyList<DeviceMessage> messages, CancellationToken cancellationToken)
    {
        var taken = new List<DeviceMessage>(messages.Count);
        foreach (var message in messages)
        {
            // What this version has no use for is acknowledged with the rest, so that it does not fill the queue.
            if (message.Kind == DeviceMessageKind.Pairwise && SealedApproval.IsOne(message.Body))
            {
                if (!await core.Keys.TryTakeApprovalAsync(message.Body, cancellationToken))
                {
                    // It waits on the server, and comes again with the next connection.
                    continue;
                }
            }
            else if (message is { Kind: DeviceMessageKind.Welcome, Conversation: { } conversation })
            {
                var (state, isAside) = await TryKnowAsync(conversation, cancellationToken);
                if (isAside)
                {
                    continue;
                }

                if (state is not null)
                {
                    await TakeWelcomeAsync(state, message, cancellationToken);
                }
            }

            taken.Add(message);
        }

        return taken;
    }

    /// <summary>
    /// As <see cref="KnowAsync"/>, for the reader of the log: where the server does not show a conversation for now, it
    /// is put aside, and its log is read a while later. That tells of it too.
    /// </summary>
    public async Task<(ConversationState? State, bool IsAside)> TryKnowAsync(
        ConversationId conversation, CancellationToken cancellationToken)
    {
        if (core.TryFind(conversation, out var known))
        {
            return (known, false);
        }

        for (var attempt = 0; attempt < JoinAttempts && !_aside.ContainsKey(conversation); attempt++)
        {
            try
            {
                return (await KnowAsync(conversation, cancellationToken, attempts: Once), false);
            }
            catch (ChatPayException passing) when (
                (passing.Retryable || passing.Code == ErrorCode.Internal) && !core.Stopping.IsCancellationRequested)
            {
                await PauseAsync(attempt, cancellationToken);
            }
        }

        if (_aside.TryAdd(conversation, true))
        {
            core.Background(token => LookAgainAsync(conversation, token));
        }

        core.Session?.PutAside(conversation);
        return (null, true);
    }

    private async Task LookAgainAsync(ConversationId conversation, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay((s_again / 2) + core.Spread(s_again / 2), core.Time, cancellationToken);
        }
        finally
        {
            _aside.TryRemove(conversation, out _);
        }

        core.RequireSession().Read(conversation);
    }

    private Task PauseAsync(int attempt, CancellationToken cancellationToken) => Transport.PauseAsync(
        core, Backoff.FullJitter(attempt, s_shortest, s_longest, core.Options.Session.Random), cancellationToken);

    /// <summary>
    /// The conversation, asked for where it is new; null where the server says that it is not this account's.
    /// </summary>
    /// <param name="attempts">How often to ask at most.</param>
    public async Task<ConversationState?> KnowAsync(
        ConversationId conversation, CancellationToken cancellationToken, int attempts = int.MaxValue)
    {
        if (core.TryFind(conversation, out var known))
        {
            return known;
        }

        try
        {
            var view = await Transport.RetryAsync(
                core, token => core.Client.ConversationAsync(conversation, token), cancellationToken, mayFail: false,
                attempts);
            return await LearnAsync(view, cancellationToken);
        }
        catch (ChatPayException foreign) when (foreign.Code is ErrorCode.ConversationUnknown or ErrorCode.NotMember)
        {
            return null;
        }
    }

    /// <summary>Takes in what the server says of a conversation.</summary>
    public async Task<ConversationState?> LearnAsync(ConversationView view, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            var batch = new Batch(core);
            if (!core.TryFind(view.Id, out var state))
            {
                if (view.Members.Count == 0)
                {
                    return null;
                }

                var (first, place) = Views.First(view);
                state = new ConversationState(first, place);
                await core.Groups.ReadFactsAsync(state, cancellationToken);
                batch.Put(StoreKeys.Conversation(view.Id), DeviceCore.Encode(first));
                batch.Put(StoreKeys.Place(view.Id), DeviceCore.Encode(place));
                batch.Put(StoreKeys.Creation(view.Id), null);
                await batch.WriteAsync(cancellationToken);
                state = core.Add(state);
            }
            else
            {
                var draft = batch.Of(state);
                (draft.Record, draft.Place) = Views.Merge(draft.Record, draft.Place, view);
                await batch.WriteAsync(cancellationToken);
            }

            foreach (var receipt in view.Receipts)
            {
                state.Mark(receipt);
            }

            state.Announce();
            return state;
        }
    }

    private async Task PullWelcomesAsync(CancellationToken cancellationToken)
    {
        try
        {
            await PullAllAsync(core.RequireSession(), cancellationToken);
        }
        catch (ChatPayException) when (!core.Stopping.IsCancellationRequested)
        {
            // An external commit needs none.
        }
    }

    private async Task PullAllAsync(ChatSession session, CancellationToken cancellationToken)
    {
        for (var more = true; more;)
        {
            var page = await session.CallAsync((hub, token) => hub.PullDeviceAsync(token), cancellationToken);
            var taken = await TakeAsync(page.Messages, cancellationToken);
            more = page.More && taken.Count > 0;
            if (taken.Count > 0)
            {
                var received = new AckDeviceRequest([.. taken.Select(static message => message.Id)]);
                await session.CallAsync(async (hub, token) =>
                {
                    await hub.AckDeviceAsync(received, token);
                    return new Unit();
                }, cancellationToken);
            }
        }
    }

    /// <summary>One external commit; a stored one first, whose answer was lost.</summary>
    private async Task<bool> TryJoinAsync(ConversationState state, CancellationToken cancellationToken)
    {
        try
        {
            if (await PrepareAsync(state, cancellationToken) is not { } prepared)
            {
                return false;
            }

            using (prepared.Commit)
            {
                var reply = await commits.SubmitAsync(
                    state, prepared.Facts, prepared.Commit, cancellationToken, attempts: Once);
                using (await core.EnterAsync(cancellationToken))
                {
                    var batch = new Batch(core);
                    await LogApplier.AdoptAsync(
                        core, batch.Of(state), prepared.Facts, prepared.Commit, reply.Seq, cancellationToken);
                    await batch.WriteAsync(cancellationToken);
                }
            }

            return true;
        }
        catch (ChatPayException unknown) when (
            !unknown.Retryable && !Transport.IsVerdict(unknown) && !core.Stopping.IsCancellationRequested)
        {
            // It may have been accepted: the next attempt sends the same one.
            return false;
        }
        catch (ChatPayException refused) when (!refused.Retryable && !core.Stopping.IsCancellationRequested)
        {
            using (await core.EnterAsync(cancellationToken))
            {
                var batch = new Batch(core);
                var draft = batch.Of(state);
                draft.DropPending();
                if (refused.Code is ErrorCode.NotMember or ErrorCode.ConversationUnknown)
                {
                    draft.Record = draft.Record with { Active = false, PendingRemovals = [] };
                }

                await batch.WriteAsync(cancellationToken);
            }

            return false;
        }
    }

    private async Task<(PendingFacts Facts, PendingCommit Commit)?> PrepareAsync(
        ConversationState state, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            if (state.Pending is { Joining: true } stored)
            {
                return (stored, await core.Groups.PendingAsync(state.Id, cancellationToken));
            }
        }

        var info = await Transport.RetryAsync(
            core, token => core.Client.GroupInfoAsync(state.Id, token), cancellationToken, attempts: Once);
        if (!TlsCodec.TryDecode<MlsMessage>(info.GroupInfo, out var message, out _)
            || message.GroupInfo is not { } groupInfo
            || !groupInfo.Context.GroupId.AsSpan().SequenceEqual(GroupIds.From(state.Id))
            || groupInfo.Context.CipherSuite != GroupKeeper.Suite.Id || groupInfo.Context.Extensions.Count > 0)
        {
            return null;
        }

        IReadOnlyList<ShownLeaf> unknown;
        using (await core.EnterAsync(cancellationToken))
        {
            if (!Group.TryJoinExternally(
                groupInfo, core.Groups.Member, core.Groups.Services, null, out var commit, out _))
            {
                return null;
            }

            unknown = core.Keys.Unknown(GroupKeeper.Shown(commit.Members.Select(static member => member.Leaf)));
            if (unknown.Count == 0)
            {
                var facts = new PendingFacts(new(core.NewId()), (long)groupInfo.Context.Epoch, Joining: true);
                var batch = new Batch(core);
                batch.Of(state).KeepPending(facts, commit);
                await batch.WriteAsync(cancellationToken);
                return (facts, commit);
            }

            commit.Dispose();
        }

        await core.Keys.LookAtAsync(unknown, cancellationToken);
        return null;
    }
}
