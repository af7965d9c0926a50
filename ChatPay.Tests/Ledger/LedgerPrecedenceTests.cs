using System.Text;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>
/// Which status wins where several apply, as a complete table: every flaw alone gives its status, and of every two that
/// can meet in one command of a kind the one that is checked first.
/// </summary>
public sealed class LedgerPrecedenceTests
{
    /// <summary>What a flaw spoils; two that spoil the same thing cannot be told apart in one command.</summary>
    [Flags]
    private enum Part
    {
        None = 0,
        Amount = 1,
        Asset = 1 << 1,
        Debit = 1 << 2,
        DebitAsset = 1 << 3,
        DebitState = 1 << 4,
        DebitFunds = 1 << 5,
        Credit = 1 << 6,
        CreditAsset = 1 << 7,
        CreditState = 1 << 8,
        CreditFunds = 1 << 9,
        Target = 1 << 10,
        TargetState = 1 << 11,
        TargetAmount = 1 << 12,
        Positive = 1 << 13,

        WholeDebit = Debit | DebitAsset | DebitState | DebitFunds,
        WholeCredit = Credit | CreditAsset | CreditState | CreditFunds,
        WholeTarget = Target | TargetState | TargetAmount,
    }

    private static readonly TransferKind[] s_kinds = Enum.GetValues<TransferKind>();

    private static readonly TransferKind[] s_credited =
    [
        TransferKind.Transfer, TransferKind.Capture, TransferKind.Refund, TransferKind.Balancing, TransferKind.CaptureAll,
    ];

    private static readonly TransferKind[] s_onHold =
        [TransferKind.Capture, TransferKind.Release, TransferKind.Expire, TransferKind.CaptureAll];

    private static readonly TransferKind[] s_asking =
        [TransferKind.Transfer, TransferKind.Hold, TransferKind.Capture, TransferKind.Refund, TransferKind.Balancing];

    private static readonly TransferKind[] s_spending =
        [TransferKind.Transfer, TransferKind.Hold, TransferKind.Refund, TransferKind.Balancing];

    /// <summary>In the order in which they are checked.</summary>
    private static readonly Flaw[] s_flaws =
    [
        new("another payload", LedgerStatus.IdempotencyConflict, s_kinds, Part.None, scene => scene.Known = true),
        new("nothing asked", LedgerStatus.AmountNotPositive, s_asking,
            Part.Amount | Part.Positive, scene => scene.AmountMinor = 0),
        new("too much asked", LedgerStatus.AmountOverflow, s_asking, Part.Amount,
            scene => scene.AmountMinor = Limits.AmountMaxMinor + 1),
        new("oneself", LedgerStatus.SelfTransfer, s_credited, Part.WholeCredit, scene => scene.ToSelf = true),
        new("no debit account", LedgerStatus.AccountUnknown, s_kinds, Part.WholeDebit, scene => scene.NoDebit = true),
        new("no credit account", LedgerStatus.AccountUnknown, s_credited, Part.WholeCredit,
            scene => scene.NoCredit = true),
        new("no such asset", LedgerStatus.AssetUnknown, s_kinds, Part.Asset, scene => scene.Asset = Scene.Gold),
        new("other asset on the debit account", LedgerStatus.AssetMismatch, s_kinds, Part.DebitAsset,
            scene => scene.Debit = scene.Debit with { Asset = Scene.Jpy }),
        new("other asset on the credit account", LedgerStatus.AssetMismatch, s_credited, Part.CreditAsset,
            scene => scene.Credit = scene.Credit with { Asset = Scene.Jpy }),
        new("debit account closed", LedgerStatus.AccountClosed, s_kinds, Part.DebitState,
            scene => scene.Debit = scene.Debit with { State = LedgerAccountState.Closed }),
        new("credit account closed", LedgerStatus.AccountClosed, s_credited, Part.CreditState,
            scene => scene.Credit = scene.Credit with { State = LedgerAccountState.Closed }),
        new("debit account frozen", LedgerStatus.AccountFrozen, [.. s_spending, TransferKind.Capture, TransferKind.CaptureAll],
            Part.DebitState, scene => scene.Debit = scene.Debit with { State = LedgerAccountState.Frozen }),
        new("no such hold", LedgerStatus.HoldUnknown, s_onHold, Part.WholeTarget, scene => scene.Hold = null),
        new("hold of another account", LedgerStatus.HoldUnknown, s_onHold, Part.Target,
            scene => scene.Hold = scene.Hold!.Value with { Account = new LedgerAccountId(Guid.Empty) }),
        new("hold paid out", LedgerStatus.HoldClosed, s_onHold, Part.TargetState | Part.TargetAmount,
            scene => scene.Hold = scene.Hold!.Value with { State = HoldState.Captured, Remaining = default }),
        new("hold too old", LedgerStatus.HoldExpired, [TransferKind.Capture, TransferKind.CaptureAll], Part.None,
            scene => scene.HoldIsOver = true),
        new("hold still waiting", LedgerStatus.HoldNotExpired, [TransferKind.Expire], Part.None,
            scene => scene.HoldIsOver = false),
        new("less held", LedgerStatus.HoldExceeded, [TransferKind.Capture], Part.TargetAmount,
            scene => scene.Hold = scene.Hold!.Value with { Remaining = new(1) }, Part.Positive),
        new("nothing to refund", LedgerStatus.RefundUnknown, [TransferKind.Refund], Part.WholeTarget,
            scene => scene.Refundable = null),
        new("another's payment", LedgerStatus.RefundUnknown, [TransferKind.Refund], Part.Target,
            scene => scene.Refundable = scene.Refundable!.Value with { Payer = new LedgerAccountId(Guid.Empty) }),
        new("refunded before", LedgerStatus.RefundExceeded, [TransferKind.Refund], Part.TargetAmount,
            scene => scene.Refundable = scene.Refundable!.Value with { Refunded = new(Scene.PlentyMinor) }, Part.Positive),
        new("nothing there", LedgerStatus.InsufficientFunds, s_spending, Part.DebitFunds,
            scene => scene.Debit = scene.Debit with { Balance = scene.Debit.Held }, Part.Positive),
        new("full credit account", LedgerStatus.AmountOverflow, s_credited, Part.CreditFunds,
            scene => scene.Credit = scene.Credit with { Balance = new(long.MaxValue) }, Part.Positive),
        new("all that can be held is", LedgerStatus.AmountOverflow, [TransferKind.Hold], Part.DebitFunds,
            scene => scene.Debit = scene.Debit with { Guarded = false, Held = new(long.MaxValue) }, Part.Positive),
    ];

    /// <summary>Pairs of statuses that no single command of that kind can earn at once, and why.</summary>
    private static readonly (LedgerStatus First, LedgerStatus Second)[] s_exclusive =
    [
        // An amount is too small or too large, and nothing asked exceeds nothing.
        (LedgerStatus.AmountNotPositive, LedgerStatus.AmountOverflow),
        (LedgerStatus.AmountNotPositive, LedgerStatus.HoldExceeded),
        (LedgerStatus.AmountNotPositive, LedgerStatus.RefundExceeded),
        (LedgerStatus.AmountNotPositive, LedgerStatus.InsufficientFunds),

        // What does not exist has no state, asset or remainder, and a state is one.
        (LedgerStatus.AccountUnknown, LedgerStatus.AssetMismatch),
        (LedgerStatus.AccountUnknown, LedgerStatus.AccountClosed),
        (LedgerStatus.AccountUnknown, LedgerStatus.AccountFrozen),
        (LedgerStatus.AccountUnknown, LedgerStatus.InsufficientFunds),
        (LedgerStatus.AccountUnknown, LedgerStatus.AmountOverflow),
        (LedgerStatus.AccountClosed, LedgerStatus.AccountFrozen),
        (LedgerStatus.HoldUnknown, LedgerStatus.HoldClosed),
        (LedgerStatus.HoldClosed, LedgerStatus.HoldExceeded),
        (LedgerStatus.RefundUnknown, LedgerStatus.RefundExceeded),

        // Paying oneself leaves no credit account to say more about; a hold has one account only, whose room to hold is
        // its funds.
        (LedgerStatus.SelfTransfer, LedgerStatus.AmountOverflow),
        (LedgerStatus.InsufficientFunds, LedgerStatus.AmountOverflow),
    ];

    public static TheoryData<TransferKind> Kinds => new(s_kinds);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_flawless_command_is_applied_and_each_flaw_alone_gives_its_status(TransferKind kind)
    {
        Assert.Equal(LedgerStatus.Applied, Decide(kind));
        foreach (var flaw in s_flaws.Where(flaw => flaw.Kinds.Contains(kind)))
        {
            Assert.True(flaw.Status == Decide(kind, flaw), $"{kind}: {flaw.Name}");
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Of_two_flaws_the_one_checked_first_names_the_outcome(TransferKind kind)
    {
        var wrong = new StringBuilder();
        var flaws = s_flaws.Where(flaw => flaw.Kinds.Contains(kind)).ToArray();
        for (var first = 0; first < flaws.Length; first++)
        {
            for (var second = first + 1; second < flaws.Length; second++)
            {
                if (flaws[first].Meets(flaws[second]) && Decide(kind, flaws[second], flaws[first]) is var actual
                    && actual != flaws[first].Status)
                {
                    wrong.AppendLine($"{kind}: {flaws[first].Name} and {flaws[second].Name} give {actual}");
                }
            }
        }

        Assert.Equal("", wrong.ToString());
    }

    /// <summary>The table above leaves no pair out but those that exclude each other.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_two_statuses_of_a_kind_are_compared(TransferKind kind)
    {
        var flaws = s_flaws.Where(flaw => flaw.Kinds.Contains(kind)).ToArray();
        var compared = new HashSet<(LedgerStatus, LedgerStatus)>(
            from first in flaws
            from second in flaws
            where first != second && first.Meets(second)
            select (first.Status, second.Status));
        var missing =
            from first in flaws
            from second in flaws
            where first.Status != second.Status && !compared.Contains((first.Status, second.Status))
            where !s_exclusive.Contains((first.Status, second.Status))
                && !s_exclusive.Contains((second.Status, first.Status))
            select $"{kind}: {first.Status} and {second.Status}";
        Assert.Empty(missing.Distinct());
    }

    /// <summary>Linked failed is of groups and account not empty of changes; every other status has its flaws here.</summary>
    [Fact]
    public void Every_status_is_in_the_table() => Assert.Equal(
        [LedgerStatus.Applied, LedgerStatus.LinkedFailed, LedgerStatus.AccountNotEmpty],
        Enum.GetValues<LedgerStatus>().Except(s_flaws.Select(flaw => flaw.Status)).Order());

    private static LedgerStatus Decide(TransferKind kind, params ReadOnlySpan<Flaw> flaws)
    {
        var scene = new Scene(kind);
        foreach (var flaw in flaws)
        {
            flaw.Spoil(scene);
        }

        return scene.Decide();
    }

    private sealed record Flaw(
        string Name, LedgerStatus Status, TransferKind[] Kinds, Part Spoils, Action<Scene> Spoil,
        Part Needs = Part.None)
    {
        public bool Meets(Flaw other) =>
            ((Spoils & (other.Spoils | other.Needs)) | (Needs & other.Spoils)) == Part.None;
    }

    /// <summary>One command with everything it touches; sound unless a flaw spoils it.</summary>
    private sealed class Scene(TransferKind kind)
    {
        public const long PlentyMinor = 1_000;

        private const long AskedMinor = 100;

        public static readonly AssetCode Eur = AssetCode.Parse("EUR");
        public static readonly AssetCode Jpy = AssetCode.Parse("JPY");
        public static readonly AssetCode Gold = AssetCode.Parse("XAU");

        private static readonly DateTimeOffset s_now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        private static readonly TransferId s_id = BookDesk.Id(1);
        private static readonly TransferId s_target = BookDesk.Id(2);
        private static readonly LedgerAccountId s_debit = LedgerAccountId.OfSystem("debit", Eur);
        private static readonly LedgerAccountId s_credit = LedgerAccountId.OfSystem("credit", Eur);

        public bool Known { get; set; }

        public long AmountMinor { get; set; } = AskedMinor;

        public AssetCode Asset { get; set; } = Eur;

        public bool ToSelf { get; set; }

        public bool NoDebit { get; set; }

        public bool NoCredit { get; set; }

        public bool HoldIsOver { get; set; } = kind == TransferKind.Expire;

        /// <summary>It holds enough for every hold, and has as much again.</summary>
        public LedgerAccount Debit { get; set; } = new(
            s_debit, LedgerOwner.OfSystem("debit"), Eur, true, new(2 * PlentyMinor), new(PlentyMinor), 1);

        public LedgerAccount Credit { get; set; } =
            new(s_credit, LedgerOwner.OfSystem("credit"), Eur, true, default, default, 0);

        public LedgerHold? Hold { get; set; } =
            new LedgerHold(s_target, s_debit, new(PlentyMinor), HoldState.Open, s_now);

        public LedgerRefunded? Refundable { get; set; } =
            new LedgerRefunded(s_target, s_debit, s_credit, new(PlentyMinor), default);

        public LedgerStatus Decide()
        {
            var book = new LedgerBook([new(Eur, 2, AssetKind.Currency), new(Jpy, 0, AssetKind.Currency)]);
            book.Load(s_debit, NoDebit ? null : Debit);
            book.Load(s_credit, NoCredit ? null : Credit);
            book.Load(s_id, Known ? new KnownTransfer(default, LedgerStatus.Applied, default) : null);
            book.LoadHold(s_target, Hold is { } hold
                ? hold with { ExpiresAt = HoldIsOver ? s_now : s_now.AddTicks(1) }
                : null);
            book.LoadRefundable(s_target, Refundable);
            return book.Decide(Command(), s_now).Status;
        }

        private LedgerCommand Command()
        {
            var (credit, money) = (ToSelf ? s_debit : s_credit, Money.Of(AmountMinor, Asset));
            return kind switch
            {
                TransferKind.Transfer => LedgerCommand.Transfer(s_id, s_debit, credit, money),
                TransferKind.Hold => LedgerCommand.Hold(s_id, s_debit, money, 60),
                TransferKind.Capture => LedgerCommand.Capture(s_id, s_target, s_debit, credit, money),
                TransferKind.Release => LedgerCommand.Release(s_id, s_target, s_debit, Asset),
                TransferKind.Expire => LedgerCommand.Expire(s_id, s_target, s_debit, Asset),
                TransferKind.Refund => LedgerCommand.Refund(s_id, s_target, s_debit, credit, money),
                TransferKind.Balancing => LedgerCommand.Balancing(s_id, s_debit, credit, money),
                TransferKind.CaptureAll => LedgerCommand.CaptureAll(s_id, s_target, s_debit, credit, Asset),
            };
        }
    }
}
