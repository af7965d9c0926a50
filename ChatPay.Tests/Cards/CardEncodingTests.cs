using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>Whoever signs for encoded terms signs for these and no others.</summary>
public sealed class CardEncodingTests
{
    /// <summary>Few values for each field, so that terms often agree in all but one.</summary>
    private static readonly Gen<AccountId> s_people =
        Gen.Choose(0, 3).Select(value => value == 0 ? CardTerms.Nobody : new AccountId(Id(value)));

    private static readonly Gen<long> s_amounts = Gen.Elements(1L, 2L, 256L, 1L << 40, Limits.AmountMaxMinor);

    private static readonly Gen<CardTerms> s_terms =
        from kind in Gen.Elements(Enum.GetValues<CardKind>())
        from card in Gen.Choose(1, 2)
        from conversation in Gen.Choose(1, 2)
        from payer in s_people
        from payee in s_people
        from amount in s_amounts
        from asset in Gen.Elements("EUR", "EURO", "EUROS", "JPY")
        from lifetime in Gen.Elements(60, 61, 3600)
        from plan in PlanOf(kind)
        select new CardTerms(
            kind, new(Id(card)), new(Id(conversation)), payer, payee, Money.Of(amount, AssetCode.Parse(asset)), lifetime, plan);

    [Fact]
    public void Two_different_terms_are_never_encoded_the_same() => Prop.ForAll(
        (from one in s_terms from other in Gen.OneOf(s_terms, NearTo(one)) select (one, other)).ToArbitrary(),
        pair => Assert.Equal(
            pair.one == pair.other, pair.one.Encode().AsSpan().SequenceEqual(pair.other.Encode())))
        .Check(Config.QuickThrowOnFailure.WithMaxTest(5_000));

    [Fact]
    public void No_encoding_begins_another_of_the_same_kind_and_head()
    {
        // What is hashed or signed has a length before it, or stands at its end; this holds even without.
        var seen = new Dictionary<string, CardTerms>(StringComparer.Ordinal);
        foreach (var terms in Gen.Sample(s_terms, 3_000))
        {
            seen[Convert.ToHexString(terms.Encode())] = terms;
        }

        var sorted = seen.Keys.Order(StringComparer.Ordinal).ToArray();
        foreach (var (shorter, longer) in sorted.Zip(sorted.Skip(1)))
        {
            Assert.False(
                longer.StartsWith(shorter, StringComparison.Ordinal) && seen[shorter].Kind != CardKind.Transfer, longer);
        }
    }

    /// <summary>As another copy of the shares, as JSON would have made it.</summary>
    [Fact]
    public void Terms_that_say_the_same_are_equal_and_encoded_the_same() => Prop.ForAll(
        s_terms.ToArbitrary(), terms =>
        {
            var copy = terms with
            {
                Plan = terms.Plan is { } plan
                    ? plan with { Shares = plan.Shares?.Select(share => share with { }).ToArray() } : null,
            };
            Assert.Equal(terms, copy);
            Assert.Equal(terms.GetHashCode(), copy.GetHashCode());
            Assert.Equal(terms.Encode(), copy.Encode());
        }).Check(Config.QuickThrowOnFailure);

    /// <summary>One field of it taken from other terms of its kind.</summary>
    private static Gen<CardTerms> NearTo(CardTerms terms) =>
        from other in s_terms
        from plan in PlanOf(terms.Kind)
        from field in Gen.Choose(0, 6)
        select field switch
        {
            0 => terms with { Card = other.Card },
            1 => terms with { Conversation = other.Conversation },
            2 => terms with { Payer = other.Payer },
            3 => terms with { Payee = other.Payee },
            4 => terms with { Money = other.Money },
            5 => terms with { LifetimeSeconds = other.LifetimeSeconds },
            _ => terms with { Plan = plan },
        };

    private static Gen<CardPlan?> PlanOf(CardKind kind) => kind switch
    {
        CardKind.Transfer => Gen.Elements<CardPlan?>(null, new(CardDelivery.AtOnce), new(CardDelivery.Delayed)),
        CardKind.Split =>
            from own in Gen.Elements(0L, 1L, 256L)
            from shares in Gen.NonEmptyListOf(
                from account in Gen.Choose(1, 3) from amount in s_amounts select new CardShare(new(Id(account)), amount))
            select (CardPlan?)new CardPlan(Shares: [.. shares.Take(3)], OwnMinor: own),
        CardKind.Packet =>
            from mode in Gen.Elements(Enum.GetValues<PacketMode>())
            from count in Gen.Elements(1, 2, 256, Limits.PacketShares)
            select (CardPlan?)new CardPlan(Packet: mode, Count: count),
        CardKind.Mandate => Gen.Elements(Enum.GetValues<MandatePeriod>())
            .Select(period => (CardPlan?)new CardPlan(Period: period)),
        _ => Gen.Constant<CardPlan?>(null),
    };

    private static Guid Id(int value) => new(value, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)value);
}
