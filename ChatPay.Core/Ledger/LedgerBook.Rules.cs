using ChatPay.Core.Protocol;

namespace ChatPay.Core.Ledger;

/// <summary>The checks, in the order that <see cref="LedgerStatus"/> documents.</summary>
public sealed partial class LedgerBook
{
    private LedgerStatus Check(LedgerCommand command, ref Plan plan)
    {
        var status = CheckAmount(command);
        if (status == LedgerStatus.Applied)
        {
            status = CheckAccounts(command, ref plan);
        }

        if (status == LedgerStatus.Applied)
        {
            status = CheckStates(command, plan);
        }

        if (status == LedgerStatus.Applied)
        {
            status = command.Kind switch
            {
                TransferKind.Hold => CheckNewHold(command, ref plan),
                TransferKind.Refund => CheckRefund(command, ref plan),
                _ => CheckHold(command, ref plan),
            };
        }

        if (status == LedgerStatus.Applied)
        {
            status = CheckFloor(command, ref plan);
        }

        return status == LedgerStatus.Applied ? Move(command, ref plan) : status;
    }

    private static LedgerStatus CheckAmount(LedgerCommand command)
    {
        if (command.Kind.NamesAmount())
        {
            if (!command.Amount.IsPositive)
            {
                return LedgerStatus.AmountNotPositive;
            }

            if (command.Amount.Value > Limits.AmountMaxMinor)
            {
                return LedgerStatus.AmountOverflow;
            }
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

        // A clock that steps back must not reorder a statement: nothing on an account is older than what came before.
        plan.At = Latest(Latest(plan.At, debit.LastEntryAt), plan.Credit?.LastEntryAt);
        if (!_assets.ContainsKey(command.Asset))
        {
            return LedgerStatus.AssetUnknown;
        }

        return debit.Asset != command.Asset || (plan.Credit is { } credit && credit.Asset != command.Asset)
            ? LedgerStatus.AssetMismatch
            : LedgerStatus.Applied;
    }

    private static LedgerStatus CheckStates(LedgerCommand command, in Plan plan)
    {
        if (plan.Debit.State == LedgerAccountState.Closed || plan.Credit?.State == LedgerAccountState.Closed)
        {
            return LedgerStatus.AccountClosed;
        }

        return plan.Debit.State == LedgerAccountState.Frozen && command.Kind.Spends()
            ? LedgerStatus.AccountFrozen
            : LedgerStatus.Applied;
    }

    private LedgerStatus CheckRefund(LedgerCommand command, ref Plan plan)
    {
        if (!_refunds.TryGetValue(command.RefundOf!.Value, out var slot))
        {
            throw new InvalidOperationException("The command did not ask for what it refunds.");
        }

        // Between other accounts it is another payment, and the locks of these two do not guard that one's state.
        if (slot.Now is not { } original || original.Account != command.Debit || original.Payer != command.Credit)
        {
            return LedgerStatus.RefundUnknown;
        }

        if (command.Amount > original.Captured - original.Refunded)
        {
            return LedgerStatus.RefundExceeded;
        }

        plan.Refunded = original with { Refunded = original.Refunded + command.Amount };
        return LedgerStatus.Applied;
    }

    /// <summary>
    /// A guarded account spends what it has and has not promised; a capture spends what is promised. Only a balancing
    /// transfer is content with less than was asked.
    /// </summary>
    private static LedgerStatus CheckFloor(LedgerCommand command, ref Plan plan)
    {
        if (!plan.Debit.Guarded || command.Kind.HasHold() || plan.Amount <= plan.Debit.Available)
        {
            return LedgerStatus.Applied;
        }

        if (command.Kind == TransferKind.Balancing && plan.Debit.Available.IsPositive)
        {
            plan.Amount = plan.Debit.Available;
            return LedgerStatus.Applied;
        }

        return LedgerStatus.InsufficientFunds;
    }

    private static LedgerStatus Move(LedgerCommand command, ref Plan plan)
    {
        var (posted, held) = command.Kind switch
        {
            TransferKind.Transfer or TransferKind.Balancing or TransferKind.Refund => (-plan.Amount, AmountMinor.Zero),
            TransferKind.Hold => (AmountMinor.Zero, plan.Amount),
            TransferKind.Capture or TransferKind.CaptureAll => (-plan.Amount, -plan.Amount),
            TransferKind.Release or TransferKind.Expire => (AmountMinor.Zero, -plan.Amount),
        };

        if (!plan.Debit.Balance.TryAdd(posted, out var balance) || !plan.Debit.Held.TryAdd(held, out var heldAfter))
        {
            return LedgerStatus.AmountOverflow;
        }

        var debit = plan.Debit with
        {
            Balance = balance,
            Held = heldAfter,
            Version = plan.Debit.Version + 1,
            LastEntryAt = plan.At,
        };
        if (plan.Credit is { } credit)
        {
            if (!credit.Balance.TryAdd(plan.Amount, out var creditBalance))
            {
                return LedgerStatus.AmountOverflow;
            }

            plan.Credit = credit with
            {
                Balance = creditBalance,
                Version = credit.Version + 1,
                LastEntryAt = plan.At,
            };
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
