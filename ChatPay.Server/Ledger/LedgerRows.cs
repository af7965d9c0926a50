using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.Ledger;

/// <summary>
/// The ledger in a batch. A ledger account's row lock guards its balance, its entries and its holds, so every command
/// that moves money asks for both accounts; what it decides goes through the batch's one <see cref="LedgerBook"/>.
/// </summary>
internal sealed partial class LedgerRows(WriteSet set, AssetCatalogue assets, Fanout fanout) : WriteRows
{
    private readonly LedgerBook _book = new(assets.All);
    private readonly HashSet<LedgerAccountId> _neededAccounts = [];
    private readonly HashSet<TransferId> _neededTransfers = [];
    private readonly HashSet<TransferId> _neededHolds = [];

    public override int LockOrder => 100;

    /// <summary>Locks the account's row, if there is one.</summary>
    public void NeedAccount(LedgerAccountId account) => _neededAccounts.Add(account);

    /// <summary>Loads the outcome of an earlier command under this id, if there is one.</summary>
    public void NeedTransfer(TransferId transfer) => _neededTransfers.Add(transfer);

    /// <summary>Loads a hold; the account it is on is asked for too.</summary>
    public void NeedHold(TransferId hold) => _neededHolds.Add(hold);

    /// <summary>The account as earlier commands of the batch left it; null where there is none.</summary>
    public LedgerAccount? Find(LedgerAccountId account) => _book.Find(account);

    /// <summary>Opens an account unless it is open; its id was asked for.</summary>
    public LedgerOutcome Open(LedgerOwner owner, AssetCode asset) => _book.Open(owner, asset);

    /// <summary>Decides a movement at the batch's time; its accounts, transfer and hold were asked for.</summary>
    public LedgerOutcome Decide(LedgerCommand command) => _book.Decide(command, set.Now);

    public override void Committed()
    {
        foreach (var row in _book.Transfers)
        {
            LedgerMetrics.Decided(row.Command.Kind, row.Status);
        }

        foreach (var account in _book.Opened.Concat(_book.Changed))
        {
            if (account.Owner.Account is { } owner)
            {
                fanout.ToAccount(owner, Push.Of(new WalletBalance(
                    account.Asset.Value, assets.Find(account.Asset)!.Exponent, account.Balance.Value,
                    account.Held.Value)));
            }
        }
    }
}

internal sealed class LedgerRowsFactory(AssetCatalogue assets, Fanout fanout) : IWriteRowsFactory
{
    public WriteRows Create(WriteSet set) => new LedgerRows(set, assets, fanout);
}
