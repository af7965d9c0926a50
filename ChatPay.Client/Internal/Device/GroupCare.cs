using System.Collections.Concurrent;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// What members do for their group without being asked: remove the leaves of revoked devices and departed people, say the
/// group's name again to those who could not read it, and have their own leaf show the certificate that they have now.
/// Random delays keep everybody from doing the same at once.
/// </summary>
internal sealed class GroupCare(DeviceCore core, Commits commits, Outbox outbox)
{
    private readonly ConcurrentDictionary<ConversationId, bool> _removing = new();
    private readonly ConcurrentDictionary<ConversationId, bool> _renewing = new();

    /// <summary>Where the server refused the renewal, until the next connection, or until there is another certificate.</summary>
    private readonly ConcurrentDictionary<ConversationId, bool> _refused = new();

    /// <summary>An account may be in many groups: it renews one at a time.</summary>
    private readonly Turns _renewals = new();

    /// <summary>Looks at every group anew: there is another connection, or another certificate.</summary>
    public void LookAgain()
    {
        _refused.Clear();
        foreach (var state in core.Conversations)
        {
            Look(state);
        }
    }

    /// <summary>Whoever is online removes them first.</summary>
    public void Look(ConversationState state)
    {
        if (state is { Record.Active: true, Facts: { } facts, Unreadable: false } && !core.Groups.IsShown(facts)
            && !_refused.ContainsKey(state.Id) && _renewing.TryAdd(state.Id, true))
        {
            core.Background(token => RenewAsync(state, token));
        }

        if (state.Record is { Active: true, PendingRemovals.Count: > 0 } && state.Facts is not null
            && _removing.TryAdd(state.Id, true))
        {
            core.Background(token => RemoveAsync(state, token));
        }
    }

    /// <summary>
    /// Somebody joined by an external commit: another device of the same account says the name again, or else, after
    /// some seconds, any member. Nobody does once somebody has.
    /// </summary>
    public void JoinSeen(ConversationState state, Event logged)
    {
        if (state.Record.Kind != ConversationKind.Group || state.Record.Name is null)
        {
            return;
        }

        var longest = core.Options.Timing.Names;
        var isOwn = logged.Account == core.Device.Account.Id;
        var wait = isOwn ? core.Spread(longest) : (2 * longest) + core.Spread(3 * longest);
        core.Background(async token =>
        {
            await Task.Delay(wait, core.Time, token);
            if (state.Record.NameSeq < logged.Seq)
            {
                await SayNameAsync(state, token);
            }
        });
    }

    /// <summary>Says the group's name for those who could not read it when it was said last.</summary>
    public async Task SayNameAsync(ConversationState state, CancellationToken cancellationToken)
    {
        if (state.Record is { Kind: ConversationKind.Group, Active: true, Name: { } name })
        {
            await outbox.SendAsync(state, new MessageContent.GroupName(name), null, null, cancellationToken);
        }
    }

    /// <summary>
    /// One commit. What keeps it from getting through for now is over when the group is looked at next: when something is
    /// read of it, and with each connection.
    /// </summary>
    private async Task RenewAsync(ConversationState state, CancellationToken cancellationToken)
    {
        var isDone = false;
        try
        {
            await core.CaughtUp.WaitAsync(cancellationToken);
            await Task.Delay(core.Spread(core.Options.Timing.Removals), core.Time, cancellationToken);
            using (await _renewals.TakeAsync(cancellationToken))
            using (await state.Lane.TurnAsync(cancellationToken))
            {
                await commits.RenewAsync(state, cancellationToken);
            }

            isDone = true;
        }
        catch (ChatPayException refused) when (Transport.IsVerdict(refused) && refused.Code != ErrorCode.StaleEpoch)
        {
            _refused[state.Id] = true;
        }
        finally
        {
            _renewing.TryRemove(state.Id, out _);
            if (isDone && core.IsLive(state))
            {
                // There may be yet another certificate by now.
                Look(state);
            }
        }
    }

    private async Task RemoveAsync(ConversationState state, CancellationToken cancellationToken)
    {
        try
        {
            var longest = core.Options.Timing.Removals;
            await Task.Delay((longest / 8) + core.Spread(longest), core.Time, cancellationToken);
            using (await state.Lane.TurnAsync(cancellationToken))
            {
                await commits.RemovePendingAsync(state, cancellationToken);
            }
        }
        finally
        {
            _removing.TryRemove(state.Id, out _);
        }
    }
}
