using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>How a client puts the parts of a card together, and what it recognises a false packet by.</summary>
public sealed class CardPartsTests
{
    private static readonly DateTimeOffset s_noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly AccountId s_author = new(Id(1));
    private static readonly byte[] s_seed = [.. Enumerable.Range(0, 32).Select(value => (byte)value)];
    private static readonly byte[] s_commit = PacketShares.CommitTo(s_seed);

    private static readonly CardView s_split = new(
        new(Id(8)), CardKind.Split, new(Id(9)), s_author, CardTerms.Nobody, s_author, 60, "EUR", 600, new byte[32],
        CardState.Open, 1, s_noon, s_noon.AddMinutes(10), null,
        new(Shares: [new(new(Id(2)), 10), new(new(Id(3)), 20), new(new(Id(4)), 30)], OwnMinor: 0), new(0, 0));

    private static readonly CardView s_packet = s_split with
    {
        Kind = CardKind.Packet,
        Payer = s_author,
        Payee = CardTerms.Nobody,
        AmountMinor = 1000,
        Plan = new(Packet: PacketMode.Random, Count: 5),
        Progress = new(0, 0, SeedCommit: s_commit),
    };

    [Fact]
    public void Parts_come_together_by_place_in_whatever_order_they_are_told_of()
    {
        var answered = Enumerable.Range(0, 40).Select(place => Part(place + 2, place, 1 + place, CardState.Paid)).ToArray();
        var orders = from first in Gen.Shuffle(answered)
                     from second in Gen.Shuffle(answered)
                     from sizes in Gen.ArrayOf(Gen.Choose(1, 9), 80)
                     select (Parts: first.Concat(second).ToArray(), sizes);
        Prop.ForAll(orders.ToArbitrary(), order =>
        {
            IReadOnlyList<CardPart>? known = null;
            var at = 0;
            foreach (var size in order.sizes.TakeWhile(_ => at < order.Parts.Length))
            {
                known = CardParts.Merge(known, order.Parts.Skip(at).Take(size).DistinctBy(part => part.Account).ToArray());
                at += size;
            }

            Assert.Equal(answered, known);
        }).Check(Config.QuickThrowOnFailure);
    }

    [Fact]
    public void An_answer_is_not_taken_back_by_older_news()
    {
        var open = Part(2, 0, 10, CardState.Open);
        var paid = open with { State = CardState.Paid };
        Assert.Equal([paid], CardParts.Merge([open], [paid]));
        Assert.Equal([paid], CardParts.Merge([paid], [open]));
        Assert.Equal([paid], CardParts.Merge(null, [paid]));
        Assert.Equal([paid], CardParts.Merge([paid], null));
        Assert.Null(CardParts.Merge((IReadOnlyList<CardPart>?)null, null));
    }

    [Fact]
    public void A_later_view_keeps_the_parts_of_the_earlier_one()
    {
        var first = Part(2, 0, 10, CardState.Paid);
        var known = s_split with { Version = 2, Progress = new(1, 10, [first]) };
        var news = s_split with { Version = 3, Progress = new(2, 10, [Part(4, 2, 30, CardState.Declined)]) };
        var merged = CardParts.Merge(known, news);
        Assert.Equal((3, 2, 10L), (merged.Version, merged.Progress!.Answered, merged.Progress.PaidMinor));
        Assert.Equal([first, Part(4, 2, 30, CardState.Declined)], merged.Progress.Parts);
        var transfer = s_split with { Kind = CardKind.Transfer, Progress = null };
        Assert.Same(transfer, CardParts.Merge(transfer, transfer));
    }

    [Fact]
    public void A_split_has_all_its_parts_whether_or_not_anything_was_told_of_them()
    {
        Assert.Equal(
            [Part(2, 0, 10, CardState.Open), Part(3, 1, 20, CardState.Open), Part(4, 2, 30, CardState.Open)],
            CardParts.OfSplit(s_split));
        var paid = Part(3, 1, 20, CardState.Paid) with { At = s_noon.AddMinutes(1) };
        var over = s_split with
        {
            State = CardState.Cancelled,
            ClosedAt = s_noon.AddMinutes(5),
            Progress = new(1, 20, [Part(2, 0, 10, CardState.Open), paid]),
        };
        Assert.Equal(
            [
                Part(2, 0, 10, CardState.Cancelled) with { At = s_noon.AddMinutes(5) }, paid,
                Part(4, 2, 30, CardState.Cancelled) with { At = s_noon.AddMinutes(5) },
            ],
            CardParts.OfSplit(over));
    }

    [Fact]
    public void A_packet_whose_seed_and_shares_are_those_committed_to_is_fair()
    {
        Assert.True(CardParts.AreFair(s_packet, s_commit));
        Assert.True(CardParts.AreFair(s_packet, null));
        var shares = PacketShares.Divide(PacketMode.Random, 1000, 5, s_seed);
        CardPart[] parts = [.. shares.Select((share, place) => Part(place + 2, place, share, CardState.Paid))];
        var over = s_packet with
        {
            State = CardState.Exhausted,
            Progress = new(5, 1000, parts, SeedCommit: s_commit, Seed: s_seed),
        };
        Assert.True(CardParts.AreFair(over, s_commit));
        Assert.True(CardParts.AreFair(over, null));

        // Of some of them as of all, and of one that is not over nothing can be said yet.
        Assert.True(CardParts.AreFair(over with { Progress = over.Progress! with { Parts = parts[1..3] } }, s_commit));
        Assert.True(CardParts.AreFair(
            over with { Progress = over.Progress! with { Seed = null, Parts = [parts[0] with { AmountMinor = 1 }] } }, s_commit));
    }

    [Fact]
    public void A_server_that_chooses_the_seed_or_the_shares_afterwards_is_seen()
    {
        var shares = PacketShares.Divide(PacketMode.Random, 1000, 5, s_seed);
        CardPart[] parts = [.. shares.Select((share, place) => Part(place + 2, place, share, CardState.Paid))];
        var fair = new CardProgress(5, 1000, parts, SeedCommit: s_commit, Seed: s_seed);
        byte[] otherSeed = [.. s_seed[..31], 0];
        var otherCommit = PacketShares.CommitTo(otherSeed);
        var otherShares = PacketShares.Divide(PacketMode.Random, 1000, 5, otherSeed);
        Dictionary<string, CardProgress> lies = new(StringComparer.Ordinal)
        {
            ["another commitment"] = fair with { SeedCommit = otherCommit },
            ["another commitment before the end"] = new(0, 0, SeedCommit: otherCommit),
            ["another seed"] = fair with { Seed = otherSeed },
            ["another seed with its commitment and shares"] = fair with
            {
                SeedCommit = otherCommit,
                Seed = otherSeed,
                Parts = [.. parts.Zip(otherShares, (part, share) => part with { AmountMinor = share })],
            },
            ["a short seed"] = fair with { Seed = s_seed[..31] },
            ["no seed at all but an empty one"] = fair with { Seed = [] },
            ["a share more for one"] = fair with { Parts = [parts[0] with { AmountMinor = parts[0].AmountMinor + 1 }] },
            ["two shares swapped"] = fair with { Parts = [parts[0] with { Place = 1 }, parts[1] with { Place = 0 }] },
            ["a place that there is not"] = fair with { Parts = [parts[0] with { Place = 5 }] },
            ["a place before the first"] = fair with { Parts = [parts[0] with { Place = -1 }] },
        };
        Assert.All(lies, lie => Assert.False(CardParts.AreFair(s_packet with { Progress = lie.Value }, s_commit), lie.Key));
    }

    [Theory]
    [InlineData(0, 1000)]
    [InlineData(-1, 1000)]
    [InlineData(Limits.PacketShares + 1, 100_000)]
    [InlineData(5, 4)]
    public void A_packet_that_cannot_be_one_does_not_throw(int count, long amount) => Assert.True(CardParts.AreFair(
        s_packet with
        {
            AmountMinor = amount,
            Plan = new(Packet: PacketMode.Random, Count: count),
            Progress = new(Seed: s_seed, SeedCommit: s_commit),
        },
        s_commit));

    private static CardPart Part(int who, int place, long amount, CardState state) =>
        new(new(Id(who)), place, amount, state, s_noon);

    private static Guid Id(int value) => new(value, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)value);
}
