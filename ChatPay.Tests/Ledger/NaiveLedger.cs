using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Tests.Ledger;

/// <param name="MovedMinor">Zero for a rejection.</param>
internal readonly record struct NaiveOutcome(LedgerStatus Status, long MovedMinor)
{
    public static NaiveOutcome Of(LedgerOutcome outcome) => new(outcome.Status, outcome.Moved.Value);
}

/// <summary>
/// The rules said a second time, as plainly as possible: it keeps everything that was applied and adds it all up anew
/// whenever it is asked for anything. It shares no rule with the book it is compared with.
/// </summary>
internal sealed class NaiveLedger(params AssetCode[] assets)
{
    private readonly Dictionary<LedgerAccountId, (AssetCode Asset, bool Guarded, long OpeningMinor)> _accounts = [];
    private readonly Dictionary<TransferId, (LedgerCommand Command, NaiveOutcome Outcome)> _decided = [];
    private readonly Dictionary<AccountChangeId, (AccountChange Change, NaiveOutcome Outcome)> _changes = [];
    private readonly HashSet<LedgerGroupId> _groups = [];
    private readonly List<AccountChange> _changed = [];
    private List<Fact> _facts = [];

    public void Open(LedgerAccountId id, AssetCode asset, bool guarded, long openingMinor) =>
        _accounts.Add(id, (asset, guarded, openingMinor));

    public NaiveOutcome[] Decide(LedgerAct act, DateTimeOffset now) => act switch
    {
        LedgerAct.Single single => [Decide(single.Command, now)],
        LedgerAct.Linked linked => Decide(linked.Group, now),
        LedgerAct.Change change => [Decide(change.What)],
        _ => throw new InvalidOperationException("No such act."),
    };

    public (long BalanceMinor, long HeldMinor) Balance(LedgerAccountId id)
    {
        var (balance, held) = Sum(id);
        return ((long)balance, (long)held);
    }

    private NaiveOutcome Decide(LedgerCommand command, DateTimeOffset now)
    {
        if (_decided.TryGetValue(command.Id, out var earlier))
        {
            return earlier.Command == command ? earlier.Outcome : Refuse(LedgerStatus.IdempotencyConflict);
        }

        var outcome = Try(command, now);
        _decided.Add(command.Id, (command, outcome));
        return outcome;
    }

    private NaiveOutcome[] Decide(LedgerGroup group, DateTimeOffset now)
    {
        var members = group.Members;
        if (members.All(member => _decided.TryGetValue(member.Id, out var earlier) && earlier.Command == member))
        {
            return [.. members.Select(member => _decided[member.Id].Outcome)];
        }

        if (_groups.Contains(group.Id) || members.Any(member => _decided.ContainsKey(member.Id)))
        {
            return [.. members.Select(_ => Refuse(LedgerStatus.IdempotencyConflict))];
        }

        var before = _facts.ToList();
        var outcomes = new List<NaiveOutcome>();
        foreach (var member in members)
        {
            outcomes.Add(Try(member, now));
            if (outcomes[^1].Status != LedgerStatus.Applied)
            {
                _facts = before;
                var culprit = outcomes.Count - 1;
                outcomes = [.. members.Select((_, index) =>
                    index == culprit ? outcomes[culprit] : Refuse(LedgerStatus.LinkedFailed))];
                break;
            }
        }

        _groups.Add(group.Id);
        for (var index = 0; index < members.Count; index++)
        {
            _decided.Add(members[index].Id, (members[index], outcomes[index]));
        }

        return [.. outcomes];
    }

    private NaiveOutcome Decide(AccountChange change)
    {
        if (_changes.TryGetValue(change.Id, out var earlier))
        {
            return earlier.Change == change ? earlier.Outcome : Refuse(LedgerStatus.IdempotencyConflict);
        }

        var outcome = Refuse(Judge(change));
        _changes.Add(change.Id, (change, outcome));
        if (outcome.Status == LedgerStatus.Applied)
        {
            _changed.Add(change);
        }

        return outcome;
    }

    private LedgerStatus Judge(AccountChange change)
    {
        if (!_accounts.ContainsKey(change.Account))
        {
            return LedgerStatus.AccountUnknown;
        }

        if (IsClosed(change.Account))
        {
            return change.Kind == AccountChangeKind.Close ? LedgerStatus.Applied : LedgerStatus.AccountClosed;
        }

        return change.Kind == AccountChangeKind.Close && Balance(change.Account) != (0, 0)
            ? LedgerStatus.AccountNotEmpty
            : LedgerStatus.Applied;
    }

    private NaiveOutcome Try(LedgerCommand command, DateTimeOffset now)
    {
        // Nothing happens on an account before what happened on it last.
        var at = _facts
            .Where(fact => fact.Touches(command.Debit) || (command.Credit is { } credit && fact.Touches(credit)))
            .Select(fact => fact.At)
            .Append(now)
            .Max();
        var status = Judge(command, at);
        if (status != LedgerStatus.Applied)
        {
            return Refuse(status);
        }

        var minor = MovesMinor(command);
        if (Overflows(command, minor))
        {
            return Refuse(LedgerStatus.AmountOverflow);
        }

        _facts.Add(new Fact(command, minor, at));
        return new NaiveOutcome(LedgerStatus.Applied, minor);
    }

    private LedgerStatus Judge(LedgerCommand command, DateTimeOffset at)
    {
        var takesTheRest = command.Kind is TransferKind.Release or TransferKind.Expire or TransferKind.CaptureAll;
        var askedMinor = command.Amount.Value;
        if (!takesTheRest && askedMinor <= 0)
        {
            return LedgerStatus.AmountNotPositive;
        }

        if (!takesTheRest && askedMinor > Limits.AmountMaxMinor)
        {
            return LedgerStatus.AmountOverflow;
        }

        if (command.Debit == command.Credit)
        {
            return LedgerStatus.SelfTransfer;
        }

        LedgerAccountId[] sides = command.Credit is { } payee ? [command.Debit, payee] : [command.Debit];
        if (!sides.All(_accounts.ContainsKey))
        {
            return LedgerStatus.AccountUnknown;
        }

        if (!assets.Contains(command.Asset))
        {
            return LedgerStatus.AssetUnknown;
        }

        if (sides.Any(side => _accounts[side].Asset != command.Asset))
        {
            return LedgerStatus.AssetMismatch;
        }

        if (sides.Any(IsClosed))
        {
            return LedgerStatus.AccountClosed;
        }

        if (IsFrozen(command.Debit) && command.Kind is not (TransferKind.Release or TransferKind.Expire))
        {
            return LedgerStatus.AccountFrozen;
        }

        if (command.HoldId is { } hold)
        {
            return JudgeHold(command, hold, at);
        }

        if (command.RefundOf is { } original)
        {
            var status = JudgeRefund(command, original);
            if (status != LedgerStatus.Applied)
            {
                return status;
            }
        }

        var (balance, held) = Sum(command.Debit);
        var neededMinor = command.Kind == TransferKind.Balancing ? 1 : askedMinor;
        return _accounts[command.Debit].Guarded && neededMinor > balance - held
            ? LedgerStatus.InsufficientFunds
            : LedgerStatus.Applied;
    }

    private LedgerStatus JudgeHold(LedgerCommand command, TransferId holdId, DateTimeOffset at)
    {
        var hold = _facts.Find(fact => fact.Command.Id == holdId && fact.Command.Kind == TransferKind.Hold);
        if (hold is null || hold.Command.Debit != command.Debit)
        {
            return LedgerStatus.HoldUnknown;
        }

        var remainingMinor = RemainingMinor(holdId);
        var expired = at >= hold.At.AddSeconds(hold.Command.LifetimeSeconds);
        return (remainingMinor, expired, command.Kind) switch
        {
            (0, _, _) => LedgerStatus.HoldClosed,
            (_, true, TransferKind.Capture or TransferKind.CaptureAll) => LedgerStatus.HoldExpired,
            (_, false, TransferKind.Expire) => LedgerStatus.HoldNotExpired,
            _ when command.Kind == TransferKind.Capture && command.Amount.Value > remainingMinor =>
                LedgerStatus.HoldExceeded,
            _ => LedgerStatus.Applied,
        };
    }

    private LedgerStatus JudgeRefund(LedgerCommand command, TransferId originalId)
    {
        var original = _facts.Find(fact => fact.Command.Id == originalId && fact.Command.Kind
            is TransferKind.Transfer or TransferKind.Balancing or TransferKind.Capture or TransferKind.CaptureAll);
        if (original is null || original.Command.Credit != command.Debit || original.Command.Debit != command.Credit)
        {
            return LedgerStatus.RefundUnknown;
        }

        var refundedMinor = _facts.Where(fact => fact.Command.RefundOf == originalId).Sum(fact => fact.Minor);
        return command.Amount.Value > original.Minor - refundedMinor
            ? LedgerStatus.RefundExceeded
            : LedgerStatus.Applied;
    }

    private long MovesMinor(LedgerCommand command)
    {
        var (balance, held) = Sum(command.Debit);
        return command.Kind switch
        {
            TransferKind.Release or TransferKind.Expire or TransferKind.CaptureAll =>
                RemainingMinor(command.HoldId!.Value),
            TransferKind.Balancing when _accounts[command.Debit].Guarded =>
                (long)Int128.Min(command.Amount.Value, balance - held),
            _ => command.Amount.Value,
        };
    }

    private bool Overflows(LedgerCommand command, long minor)
    {
        var (balance, held) = Sum(command.Debit);
        var paid = command.Credit is { } credit ? Sum(credit).Balance + minor : 0;
        return command.Kind == TransferKind.Hold ? held + minor > long.MaxValue
            : command.Credit is not null && (paid > long.MaxValue || balance - minor < long.MinValue);
    }

    private (Int128 Balance, Int128 Held) Sum(LedgerAccountId id)
    {
        Int128 balance = _accounts[id].OpeningMinor;
        Int128 held = 0;
        foreach (var (command, minor, _) in _facts)
        {
            balance += command.Credit == id ? minor : 0;
            balance -= command.Credit is not null && command.Debit == id ? minor : 0;
            held += command.Kind == TransferKind.Hold && command.Debit == id ? minor : 0;
            held -= command.HoldId is not null && command.Debit == id ? minor : 0;
        }

        return (balance, held);
    }

    private long RemainingMinor(TransferId hold) => _facts.Sum(fact =>
        fact.Command.Id == hold ? fact.Minor : fact.Command.HoldId == hold ? -fact.Minor : 0);

    private bool IsClosed(LedgerAccountId id) =>
        _changed.Any(change => change.Account == id && change.Kind == AccountChangeKind.Close);

    private bool IsFrozen(LedgerAccountId id) =>
        _changed.LastOrDefault(change => change.Account == id)?.Kind == AccountChangeKind.Freeze;

    private static NaiveOutcome Refuse(LedgerStatus status) => new(status, 0);

    /// <summary>Something that was applied.</summary>
    private sealed record Fact(LedgerCommand Command, long Minor, DateTimeOffset At)
    {
        public bool Touches(LedgerAccountId id) => Command.Debit == id || Command.Credit == id;
    }
}
