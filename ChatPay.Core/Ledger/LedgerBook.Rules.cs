using ChatPay.Core.Protocol;

namespace ChatPay.Core.Ledger;

/// <summary>The checks, in the order that <see cref="LedgerStatus"/> documents.</summary>
public sealed partial class LedgerBook
{
    private LedgerStatus Check(LedgerCommand command, DateTimeOffset now, ref Plan plan)
    {
        var status = CheckAmount(command);
        if (status == LedgerStatus.Applied)
        {
            status = CheckAccounts(command, ref plan);
        }

        if (status == LedgerStatus.Applied)
        {
            status = command.Kind == TransferKind.Hold
                ? CheckNewHold(command, now, ref plan)
                : CheckHold(command, now, ref plan);
        }

        if (status == LedgerStatus.Applied)
        {
            status = CheckFloor(command, plan);
        }

        return status == LedgerStatus.Applied ? Move(command, ref plan) : status;
    }

    private static LedgerStatus CheckAmount(LedgerCommand command)
    {
        // A release moves what is there; only the others name an amount.
        if (command.Kind is TransferKind.Release or TransferKind.Expire)
        {
            return LedgerStatus.Applied;
        }

        if (!command.Amount.IsPositive)
        {
            return LedgerStatus.AmountNotPositive;
        }

        if (command.Amount.Value > Limits.AmountMaxMinor)
        {
            return LedgerStatus.AmountOverflow;
        }

        return command.Credit == command.Debit ? LedgerStatus.SelfTransfer : LedgerStatus.Applied;
    }

    private LedgerStatus CheckAccounts(LedgerCommand command, ref Plan plan)
    {
        if (Find(command.Debit) is not { } debit)
        {
            return LedgerStatus.AccountUnknown;
        }

        plan.Debit = debit;
        if (command.Credit is { } creditId)
        {
            plan.Credit = Find(creditId);
            if (plan.Credit is null)
            {
                return LedgerStatus.AccountUnknown;
            }
        }

        if (!_assets.ContainsKey(command.Asset))
        {
            return LedgerStatus.AssetUnknown;
        }

        return debit.Asset != command.Asset || (plan.Credit is { } credit && credit.Asset != command.Asset)
            ? LedgerStatus.AssetMismatch
            : LedgerStatus.Applied;
    }

    private static LedgerStatus CheckNewHold(LedgerCommand command, DateTimeOffset now, ref Plan plan)
    {
        plan.Hold = new LedgerHold(
            command.Id, command.Debit, command.Amount, HoldState.Open, now.AddSeconds(command.LifetimeSeconds));
        return LedgerStatus.Applied;
    }

    private LedgerStatus CheckHold(LedgerCommand command, DateTimeOffset now, ref Plan plan)
    {
        if (command.HoldId is not { } holdId)
        {
            return LedgerStatus.Applied;
        }

        if (!_holds.TryGetValue(holdId, out var found))
        {
            throw new InvalidOperationException("The command did not ask for this hold.");
        }

        // The account's row lock guards its holds, so a hold of another account is as good as none.
        if (found is not { } hold || hold.Account != command.Debit)
        {
            return LedgerStatus.HoldUnknown;
        }

        if (hold.State != HoldState.Open)
        {
            return LedgerStatus.HoldClosed;
        }

        var expired = now >= hold.ExpiresAt;
        switch (command.Kind)
        {
            case TransferKind.Capture when expired:
                return LedgerStatus.HoldExpired;
            case TransferKind.Capture when command.Amount > hold.Remaining:
                return LedgerStatus.HoldExceeded;
            case TransferKind.Capture:
                var remaining = hold.Remaining - command.Amount;
                plan.Hold = hold with
                {
                    Remaining = remaining,
                    State = remaining.IsPositive ? HoldState.Open : HoldState.Captured,
                };
                return LedgerStatus.Applied;
            case TransferKind.Expire when !expired:
                return LedgerStatus.HoldNotExpired;
            case TransferKind.Expire or TransferKind.Release:
                plan.Amount = hold.Remaining;
                plan.Hold = hold with
                {
                    Remaining = default,
                    State = command.Kind == TransferKind.Expire ? HoldState.Expired : HoldState.Released,
                };
                return LedgerStatus.Applied;
            default:
                throw new InvalidOperationException($"{command.Kind} acts on no hold.");
        }
    }

    /// <summary>A guarded account spends what it has and has not promised; a capture spends what is promised.</summary>
    private static LedgerStatus CheckFloor(LedgerCommand command, in Plan plan) =>
        command.Kind is TransferKind.Transfer or TransferKind.Hold && plan.Debit.Guarded
            && plan.Amount > plan.Debit.Balance - plan.Debit.Held
            ? LedgerStatus.InsufficientFunds
            : LedgerStatus.Applied;

    private static LedgerStatus Move(LedgerCommand command, ref Plan plan)
    {
        var (posted, held) = command.Kind switch
        {
            TransferKind.Transfer => (-plan.Amount, AmountMinor.Zero),
            TransferKind.Hold => (AmountMinor.Zero, plan.Amount),
            TransferKind.Capture => (-plan.Amount, -plan.Amount),
            TransferKind.Release or TransferKind.Expire => (AmountMinor.Zero, -plan.Amount),
        };

        if (!plan.Debit.Balance.TryAdd(posted, out var balance) || !plan.Debit.Held.TryAdd(held, out var heldAfter))
        {
            return LedgerStatus.AmountOverflow;
        }

        var debit = plan.Debit with { Balance = balance, Held = heldAfter, Version = plan.Debit.Version + 1 };
        if (plan.Credit is { } credit)
        {
            if (!credit.Balance.TryAdd(plan.Amount, out var creditBalance))
            {
                return LedgerStatus.AmountOverflow;
            }

            plan.Credit = credit with { Balance = creditBalance, Version = credit.Version + 1 };
        }

        // The rule once more, on the result; the database states it a third time.
        if (debit.Held.IsNegative || (debit.Guarded && debit.Held > debit.Balance))
        {
            throw new InvalidOperationException("A decided command would break the floor of an account.");
        }

        plan.Debit = debit;
        return LedgerStatus.Applied;
    }
}
