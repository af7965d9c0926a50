namespace ChatPay.Core.Ledger;

/// <summary>The checks of holds: opening one, paying out of it, giving the rest back.</summary>
public sealed partial class LedgerBook
{
    private static LedgerStatus CheckNewHold(LedgerCommand command, ref Plan plan)
    {
        plan.Hold = new LedgerHold(
            command.Id, command.Debit, command.Amount, HoldState.Open, plan.At.AddSeconds(command.LifetimeSeconds));
        return LedgerStatus.Applied;
    }

    private LedgerStatus CheckHold(LedgerCommand command, ref Plan plan)
    {
        if (command.HoldId is not { } holdId)
        {
            return LedgerStatus.Applied;
        }

        if (!_holds.TryGetValue(holdId, out var slot))
        {
            throw new InvalidOperationException("The command did not ask for this hold.");
        }

        // The account's row lock guards its holds, so a hold of another account is as good as none.
        if (slot.Now is not { } hold || hold.Account != command.Debit)
        {
            return LedgerStatus.HoldUnknown;
        }

        if (hold.State != HoldState.Open)
        {
            return LedgerStatus.HoldClosed;
        }

        var expired = plan.At >= hold.ExpiresAt;
        switch (command.Kind)
        {
            case TransferKind.Capture or TransferKind.CaptureAll when expired:
                return LedgerStatus.HoldExpired;
            case TransferKind.Capture when command.Amount > hold.Remaining:
                return LedgerStatus.HoldExceeded;
            case TransferKind.Expire when !expired:
                return LedgerStatus.HoldNotExpired;
        }

        plan.Amount = command.Kind == TransferKind.Capture ? command.Amount : hold.Remaining;
        var remaining = hold.Remaining - plan.Amount;
        plan.Hold = hold with
        {
            Remaining = remaining,
            State = remaining.IsPositive ? HoldState.Open : command.Kind switch
            {
                TransferKind.Capture or TransferKind.CaptureAll => HoldState.Captured,
                TransferKind.Release => HoldState.Released,
                TransferKind.Expire => HoldState.Expired,
                _ => throw new InvalidOperationException($"{command.Kind} acts on no hold."),
            },
        };
        return LedgerStatus.Applied;
    }
}
