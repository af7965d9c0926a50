using ChatPay.Core.Ledger;

namespace ChatPay.Tests.Ledger;

/// <summary>
/// What survives every crash of the simulation: the tables of the ledger as committed, row locks on accounts, the keys
/// and constraints that the real database has, and a clock that may step back.
/// </summary>
internal sealed class SimulatedStore(IReadOnlyList<Asset> assets, DateTimeOffset now)
{
    private static readonly TransferKind[] s_refundable =
        [TransferKind.Transfer, TransferKind.Capture, TransferKind.Balancing, TransferKind.CaptureAll];

    private readonly Dictionary<LedgerAccountId, object> _locks = [];
    private readonly HashSet<(LedgerGroupId, int)> _groups = [];
    private readonly HashSet<(LedgerAccountId, long)> _entryKeys = [];
    private readonly Dictionary<TransferId, TransferRow> _byId = [];
    private readonly List<TransferRow> _transfers = [];
    private readonly List<EntryRow> _entries = [];
    private readonly List<(LedgerAct Act, DateTimeOffset Now, NaiveOutcome[] Outcomes)> _journal = [];

    public DateTimeOffset Now { get; set; } = now;

    public Dictionary<LedgerAccountId, LedgerAccount> Accounts { get; } = [];

    public Dictionary<TransferId, LedgerHold> Holds { get; } = [];

    public Dictionary<TransferId, LedgerRefunded> Refunded { get; } = [];

    public Dictionary<AccountChangeId, AccountChangeRow> Changes { get; } = [];

    /// <summary>In the order of their commit.</summary>
    public IReadOnlyList<TransferRow> Transfers => _transfers;

    public IReadOnlyList<EntryRow> Entries => _entries;

    /// <summary>Everything that was ever decided and committed, answers to retries too.</summary>
    public IReadOnlyList<(LedgerAct Act, DateTimeOffset Now, NaiveOutcome[] Outcomes)> Journal => _journal;

    public TransferRow? Find(TransferId id) => _byId.GetValueOrDefault(id);

    /// <summary>All rows or none: what locking in the order of ids comes to.</summary>
    public bool TryLock(object holder, IEnumerable<LedgerAct> acts)
    {
        var needed = acts.SelectMany(AccountsOf).Where(Accounts.ContainsKey).ToHashSet();
        if (needed.Any(id => _locks.TryGetValue(id, out var other) && other != holder))
        {
            return false;
        }

        foreach (var id in needed)
        {
            _locks[id] = holder;
        }

        return true;
    }

    public void Unlock(object holder)
    {
        foreach (var id in _locks.Where(held => held.Value == holder).Select(held => held.Key).ToArray())
        {
            _locks.Remove(id);
        }
    }

    /// <summary>A book with what the acts ask for, as it is committed now.</summary>
    public LedgerBook Load(IEnumerable<LedgerAct> acts)
    {
        var book = new LedgerBook(assets);
        foreach (var act in acts)
        {
            foreach (var id in AccountsOf(act))
            {
                book.Load(id, Accounts.TryGetValue(id, out var account) ? account : null);
            }

            switch (act)
            {
                case LedgerAct.Single single:
                    Load(book, single.Command);
                    break;
                case LedgerAct.Linked linked:
                    book.Load(linked.Group.Id, known: _groups.Contains((linked.Group.Id, 0)));
                    foreach (var member in linked.Group.Members)
                    {
                        Load(book, member);
                    }

                    break;
                case LedgerAct.Change change:
                    book.Load(change.What.Id, Changes.TryGetValue(change.What.Id, out var row)
                        ? new KnownChange(row.Payload, row.Status)
                        : null);
                    break;
            }
        }

        return book;
    }

    /// <summary>Stores what the book decided, or nothing where somebody stored the same key first.</summary>
    public bool TryCommit(
        LedgerBook book, IEnumerable<(LedgerAct Act, DateTimeOffset Now, NaiveOutcome[] Outcomes)> decided)
    {
        if (book.Transfers.Any(row => _byId.ContainsKey(row.Command.Id)
                || (row.Command.Group is { } part && _groups.Contains((part.Group, part.Index))))
            || book.AccountChanges.Any(row => Changes.ContainsKey(row.Change.Id))
            || book.Entries.Any(entry => _entryKeys.Contains((entry.Account, entry.Version))))
        {
            return false;
        }

        foreach (var row in book.Transfers)
        {
            _byId.Add(row.Command.Id, row);
            _transfers.Add(row);
            if (row.Command.Group is { } part)
            {
                _groups.Add((part.Group, part.Index));
            }
        }

        foreach (var entry in book.Entries)
        {
            _entryKeys.Add((entry.Account, entry.Version));
            _entries.Add(entry);
        }

        foreach (var account in book.Changed.Select(step => step.Now))
        {
            Check(!account.Guarded || (!account.Held.IsNegative && account.Held <= account.Balance), "a floor");
            Check(account.State != LedgerAccountState.Closed || account is { Balance.Value: 0, Held.Value: 0 },
                "a closed account is empty");
            Accounts[account.Id] = account;
        }

        foreach (var hold in book.NewHolds.Concat(book.ChangedHolds))
        {
            Check(hold.Remaining.IsPositive == (hold.State == HoldState.Open) && !hold.Remaining.IsNegative, "a hold");
            Holds[hold.Id] = hold;
        }

        foreach (var refunded in book.Refunded)
        {
            Check(refunded.Refunded <= refunded.Captured, "a refund");
            Refunded[refunded.Original] = refunded;
        }

        foreach (var change in book.AccountChanges)
        {
            Changes.Add(change.Change.Id, change);
        }

        _journal.AddRange(decided);
        return true;
    }

    private static IEnumerable<LedgerAccountId> AccountsOf(LedgerAct act) => act switch
    {
        LedgerAct.Single single => AccountsOf(single.Command),
        LedgerAct.Linked linked => linked.Group.Members.SelectMany(AccountsOf),
        LedgerAct.Change change => [change.What.Account],
        _ => throw new InvalidOperationException("No such act."),
    };

    private static IEnumerable<LedgerAccountId> AccountsOf(LedgerCommand command) =>
        command.Credit is { } credit ? [command.Debit, credit] : [command.Debit];

    private static void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"The database would have refused {what}.");
        }
    }

    private void Load(LedgerBook book, LedgerCommand command)
    {
        book.Load(command.Id, Find(command.Id) is { } known
            ? new KnownTransfer(known.Payload, known.Status, known.Amount)
            : null);
        if (command.HoldId is { } hold)
        {
            book.LoadHold(hold, Holds.TryGetValue(hold, out var found) ? found : null);
        }

        if (command.RefundOf is { } id)
        {
            var original = Find(id) is { Status: LedgerStatus.Applied } row && s_refundable.Contains(row.Command.Kind)
                ? row
                : null;
            book.LoadRefundable(id, original is null ? null : new LedgerRefunded(
                id, original.Command.Credit!.Value, original.Command.Debit, original.Amount,
                Refunded.TryGetValue(id, out var state) ? state.Refunded : default));
        }
    }
}
