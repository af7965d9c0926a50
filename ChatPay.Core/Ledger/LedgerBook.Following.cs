namespace ChatPay.Core.Ledger;

/// <summary>Deciding on top of a batch that is decided and not committed yet.</summary>
public sealed partial class LedgerBook
{
    /// <summary>
    /// Takes over what an earlier book has changed of the ids that were loaded here. Whatever is decided after this holds
    /// only if the earlier book's rows are committed first.
    /// </summary>
    /// <remarks>
    /// What it only looked at may be older than what was loaded here, and without the account that guards it: a command
    /// that names the hold of another account loads that hold alone.
    /// </remarks>
    public void Follow(LedgerBook earlier)
    {
        ArgumentNullException.ThrowIfNull(earlier);
        Follow(_accounts, earlier._accounts);
        Follow(_holds, earlier._holds);
        FollowRefunds(earlier);
        foreach (var id in _transfers.Keys)
        {
            if (earlier._transfers.GetValueOrDefault(id) is { } known)
            {
                _transfers[id] = known;
            }
        }

        foreach (var id in _groups.Keys)
        {
            _groups[id] |= earlier._groups.GetValueOrDefault(id);
        }

        foreach (var id in _changes.Keys)
        {
            if (earlier._changes.GetValueOrDefault(id) is { } known)
            {
                _changes[id] = known;
            }
        }
    }

    private static void Follow<TId, T>(Dictionary<TId, Slot<T>> mine, Dictionary<TId, Slot<T>> theirs)
        where TId : notnull
        where T : struct
    {
        foreach (var id in mine.Keys)
        {
            if (theirs.TryGetValue(id, out var slot) && slot.Now is not null && !Nullable.Equals(slot.Loaded, slot.Now))
            {
                mine[id] = new(slot.Now);
            }
        }
    }

    /// <summary>A movement of the earlier batch can be refunded in this one, though nobody asked for that there.</summary>
    private void FollowRefunds(LedgerBook earlier)
    {
        Follow(_refunds, earlier._refunds);
        foreach (var row in earlier._rows)
        {
            if (row.Status == LedgerStatus.Applied && row.Command.Kind.IsRefundable()
                && _refunds.TryGetValue(row.Command.Id, out var slot) && slot.Now is null)
            {
                _refunds[row.Command.Id] = new(new LedgerRefunded(
                    row.Command.Id, row.Command.Credit!.Value, row.Command.Debit, row.Amount, AmountMinor.Zero));
            }
        }
    }
}
