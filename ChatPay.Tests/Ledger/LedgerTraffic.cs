using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;

namespace ChatPay.Tests.Ledger;

/// <param name="MayChange">Whether the traffic may freeze and close it.</param>
internal sealed record TrafficAccount(LedgerAccountId Id, AssetCode Asset, bool MayChange = true);

/// <summary>
/// Random traffic in which commands meet: holds that exist are captured, payments that were made are refunded, money is
/// scarce, ids come again, with the same payload and with another.
/// </summary>
/// <param name="scaleMinor">Multiplies ordinary amounts of 1 to 200 and 400 to 2,000.</param>
/// <param name="rivals">How many of a hundred acts use an earlier id for something else.</param>
internal sealed class LedgerTraffic(
    Dice dice, IReadOnlyList<TrafficAccount> accounts, Func<Guid> newId, long scaleMinor = 1,
    int rivals = 4)
{
    public const int LifetimeSeconds = 60;

    /// <summary>Acts from one person's leaving to the next one's, in the mean.</summary>
    private const int FarewellEvery = 1_500;

    private static readonly AssetCode s_unknown = AssetCode.Parse("XAU");

    private readonly List<LedgerAct> _past = [];
    private readonly List<LedgerCommand> _holds = [];
    private readonly List<LedgerCommand> _payments = [];
    private readonly Queue<LedgerAct> _farewell = new();

    public LedgerAct Next()
    {
        if (_farewell.Count == 0 && dice.Next(FarewellEvery) == 0)
        {
            Empty(dice.Pick(accounts));
        }

        var act = _farewell.TryDequeue(out var step) ? step : Random();
        _past.Add(act);
        return act;
    }

    private LedgerAct Random() => dice.Next(100) switch
    {
        _ when _past.Count > 0 && dice.Chance(rivals) => Twist(Earlier()),
        < 10 when _past.Count > 0 => Earlier(),
        < 22 => new LedgerAct.Linked(new LedgerGroup(new LedgerGroupId(newId()), Members())),
        < 28 => new LedgerAct.Change(Change(new AccountChangeId(newId()))),
        _ => new LedgerAct.Single(Command()),
    };

    /// <summary>What a person does who leaves: random acts alone would hardly ever find an account empty.</summary>
    private void Empty(TrafficAccount leaving)
    {
        if (!leaving.MayChange)
        {
            return;
        }

        _farewell.Enqueue(Change(AccountChangeKind.Unfreeze));
        foreach (var hold in _holds.Where(hold => hold.Debit == leaving.Id))
        {
            _farewell.Enqueue(new LedgerAct.Single(
                LedgerCommand.Release(new(newId()), hold.Id, hold.Debit, hold.Asset)));
        }

        _farewell.Enqueue(new LedgerAct.Single(LedgerCommand.Balancing(
            new(newId()), leaving.Id, Other(leaving.Id), new(new(Limits.AmountMaxMinor), leaving.Asset))));
        _farewell.Enqueue(Change(AccountChangeKind.Close));

        LedgerAct.Change Change(AccountChangeKind kind) =>
            new(AccountChange.Of(kind, new(newId()), leaving.Id, "Its owner leaves."));
    }

    /// <summary>Often a recent one, which may not have been answered yet.</summary>
    private LedgerAct Earlier() => _past[_past.Count - 1 - dice.Next(dice.Chance(50) ? Math.Min(6, _past.Count) : _past.Count)];

    /// <summary>The same id with another payload.</summary>
    private LedgerAct Twist(LedgerAct act) => act switch
    {
        LedgerAct.Single single => new LedgerAct.Single(Command(single.Command.Id)),
        LedgerAct.Change change => new LedgerAct.Change(Change(change.What.Id)),
        LedgerAct.Linked linked when dice.Chance(50) =>
            new LedgerAct.Linked(new LedgerGroup(linked.Group.Id, Members())),
        LedgerAct.Linked linked => new LedgerAct.Linked(new LedgerGroup(
            new LedgerGroupId(newId()), Command(linked.Group.Members[0].Id), Command())),
        _ => throw new InvalidOperationException("No such act."),
    };

    private AccountChange Change(AccountChangeId id)
    {
        var kind = dice.Next(100) switch
        {
            < 20 => AccountChangeKind.Freeze,
            < 65 => AccountChangeKind.Unfreeze,
            _ => AccountChangeKind.Close,
        };
        var account = dice.Pick(accounts);
        return AccountChange.Of(
            kind, id, account.MayChange ? account.Id : new LedgerAccountId(newId()), "Traffic says so.");
    }

    private List<LedgerCommand> Members()
    {
        switch (dice.Next(10))
        {
            case < 4:
                var hold = Remember(Hold(new TransferId(newId())));
                var part = Money.Of(1 + dice.Next((int)Math.Clamp(hold.Amount.Value, 1, 5_000)), hold.Asset);
                return
                [
                    hold,
                    Remember(LedgerCommand.Capture(new(newId()), hold.Id, hold.Debit, Other(hold.Debit), part)),
                    dice.Chance(50)
                        ? LedgerCommand.Release(new(newId()), hold.Id, hold.Debit, hold.Asset)
                        : Remember(LedgerCommand.CaptureAll(
                            new(newId()), hold.Id, hold.Debit, Other(hold.Debit), hold.Asset)),
                ];
            case < 6:
                var payment = Remember(Transfer(new TransferId(newId())));
                var back = Money.Of(dice.Chance(80) ? payment.Amount.Value : Amount().Value, payment.Asset);
                return
                [
                    payment,
                    LedgerCommand.Refund(new(newId()), payment.Id, payment.Credit!.Value, payment.Debit, back),
                ];
            default:
                return [.. Enumerable.Range(0, 1 + dice.Next(4)).Select(_ => Command())];
        }
    }

    private LedgerCommand Command(TransferId? known = null)
    {
        var id = known ?? new TransferId(newId());
        return Remember(dice.Next(100) switch
        {
            < 24 => Transfer(id),
            < 34 => LedgerCommand.Balancing(id, Any(out var asset), Other(asset), Money.Of(Amount().Value, asset)),
            < 54 => Hold(id),
            < 86 => OnHold(id),
            _ => Refund(id),
        });
    }

    private LedgerCommand Remember(LedgerCommand command)
    {
        if (command.Kind == TransferKind.Hold)
        {
            _holds.Add(command);
        }
        else if (command.Credit is not null && command.Kind != TransferKind.Refund)
        {
            _payments.Add(command);
        }

        return command;
    }

    private LedgerCommand Transfer(TransferId id)
    {
        var debit = Any(out var asset);
        return LedgerCommand.Transfer(
            id, debit, dice.Chance(95) ? Other(asset, debit) : debit, new Money(Amount(), asset));
    }

    private LedgerCommand Hold(TransferId id)
    {
        var debit = Any(out var asset);
        return LedgerCommand.Hold(id, debit, new Money(Amount(), asset), LifetimeSeconds);
    }

    private LedgerCommand OnHold(TransferId id)
    {
        // Mostly a recent one, which may still be open; else one that may have expired since.
        var reach = dice.Chance(80) ? 12 : 600;
        var hold = _holds.Count == 0 || dice.Chance(4)
            ? LedgerCommand.Hold(new(newId()), Any(out var asset), Money.Of(1, asset), LifetimeSeconds)
            : _holds[Math.Max(0, _holds.Count - 1 - dice.Next(reach))];
        var debit = dice.Chance(96) ? hold.Debit : Any(out _);
        return dice.Next(10) switch
        {
            < 5 => LedgerCommand.Capture(id, hold.Id, debit, Other(hold.Debit), new Money(Amount(), hold.Asset)),
            < 7 => LedgerCommand.CaptureAll(id, hold.Id, debit, Other(hold.Debit), hold.Asset),
            < 8 => LedgerCommand.Release(id, hold.Id, debit, hold.Asset),
            _ => LedgerCommand.Expire(id, hold.Id, debit, hold.Asset),
        };
    }

    private LedgerCommand Refund(TransferId id)
    {
        if (_payments.Count == 0 || dice.Chance(4))
        {
            var debit = Any(out var asset);
            return LedgerCommand.Refund(id, new(newId()), debit, Other(asset, debit), new Money(Amount(), asset));
        }

        var original = _payments[Math.Max(0, _payments.Count - 1 - dice.Next(20))];
        var money = new Money(Amount(), original.Asset);
        return dice.Chance(95)
            ? LedgerCommand.Refund(id, original.Id, original.Credit!.Value, original.Debit, money)
            : LedgerCommand.Refund(id, original.Id, original.Credit!.Value, Any(out _), money);
    }

    private AmountMinor Amount() => new(dice.Next(100) switch
    {
        < 3 => dice.Next(2) - 1,
        < 4 => Limits.AmountMaxMinor + 1,
        < 5 => Limits.AmountMaxMinor,
        < 90 => scaleMinor * (1 + dice.Next(200)),
        _ => scaleMinor * (400 + dice.Next(1_600)),
    });

    /// <param name="asset">Its asset; now and then another.</param>
    private LedgerAccountId Any(out AssetCode asset)
    {
        if (dice.Chance(2))
        {
            asset = dice.Pick(accounts).Asset;
            return new LedgerAccountId(newId());
        }

        var account = dice.Pick(accounts);
        asset = dice.Chance(97) ? account.Asset : dice.Chance(50) ? s_unknown : dice.Pick(accounts).Asset;
        return account.Id;
    }

    private LedgerAccountId Other(LedgerAccountId debit) =>
        Other(accounts.FirstOrDefault(account => account.Id == debit)?.Asset ?? s_unknown, debit);

    /// <summary>Mostly another account of the same asset.</summary>
    private LedgerAccountId Other(AssetCode asset, LedgerAccountId? than = null)
    {
        var fitting = accounts.Where(account => account.Asset == asset && account.Id != than).ToArray();
        return fitting.Length > 0 && dice.Chance(97) ? dice.Pick(fitting).Id : Any(out _);
    }
}
