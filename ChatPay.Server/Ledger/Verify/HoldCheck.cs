using ChatPay.Core.Ledger;
using static System.FormattableString;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>
/// Each hold's row, the transfer that opened it and those that used it, merged by the hold's id: what was captured and
/// returned is what is missing from it, all in its time.
/// </summary>
internal sealed class HoldCheck(VerifyStore store, VerifyFindings findings)
{
    private const long MicrosecondsPerSecond = 1_000_000;

    public async Task<string> RunAsync(VerifyStage stage, CancellationToken cancellationToken)
    {
        await using var holds = store.Holds(stage, cancellationToken);
        await using var openings = store.HoldOpenings(cancellationToken);
        await using var uses = store.HoldUses(cancellationToken);
        await holds.NextAsync();
        await openings.NextAsync();
        await uses.NextAsync();
        var count = 0L;
        while (holds.HasRow || openings.HasRow || uses.HasRow)
        {
            var id = UInt128.Min(
                holds.HasRow ? holds.Row.Id : UInt128.MaxValue,
                UInt128.Min(
                    openings.HasRow ? openings.Row.Id : UInt128.MaxValue, uses.HasRow ? uses.Row.Hold : UInt128.MaxValue));
            HoldRow? hold = null;
            StoredTransfer? opening = null;
            if (holds.HasRow && holds.Row.Id == id)
            {
                count++;
                hold = holds.Row;
                await holds.NextAsync();
            }

            if (openings.HasRow && openings.Row.Id == id)
            {
                opening = openings.Row;
                await openings.NextAsync();
            }

            var walk = new HoldWalk(id, hold, opening, findings);
            while (uses.HasRow && uses.Row.Hold == id)
            {
                walk.Use(uses.Row);
                await uses.NextAsync();
            }

            walk.Finish();
        }

        return Invariant($"{count} holds");
    }

    private sealed class HoldWalk(UInt128 id, HoldRow? hold, StoredTransfer? opening, VerifyFindings findings)
    {
        private Int128 _captured;
        private Int128 _released;
        private Int128 _expired;
        private bool _isOver;

        public void Use(in HoldUseRow use)
        {
            if (hold is not { } row || opening is not { } opened)
            {
                Add($"transfer {use.Transfer.ToGuid()} is a {use.Kind} of it, but there is no such hold");
                return;
            }

            if (_isOver)
            {
                Add($"transfer {use.Transfer.ToGuid()} is a {use.Kind} of it after it was returned");
            }

            if (use.Debit != opened.Debit || use.Asset != opened.Asset)
            {
                Add($"transfer {use.Transfer.ToGuid()} is a {use.Kind} of it on another account or asset");
            }

            var isCapture = use.Kind is TransferKind.Capture or TransferKind.CaptureAll;
            if (use.At < opened.At || (isCapture && use.At >= row.ExpiresAt)
                || (use.Kind == TransferKind.Expire && use.At < row.ExpiresAt))
            {
                Add($"transfer {use.Transfer.ToGuid()} is a {use.Kind} of {use.At.ToTime()}, "
                    + $"the hold lasted from {opened.At.ToTime()} to {row.ExpiresAt.ToTime()}");
            }

            _captured += isCapture ? use.AmountMinor : 0;
            _released += use.Kind == TransferKind.Release ? use.AmountMinor : 0;
            _expired += use.Kind == TransferKind.Expire ? use.AmountMinor : 0;
            _isOver |= !isCapture;
        }

        public void Finish()
        {
            switch (hold, opening)
            {
                case ({ } row, { } opened):
                    Compare(row, opened);
                    break;
                case (null, { }):
                    Add("its transfer is applied, its row is missing");
                    break;
                case ({ }, null):
                    Add("no applied transfer opened it");
                    break;
            }
        }

        private void Compare(in HoldRow row, in StoredTransfer opened)
        {
            if (row.Account != opened.Debit)
            {
                Add($"is on account {row.Account.ToGuid()}, its transfer is on {opened.Debit.ToGuid()}");
            }

            Int128 amount = opened.AmountMinor;
            if (_captured > amount)
            {
                Add(Invariant($"captures of {_captured} exceed its {amount}"));
            }

            if (row.RemainingMinor != amount - _captured - _released - _expired)
            {
                Add(Invariant($"{row.RemainingMinor} remain of {amount} after ")
                    + Invariant($"{_captured} captured, {_released} released, {_expired} expired"));
            }

            var state = row.RemainingMinor > 0 ? HoldState.Open
                : _released > 0 ? HoldState.Released
                : _expired > 0 ? HoldState.Expired
                : HoldState.Captured;
            if (row.State != state)
            {
                Add($"its state is {row.State}, its transfers say {state}");
            }

            // The end was set from the lifetime, and the lifetime is in the payload. Times may be infinite.
            var lifetime = (Int128)row.ExpiresAt - opened.At;
            var seconds = lifetime / MicrosecondsPerSecond;
            if (lifetime % MicrosecondsPerSecond != 0 || seconds <= 0 || seconds > int.MaxValue
                || !TransferHash.Matches(opened, (int)seconds))
            {
                findings.Add($"transfer {id.ToGuid()}: differs from what was decided (payload hash, or the hold's end)");
            }
        }

        private void Add(string finding) => findings.Add($"hold {id.ToGuid()}: {finding}");
    }
}
