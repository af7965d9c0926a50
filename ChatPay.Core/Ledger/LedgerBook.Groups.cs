namespace ChatPay.Core.Ledger;

/// <summary>Linked groups: decided member by member on the book itself, and undone where one member fails.</summary>
public sealed partial class LedgerBook
{
    private Undo? _undo;

    /// <summary>
    /// Decides a group: all of it is applied, or none and each member is recorded as rejected. A group that is known
    /// as a whole gets its stored outcomes; one of which something else is known conflicts, and nothing is recorded.
    /// </summary>
    /// <returns>One outcome per member, in order.</returns>
    public IReadOnlyList<LedgerOutcome> DecideGroup(LedgerGroup group, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(group);
        var members = group.Members;
        PayloadHash[] payloads = [.. members.Select(member => member.HashPayload())];
        if (Replay(group, payloads) is { } earlier)
        {
            return earlier;
        }

        var plans = new Plan[members.Count];
        var (failed, status) = TryAll(members, now, plans);
        _groups[group.Id] = true;
        var outcomes = new LedgerOutcome[members.Count];
        for (var index = 0; index < members.Count; index++)
        {
            var own = status == LedgerStatus.Applied || index == failed ? status : LedgerStatus.LinkedFailed;
            outcomes[index] = Record(members[index], payloads[index], own, plans[index], ref Known(members[index].Id));
        }

        return outcomes;
    }

    /// <summary>Null where group and members are all new.</summary>
    private LedgerOutcome[]? Replay(LedgerGroup group, PayloadHash[] payloads)
    {
        if (!_groups.TryGetValue(group.Id, out var groupIsKnown))
        {
            throw new InvalidOperationException("The group did not ask for itself.");
        }

        var (known, same) = (0, 0);
        var outcomes = new LedgerOutcome[payloads.Length];
        for (var index = 0; index < payloads.Length; index++)
        {
            if (Known(group.Members[index].Id) is { } earlier)
            {
                outcomes[index] = Replay(earlier, payloads[index]);
                known++;
                same += outcomes[index].Replayed ? 1 : 0;
            }
        }

        // Place and size are part of each payload, so members that are all known make up the whole group.
        if (same == payloads.Length)
        {
            return outcomes;
        }

        if (known == 0 && !groupIsKnown)
        {
            return null;
        }

        Array.Fill(outcomes, new LedgerOutcome(LedgerStatus.IdempotencyConflict));
        return outcomes;
    }

    /// <summary>Applies every member, or none of them.</summary>
    /// <returns>Applied; or the first member that fails, and how.</returns>
    private (int Failed, LedgerStatus Status) TryAll(
        IReadOnlyList<LedgerCommand> members, DateTimeOffset now, Plan[] plans)
    {
        _undo = new Undo(_entries.Count);
        Array.Fill(plans, new Plan { At = now });
        try
        {
            for (var index = 0; index < members.Count; index++)
            {
                plans[index].Amount = members[index].Amount;
                var status = Check(members[index], ref plans[index]);
                if (status != LedgerStatus.Applied)
                {
                    RollBack(_undo);
                    Array.Fill(plans, new Plan { At = now });
                    return (index, status);
                }

                Apply(members[index], plans[index]);
            }

            return (-1, LedgerStatus.Applied);
        }
        finally
        {
            _undo = null;
        }
    }

    private void RollBack(Undo undo)
    {
        RollBack(_accounts, undo.Accounts);
        RollBack(_holds, undo.Holds);
        RollBack(_refunds, undo.Refunds);
        _entries.RemoveRange(undo.Entries, _entries.Count - undo.Entries);
    }

    private static void RollBack<TId, T>(Dictionary<TId, Slot<T>> slots, List<(TId Id, T? Before)> steps)
        where TId : notnull
        where T : struct
    {
        for (var index = steps.Count - 1; index >= 0; index--)
        {
            var slot = slots[steps[index].Id];
            slot.Now = steps[index].Before;
            slots[steps[index].Id] = slot;
        }
    }

    /// <summary>What a group changed, to take it back.</summary>
    private sealed class Undo(int entries)
    {
        public int Entries { get; } = entries;

        public List<(LedgerAccountId Id, LedgerAccount? Before)> Accounts { get; } = [];

        public List<(TransferId Id, LedgerHold? Before)> Holds { get; } = [];

        public List<(TransferId Id, LedgerRefunded? Before)> Refunds { get; } = [];
    }
}
