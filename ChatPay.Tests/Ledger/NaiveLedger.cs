using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Tests.Ledger;

/// <summary>
/// The rules said a second time, as plainly as possible: it keeps every applied command and adds everything up anew
/// whenever it is asked for a balance.
/// </summary>
internal sealed class NaiveLedger
{
    private readonly Dictionary<LedgerAccountId, (AssetCode Asset, bool Guarded, long OpeningMinor)> _accounts = [];
    private readonly Dictionary<TransferId, (LedgerCommand Command, LedgerStatus Status)> _log = [];
    private readonly List<(LedgerCommand Command, long AmountMinor, DateTimeOffset At)> _applied = [];

    public void Open(LedgerAccountId id, AssetCode asset, bool guarded, long openingMinor) =>
        _accounts.Add(id, (asset, guarded, openingMinor));

    public LedgerStatus Decide(LedgerCommand command, DateTimeOffset now)
    {
        if (_log.TryGetValue(command.Id, out var earlier))
        {
            return earlier.Command == command ? earlier.Status : LedgerStatus.IdempotencyConflict;
        }

        now = At(command, now);
        var status = Judge(command, now);
        _log.Add(command.Id, (command, status));
        if (status == LedgerStatus.Applied)
        {
            var amountMinor = IsReturn(command) ? Remaining(command.HoldId!.Value) : command.Amount.Value;
            _applied.Add((command, amountMinor, now));
        }

        return status;
    }

    public (long BalanceMinor, long HeldMinor) Balance(LedgerAccountId id)
    {
        var balance = _accounts[id].OpeningMinor;
        var held = 0L;
        foreach (var (command, amountMinor, _) in _applied)
        {
            var moves = command.Kind is TransferKind.Transfer or TransferKind.Capture;
            balance += moves && command.Credit == id ? amountMinor : 0;
            balance -= moves && command.Debit == id ? amountMinor : 0;
            held += command.Kind == TransferKind.Hold && command.Debit == id ? amountMinor : 0;
            held -= command.HoldId is not null && command.Debit == id ? amountMinor : 0;
        }

        return (balance, held);
    }

    /// <summary>Nothing happens on an account before what happened on it last.</summary>
    private DateTimeOffset At(LedgerCommand command, DateTimeOffset now) => _applied
        .Where(step => new[] { step.Command.Debit, step.Command.Credit }
            .Any(id => id is not null && (id == command.Debit || id == command.Credit)))
        .Select(step => step.At)
        .Append(now)
        .Max();

    private static bool IsReturn(LedgerCommand command) => command.Kind is TransferKind.Release or TransferKind.Expire;

    private long Remaining(TransferId hold) => _applied.Sum(step =>
        step.Command.Id == hold ? step.AmountMinor : step.Command.HoldId == hold ? -step.AmountMinor : 0);

    private LedgerStatus Judge(LedgerCommand command, DateTimeOffset now)
    {
        if (!IsReturn(command))
        {
            if (command.Amount.Value <= 0)
            {
                return LedgerStatus.AmountNotPositive;
            }

            if (command.Amount.Value > Limits.AmountMaxMinor)
            {
                return LedgerStatus.AmountOverflow;
            }

            if (command.Credit == command.Debit)
            {
                return LedgerStatus.SelfTransfer;
            }
        }

        if (_accounts[command.Debit].Asset != command.Asset
            || (command.Credit is { } credit && _accounts[credit].Asset != command.Asset))
        {
            return LedgerStatus.AssetMismatch;
        }

        if (command.HoldId is { } holdId)
        {
            var found = _applied.Find(step => step.Command.Id == holdId && step.Command.Kind == TransferKind.Hold);
            if (found.Command is null || found.Command.Debit != command.Debit)
            {
                return LedgerStatus.HoldUnknown;
            }

            var remaining = Remaining(holdId);
            var expired = now >= found.At.AddSeconds(found.Command.LifetimeSeconds);
            return (remaining, expired, command.Kind) switch
            {
                (0, _, _) => LedgerStatus.HoldClosed,
                (_, true, TransferKind.Capture) => LedgerStatus.HoldExpired,
                (_, false, TransferKind.Expire) => LedgerStatus.HoldNotExpired,
                _ when command.Amount.Value > remaining => LedgerStatus.HoldExceeded,
                _ => LedgerStatus.Applied,
            };
        }

        var (balance, held) = Balance(command.Debit);
        return _accounts[command.Debit].Guarded && command.Amount.Value > balance - held
            ? LedgerStatus.InsufficientFunds
            : LedgerStatus.Applied;
    }
}
