using System.Globalization;
using System.Text.Json;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// This device's commits. One is made, stored, and sent; nothing of the group changes before the log says that it has
/// won. All of this runs in the conversation's turn.
/// </summary>
internal sealed class Commits(DeviceCore core)
{
    /// <summary>Attempts before somebody else's commits are taken to be in the way for good.</summary>
    private const int StaleAttempts = 8;

    /// <summary>Larger ones go over HTTP: base64 makes a third more of them.</summary>
    private const int HubBytes = Limits.HubHandshakeBytes / 2;

    private static readonly TimeSpan s_shortest = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(1);

    /// <summary>
    /// What a commit does in the group as it stands; null where none is to be made. One without proposals has new keys, and
    /// the certificate that this device has now, take the place of the old ones.
    /// </summary>
    public delegate IReadOnlyList<Proposal>? Plan(Group group, ConversationRecord record);

    /// <summary>Completes when this device has a group for the conversation and no commit in flight.</summary>
    /// <exception cref="ChatPayException">
    /// Not a member, or the group cannot be mended for now, or the conversation is of an earlier device.
    /// </exception>
    public async Task ReadyAsync(ConversationState state, CancellationToken cancellationToken)
    {
        while (true)
        {
            core.RequireLive(state);
            if (!state.Record.Active)
            {
                throw LocalErrors.Refused(ErrorCode.NotMember, "This account is not in the conversation any more.");
            }

            if (state.Unreadable)
            {
                throw LocalErrors.GroupBroken();
            }

            if (state.Facts is null)
            {
                // Whoever reads the log gets this device in.
                await core.UntilAsync(
                    state, static one => one.Facts is not null || one.Unreadable || !one.Record.Active,
                    cancellationToken);
            }
            else if (state.Pending is { Epoch: 0 } first)
            {
                // The commit that created the conversation: that it exists is the answer, and its log begins with it.
                await core.UntilAsync(state, one => one.Pending != first, cancellationToken);
            }
            else if (state.Pending is { } pending)
            {
                // Its answer was lost: the same bytes get the same one.
                await TrySettleAsync(state, pending, cancellationToken);
            }
            else
            {
                return;
            }
        }
    }

    /// <summary>
    /// Commits what the plan finds to do, again after each commit of somebody else, until it has won or nothing is
    /// left.
    /// </summary>
    /// <exception cref="ChatPayException">The server refused, or others were faster time and again.</exception>
    public async Task CommitAsync(ConversationState state, Plan plan, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < StaleAttempts; attempt++)
        {
            await ReadyAsync(state, cancellationToken);
            var (done, facts) = await TryPrepareAsync(state, plan, cancellationToken);
            if (done || (facts is not null && await TrySettleAsync(state, facts, cancellationToken)))
            {
                return;
            }

            await Transport.PauseAsync(
                core, Backoff.FullJitter(attempt, s_shortest, s_longest, core.Options.Session.Random),
                cancellationToken);
        }

        throw LocalErrors.Refused(ErrorCode.StaleEpoch, "Others changed the group faster than this device could.");
    }

    /// <summary>
    /// Removes the leaves of revoked devices and departed people, as everybody does before encrypting.
    /// </summary>
    public Task RemovePendingAsync(ConversationState state, CancellationToken cancellationToken) =>
        state.Record.PendingRemovals.Count == 0
            ? Task.CompletedTask
            : CommitAsync(
                state,
                static (group, record) => Removals(group, record).ToList() is { Count: > 0 } removals ? removals : null,
                cancellationToken);

    /// <summary>
    /// Has this device's leaf show the certificate that the device has now, where it shows another one, or none: it was in
    /// the group before its account had a chain, or the account's identity key has been replaced.
    /// </summary>
    public Task RenewAsync(ConversationState state, CancellationToken cancellationToken) => CommitAsync(
        state, (group, record) => IsShown(group) ? null : [.. Removals(group, record)], cancellationToken);

    /// <summary>The pending removals that a commit of this device can make: not of its own leaf.</summary>
    public static IEnumerable<Proposal> Removals(Group group, ConversationRecord record)
    {
        var devices = record.PendingRemovals.Select(static removal => removal.Device).ToHashSet();
        return group.Members
            .Where(member => member.LeafIndex != group.OwnLeaf && devices.Contains(Views.Owner(member).Device))
            .Select(static member => new RemoveProposal { Removed = member.LeafIndex });
    }

    /// <summary>Waits until this device has read up to the commit that a <c>stale_epoch</c> names.</summary>
    public async Task CatchUpAsync(ConversationState state, ErrorBody stale, CancellationToken cancellationToken)
    {
        var value = stale.Details?.GetValueOrDefault("seq");
        var text = value is JsonElement element
            ? element.GetRawText() : Convert.ToString(value, CultureInfo.InvariantCulture);
        if (!long.TryParse(text, CultureInfo.InvariantCulture, out var seq))
        {
            // The server names none: its log is not where this group is, which shows when it is read to its end.
            await Transport.PauseAsync(core, core.Spread(s_longest), cancellationToken);
            return;
        }

        await core.UntilAsync(
            state, one => one.Place.Cursor >= seq || one.Facts is null || !one.Record.Active, cancellationToken);
    }

    /// <summary>Sends a commit as it is stored; by the hub, or by HTTP where it is large.</summary>
    /// <param name="attempts">How often to ask over HTTP at most.</param>
    public async Task<CommitReply> SubmitAsync(
        ConversationState state, PendingFacts facts, PendingCommit pending, CancellationToken cancellationToken,
        int attempts = int.MaxValue)
    {
        var request = new CommitRequest(
            state.Id, facts.ClientId, facts.Epoch, pending.Message, pending.Welcome, pending.GroupInfo);
        var bytes = (long)request.Commit.Length + (request.Welcome?.Length ?? 0) + request.GroupInfo.Length;
        return bytes <= HubBytes
            ? await core.RequireSession().SubmitCommitAsync(request, cancellationToken)
            : await Transport.RetryAsync(
                core, token => core.Client.SubmitCommitAsync(request, token), cancellationToken, attempts: attempts);
    }

    /// <returns>
    /// Whether nothing is to be done; else the commit that is stored now, if the group still let it be made.
    /// </returns>
    private async Task<(bool Done, PendingFacts? Facts)> TryPrepareAsync(
        ConversationState state, Plan plan, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            if (state.Facts is null || state.Pending is not null
                || await core.Groups.GroupAsync(state, cancellationToken) is not { } group)
            {
                return (false, null);
            }

            if (plan(group, state.Record) is not { } proposals)
            {
                await LookAtAsync(state, cancellationToken);
                return (true, null);
            }

            var request = new MlsCommitRequest
            {
                Proposals = proposals,
                IncludePending = false,
                ForcePath = true,
                NextIdentity = IsShown(group) ? null : core.Groups.Member,
            };
            if (!group.TryCommit(request, out var pending, out var rejection))
            {
                throw LocalErrors.Refused(
                    ErrorCode.KeyPackageInvalid, $"What was to be committed does not fit the group: {rejection}.");
            }

            using (pending)
            {
                var facts = new PendingFacts(new(core.NewId()), (long)group.Epoch, Joining: false);
                var batch = new Batch(core);
                batch.Of(state).KeepPending(facts, pending);
                await batch.WriteAsync(cancellationToken);
                return (false, facts);
            }
        }
    }

    private bool IsShown(Group group) =>
        core.Groups.IsShown(new GroupFacts(0, 0, [], core.Groups.OwnLeaves(group.Members)));

    /// <summary>A group of an earlier version's is looked at once.</summary>
    private async Task LookAtAsync(ConversationState state, CancellationToken cancellationToken)
    {
        if (state.Facts is { Own: null })
        {
            var batch = new Batch(core);
            batch.Of(state).LookedAt(core.Groups);
            await batch.WriteAsync(cancellationToken);
        }
    }

    /// <summary>Finds out what becomes of a stored commit, and waits until the log is read up to there.</summary>
    /// <returns>Whether it has won.</returns>
    private async Task<bool> TrySettleAsync(
        ConversationState state, PendingFacts facts, CancellationToken cancellationToken)
    {
        try
        {
            PendingCommit pending;
            using (await core.EnterAsync(cancellationToken))
            {
                if (state.Pending != facts)
                {
                    // The log has told of it meanwhile, or of a faster one.
                    return false;
                }

                pending = await core.Groups.PendingAsync(state.Id, cancellationToken);
            }

            CommitReply reply;
            using (pending)
            {
                reply = await Transport.InsistAsync(
                    core, () => SubmitAsync(state, facts, pending, cancellationToken), cancellationToken);
            }

            // A member's own commit takes effect where it stands in the log, after the messages before it.
            await core.UntilAsync(
                state, one => one.Place.Cursor >= reply.Seq || one.Pending != facts, cancellationToken);
            return true;
        }
        catch (ChatPayException refused) when (
            Transport.IsFinal(refused) && !refused.Retryable && !core.Stopping.IsCancellationRequested)
        {
            // Where a commit that the server kept failing at was accepted after all, this device joins its group again.
            if (refused.Code == ErrorCode.Internal && state.Pending != facts)
            {
                // The log has told of it meanwhile.
                return false;
            }

            var stale = refused.Code == ErrorCode.StaleEpoch;
            if (stale)
            {
                await CatchUpAsync(state, refused.Error, cancellationToken);
            }

            await DropAsync(state, facts, cancellationToken);
            if (stale)
            {
                return false;
            }

            throw;
        }
    }

    private async Task DropAsync(ConversationState state, PendingFacts facts, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            if (state.Pending == facts)
            {
                var batch = new Batch(core);
                batch.Of(state).DropPending();
                await batch.WriteAsync(cancellationToken);
            }
        }
    }
}
