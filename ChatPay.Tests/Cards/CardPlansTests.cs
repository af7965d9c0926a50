using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>Each kind has its plans, and every other one is told apart before anything is loaded.</summary>
public sealed class CardPlansTests
{
    private static readonly AssetCode s_eur = AssetCode.Parse("EUR");
    private static readonly AccountId s_author = new(Id(1));
    private static readonly AccountId s_other = new(Id(2));
    private static readonly AccountId s_third = new(Id(3));
    private static readonly CardShare[] s_shares = [new(s_other, 60), new(s_third, 40)];

    private static readonly Dictionary<string, CardTerms> s_good = new(StringComparer.Ordinal)
    {
        ["held"] = Terms(CardKind.Transfer, null),
        ["at once"] = Terms(CardKind.Transfer, new(CardDelivery.AtOnce)),
        ["delayed"] = Terms(CardKind.Transfer, new(CardDelivery.Delayed)),
        ["request"] = Terms(CardKind.Request, null),
        ["split"] = Terms(CardKind.Split, new(Shares: s_shares, OwnMinor: 0)),
        ["split with a part of one's own"] = Terms(CardKind.Split, new(Shares: s_shares, OwnMinor: Limits.AmountMaxMinor)),
        ["split among a hundred"] = Terms(CardKind.Split, new(Shares: Many(Limits.SplitShares), OwnMinor: 0)),
        ["packet"] = Terms(CardKind.Packet, new(Packet: PacketMode.Random, Count: 100)) with { Payee = CardTerms.Nobody },
        ["packet of one unit each"] = Terms(CardKind.Packet, new(Packet: PacketMode.Fixed, Count: Limits.PacketShares)) with
        {
            Payee = CardTerms.Nobody,
            Money = Money.Of(Limits.PacketShares, s_eur),
        },
        ["packet for one"] = Terms(CardKind.Packet, new(Packet: PacketMode.Fixed, Count: 1)),
        ["by the day"] = Terms(CardKind.Mandate, new(Period: MandatePeriod.Day)),
        ["by the week"] = Terms(CardKind.Mandate, new(Period: MandatePeriod.Week)),
        ["by the month"] = Terms(CardKind.Mandate, new(Period: MandatePeriod.Month)),
    };

    private static readonly Dictionary<string, CardTerms> s_bad = new(StringComparer.Ordinal)
    {
        ["a transfer that says nothing"] = Terms(CardKind.Transfer, new()),
        ["a transfer some other day"] = Terms(CardKind.Transfer, new((CardDelivery)3)),
        ["a transfer at no time"] = Terms(CardKind.Transfer, new((CardDelivery)0)),
        ["a request with a plan"] = Terms(CardKind.Request, new()),
        ["a request at once"] = Terms(CardKind.Request, new(CardDelivery.AtOnce)),
        ["a split without a plan"] = Terms(CardKind.Split, null),
        ["a split without shares"] = Terms(CardKind.Split, new(OwnMinor: 0)),
        ["a split among nobody"] = Terms(CardKind.Split, new(Shares: [], OwnMinor: 0)),
        ["a split that does not say what its author bears"] = Terms(CardKind.Split, new(Shares: s_shares)),
        ["a split whose author bears less than nothing"] = Terms(CardKind.Split, new(Shares: s_shares, OwnMinor: -1)),
        ["a split whose author bears too much"] =
            Terms(CardKind.Split, new(Shares: s_shares, OwnMinor: Limits.AmountMaxMinor + 1)),
        ["a split among too many"] = Terms(CardKind.Split, new(Shares: Many(Limits.SplitShares + 1), OwnMinor: 0)),
        ["a split with a payer"] = Terms(CardKind.Split, new(Shares: s_shares, OwnMinor: 0)) with { Payer = s_other },
        ["a split that asks somebody twice"] = Split(new(s_other, 60), new(s_other, 40)),
        ["a split that asks its author"] = Split(new(s_author, 60), new(s_other, 40)),
        ["a split that asks nobody in particular"] = Split(new(CardTerms.Nobody, 60), new(s_other, 40)),
        ["a split with nothing to pay"] = Split(new(s_other, 100), new(s_third, 0)),
        ["a split with less than nothing to pay"] = Split(new(s_other, 101), new(s_third, -1)),
        ["a split that does not add up"] = Split(new(s_other, 60), new(s_third, 39)),
        ["a split that adds up only around the corner"] =
            Split(new(s_other, long.MaxValue), new(s_third, long.MaxValue), new(new(Id(4)), 102)),
        ["a split with a gap"] = Split(new(s_other, 100), null!),
        ["a packet without a plan"] = Packet(null),
        ["a packet of no shares"] = Packet(new(Packet: PacketMode.Fixed, Count: 0)),
        ["a packet of less than no shares"] = Packet(new(Packet: PacketMode.Fixed, Count: -1)),
        ["a packet of too many shares"] = Packet(new(Packet: PacketMode.Fixed, Count: Limits.PacketShares + 1)) with
        {
            Money = Money.Of(100_000, s_eur),
        },
        ["a packet that does not say how many"] = Packet(new(Packet: PacketMode.Fixed)),
        ["a packet that does not say how"] = Packet(new(Count: 3)),
        ["a packet in some other way"] = Packet(new(Packet: (PacketMode)3, Count: 3)),
        ["a packet of more shares than units"] = Packet(new(Packet: PacketMode.Random, Count: 101)),
        ["a packet of two for one"] = Packet(new(Packet: PacketMode.Fixed, Count: 2)) with { Payee = s_other },
        ["a mandate without a plan"] = Terms(CardKind.Mandate, null),
        ["a mandate without a period"] = Terms(CardKind.Mandate, new()),
        ["a mandate for some other period"] = Terms(CardKind.Mandate, new(Period: (MandatePeriod)4)),
    };

    public static TheoryData<string> Good() => [.. s_good.Keys];

    public static TheoryData<string> Bad() => [.. s_bad.Keys];

    [Theory]
    [MemberData(nameof(Good))]
    public void A_plan_of_its_kind_is_taken(string what) => Assert.Null(Check(s_good[what]));

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_plan_that_its_kind_cannot_have_is_refused(string what) =>
        Assert.Equal(ErrorCode.CardPlanInvalid, Check(s_bad[what]));

    /// <summary>Every member that a kind does not know, on every card that would be good without it.</summary>
    [Theory]
    [MemberData(nameof(Good))]
    public void What_belongs_to_another_kind_is_refused(string what)
    {
        var good = s_good[what];
        var plan = good.Plan ?? new();
        CardPlan[] others =
        [
            plan with { Delivery = plan.Delivery ?? CardDelivery.AtOnce },
            plan with { Shares = plan.Shares ?? s_shares },
            plan with { OwnMinor = plan.OwnMinor ?? 0 },
            plan with { Packet = plan.Packet ?? PacketMode.Fixed },
            plan with { Count = plan.Count ?? 1 },
            plan with { Period = plan.Period ?? MandatePeriod.Day },
        ];
        foreach (var other in others.Where(other => other != plan))
        {
            // A transfer that is held becomes one that arrives at once, which is another good plan.
            var isPlanOfTransfer = good is { Kind: CardKind.Transfer, Plan: null } && other == new CardPlan(CardDelivery.AtOnce);
            Assert.Equal(isPlanOfTransfer ? null : ErrorCode.CardPlanInvalid, Check(good with { Plan = other }));
        }
    }

    private static ErrorCode? Check(CardTerms terms) =>
        CardRules.CheckTerms(terms, terms.Author, new Asset(s_eur, 2, AssetKind.Currency), new byte[32])?.Code;

    private static CardTerms Split(params CardShare[] shares) => Terms(CardKind.Split, new(Shares: shares, OwnMinor: 0));

    private static CardTerms Packet(CardPlan? plan) => Terms(CardKind.Packet, plan) with { Payee = CardTerms.Nobody };

    private static CardTerms Terms(CardKind kind, CardPlan? plan) => new(
        kind, new(Id(8)), new(Id(9)),
        kind switch { CardKind.Request => s_other, CardKind.Split => CardTerms.Nobody, _ => s_author },
        kind is CardKind.Request or CardKind.Split ? s_author : s_other, Money.Of(100, s_eur), 600, plan);

    private static CardShare[] Many(int count) =>
    [
        .. Enumerable.Range(0, count).Select(place => new CardShare(
            new(Id((byte)(20 + place))), place == 0 ? 101 - count : 1)),
    ];

    private static Guid Id(byte last) => new([1, 0x90, 0xa0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, last], bigEndian: true);
}
