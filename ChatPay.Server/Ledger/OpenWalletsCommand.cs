using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;

namespace ChatPay.Server.Ledger;

/// <summary>
/// Opens an account's wallet in every asset and, in the sandbox, puts play money into each. All its ids follow from the
/// account, so it may run any number of times, anywhere.
/// </summary>
internal sealed class OpenWalletsCommand(AccountId account, AssetCatalogue assets) : WriteCommand<Unit>
{
    /// <summary>The unguarded account that play money comes from; it owes what everybody has been given.</summary>
    public const string SandboxName = "sandbox";

    private readonly LedgerOwner _owner = LedgerOwner.Of(account);

    public override void Declare(WriteSet set)
    {
        var ledger = set.Rows<LedgerRows>();
        foreach (var asset in assets.All)
        {
            var wallet = LedgerAccountId.Of(account, asset.Code);
            ledger.NeedAccount(wallet);
            if (assets.SandboxAmount(asset.Code).IsPositive)
            {
                ledger.NeedAccount(LedgerAccountId.OfSystem(SandboxName, asset.Code));
                ledger.NeedTransfer(TransferId.OfSandboxGrant(wallet));
            }
        }
    }

    protected override Result<Unit> DecideOutcome(WriteSet set)
    {
        var ledger = set.Rows<LedgerRows>();
        foreach (var asset in assets.All)
        {
            ledger.Open(_owner, asset.Code);
            var amount = assets.SandboxAmount(asset.Code);
            if (!amount.IsPositive)
            {
                continue;
            }

            ledger.Open(LedgerOwner.OfSystem(SandboxName), asset.Code);
            var wallet = LedgerAccountId.Of(account, asset.Code);
            if (!IsOpen(ledger, LedgerAccountId.OfSystem(SandboxName, asset.Code)) || !IsOpen(ledger, wallet))
            {
                // A rejection would be final; left alone, the grant is made once both are open again.
                continue;
            }

            var outcome = ledger.Decide(LedgerCommand.Transfer(
                TransferId.OfSandboxGrant(wallet), LedgerAccountId.OfSystem(SandboxName, asset.Code), wallet,
                new Money(amount, asset.Code)));

            // A conflict says that the grant was made when another amount was configured; it is made once.
            if (!outcome.IsApplied && outcome.Status != LedgerStatus.IdempotencyConflict)
            {
                return outcome.ToError();
            }
        }

        return default(Unit);
    }

    private static bool IsOpen(LedgerRows ledger, LedgerAccountId id) =>
        ledger.Find(id) is { State: LedgerAccountState.Open };
}
