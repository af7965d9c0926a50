using System.Collections.Concurrent;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// What members do for their group without being asked: remove the leaves of revoked devices and departed people, and
/// say the group's name again to those who could not read it. Random delays keep everybody from doing the same at once.
/// </summary>
internal sealed class GroupCare(DeviceCore core, Commits commits, Outbox outbox)
{
    private readonly ConcurrentDictionary<ConversationId, bool> _removing = new();

    /// <summary>Whoever is online removes them first.</summary>
    public void Look(ConversationState state)
    {
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
