using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.Ledger;

/// <summary>
/// The ledger in a batch. A ledger account's version guards its balance, its entries, its holds and what has been refunded
/// of what it received, so every command asks for all its accounts; what it decides goes through the batch's one
/// <see cref="LedgerBook"/>.
/// </summary>
/// <remarks>
/// An attempt that locks reads every account under a row lock. Any other takes accounts from the cache, or reads them
/// without a lock, follows the books of the batches before it, and writes the accounts last, on the condition that each
/// still has the version and state that was decided on.
/// </remarks>
internal sealed partial class LedgerRows(
    WriteSet set, AssetCatalogue assets, LedgerAccountCache cache, Fanout fanout) : WriteRows
{
    private readonly LedgerBook _book = new(assets.All);
    private readonly HashSet<LedgerAccountId> _neededAccounts = [];
    private readonly HashSet<TransferId> _neededTransfers = [];
    private readonly HashSet<TransferId> _neededHolds = [];
    private readonly HashSet<TransferId> _neededRefundables = [];
    private readonly HashSet<LedgerGroupId> _neededGroups = [];
    private readonly HashSet<AccountChangeId> _neededChanges = [];

    public override int LockOrder => 350;

    public override int WriteOrder => 100;

    public override bool IsSpeculative => !set.Locks && _neededAccounts.Count > 0;

    /// <summary>Asks for all that deciding the command takes.</summary>
    public void Need(LedgerCommand command)
    {
        NeedTransfer(command.Id);
        NeedAccount(command.Debit);
        if (command.Credit is { } credit)
        {
            NeedAccount(credit);
        }

        if (command.HoldId is { } hold)
        {
            _neededHolds.Add(hold);
        }

        if (command.RefundOf is { } original)
        {
            _neededRefundables.Add(original);
        }
    }

    /// <summary>Asks for all that deciding the group takes.</summary>
    public void Need(LedgerGroup group)
    {
        _neededGroups.Add(group.Id);
        foreach (var member in group.Members)
        {
            Need(member);
        }
    }

    /// <summary>Asks for all that deciding the change takes.</summary>
    public void Need(AccountChange change)
    {
        _neededChanges.Add(change.Id);
        NeedAccount(change.Account);
    }

    /// <summary>Loads the account, if there is one.</summary>
    public void NeedAccount(LedgerAccountId account) => _neededAccounts.Add(account);

    /// <summary>Loads the outcome of an earlier command under this id, if there is one.</summary>
    public void NeedTransfer(TransferId transfer) => _neededTransfers.Add(transfer);

    /// <summary>The account as earlier commands of the batch left it; null where there is none.</summary>
    public LedgerAccount? Find(LedgerAccountId account) => _book.Find(account);

    /// <summary>Opens an account unless it is open; its id was asked for.</summary>
    public LedgerOutcome Open(LedgerOwner owner, AssetCode asset) => _book.Open(owner, asset);

    /// <summary>Decides a movement at the batch's time; what it takes was asked for.</summary>
    public LedgerOutcome Decide(LedgerCommand command) => _book.Decide(command, set.Now);

    /// <summary>What would be decided, recorded nowhere; what it takes was asked for.</summary>
    public LedgerOutcome Foresee(LedgerCommand command) => _book.Foresee(command, set.Now);

    /// <summary>Decides a linked group at the batch's time; what it takes was asked for.</summary>
    public IReadOnlyList<LedgerOutcome> Decide(LedgerGroup group) => _book.DecideGroup(group, set.Now);

    /// <summary>Decides a change of an account at the batch's time; what it takes was asked for.</summary>
    public LedgerOutcome Decide(AccountChange change) => _book.Decide(change, set.Now);

    /// <summary>The next batch decides on what this one leaves.</summary>
    public override void Decided()
    {
        if (!set.Locks)
        {
            cache.Put(Known());
        }
    }

    public override void Abandoned() => cache.Forget(_neededAccounts);

    public override void Committed()
    {
        if (set.Locks)
        {
            cache.Put(Known());
        }

        foreach (var row in _book.Transfers)
        {
            LedgerMetrics.Decided(row.Command.Kind, row.Status);
        }

        foreach (var account in _book.Opened.Concat(_book.Changed.Select(step => step.Now)))
        {
            // An asset that left the configuration is not shown, but an operator may still freeze its accounts.
            if (account.Owner.Account is { } owner && assets.Find(account.Asset) is { } asset)
            {
                var balance = new WalletBalance(
                    account.Asset.Value, asset.Exponent, account.Balance.Value, account.Held.Value);
                fanout.WalletChanged(owner, balance, account.Version);
            }
        }
    }

    private IEnumerable<LedgerAccount> Known() =>
        _book.Unchanged.Concat(_book.Opened).Concat(_book.Changed.Select(step => step.Now));
}

internal sealed class LedgerRowsFactory(AssetCatalogue assets, LedgerAccountCache cache, Fanout fanout)
    : IWriteRowsFactory
{
    public WriteRows Create(WriteSet set) => new LedgerRows(set, assets, cache, fanout);

    public void DatabaseLost() => cache.Clear();
}
