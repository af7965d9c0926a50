using System.Reflection;
using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>Who sees what of a card, kind by kind; what a stranger to a card gets does not depend on what is hidden.</summary>
public sealed class CardPrivacyRulesTests
{
    private static readonly DateTimeOffset s_noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly AccountId s_author = new(TestGroup.NewId().Value);
    private static readonly AccountId s_other = new(TestGroup.NewId().Value);
    private static readonly AccountId s_third = new(TestGroup.NewId().Value);

    public static TheoryData<CardKind> Kinds() => [.. Enum.GetValues<CardKind>()];

    [Fact]
    public void Splits_and_packets_for_everybody_are_public_and_nothing_else_is()
    {
        foreach (var kind in Enum.GetValues<CardKind>())
        {
            Assert.Equal(kind == CardKind.Split, CardPrivacy.IsPublic(View(kind)));
            Assert.Equal(
                kind is CardKind.Split or CardKind.Packet, CardPrivacy.IsPublic(View(kind) with { Payee = CardTerms.Nobody }));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Both_sides_see_all_of_it_and_a_third_no_more_than_that_it_exists(CardKind kind)
    {
        var card = View(kind);
        foreach (var logged in new[] { Posted(card), Changed(card) })
        {
            Assert.Same(logged, CardPrivacy.For(logged, s_author));
            Assert.Same(logged, CardPrivacy.For(logged, s_other));
            if (kind == CardKind.Split)
            {
                Assert.Same(logged, CardPrivacy.For(logged, s_third));
                Assert.Null(CardPrivacy.ForOthers(logged));
                continue;
            }

            var hidden = CardPrivacy.For(logged, s_third);
            Assert.Equal(Json(hidden), Json(CardPrivacy.ForOthers(logged)!));
            Assert.Equal(Json(hidden.Card!), Json(CardPrivacy.For(card, s_third)));
            Assert.Equal(logged.Kind == EventKind.Card ? s_author : null, hidden.Account);
            Assert.Equal(logged.Kind == EventKind.Card ? logged.Device : null, hidden.Device);
            Assert.True(hidden.Card!.Hidden);
        }
    }

    /// <summary>
    /// Whatever is between the two, a third gets the same bytes: only what the protocol names may make a difference. A member
    /// that is added to cards is hidden until somebody says here that it need not be.
    /// </summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_a_third_gets_is_the_same_whatever_is_hidden(CardKind kind)
    {
        var one = View(kind);
        var other = one with
        {
            Payer = one.Payer == one.Author ? one.Author : new(TestGroup.NewId().Value),
            Payee = one.Payee == one.Author ? one.Author : new(TestGroup.NewId().Value),
            AmountMinor = 99,
            Asset = "JPY",
            DetailCommit = [.. Enumerable.Repeat((byte)9, 32)],
            Plan = new(OwnMinor: 5),
            Progress = new(1, 2, [new(s_other, 0, 2, CardState.Paid, s_noon)], 3, s_noon, 4, s_noon, 5, [6], [7]),
        };
        string[] mayDiffer =
        [
            nameof(CardView.Id), nameof(CardView.Kind), nameof(CardView.Conversation), nameof(CardView.Author),
            nameof(CardView.LifetimeSeconds), nameof(CardView.State), nameof(CardView.Version), nameof(CardView.CreatedAt),
            nameof(CardView.ExpiresAt), nameof(CardView.ClosedAt), nameof(CardView.Hidden),
        ];
        string[] mayNot =
        [
            nameof(CardView.Payer), nameof(CardView.Payee), nameof(CardView.AmountMinor), nameof(CardView.Asset),
            nameof(CardView.DetailCommit), nameof(CardView.Plan), nameof(CardView.Progress),
        ];
        Assert.Equal(
            typeof(CardView).GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(member => member.Name)
                .Order(StringComparer.Ordinal),
            mayDiffer.Concat(mayNot).Order(StringComparer.Ordinal));
        if (kind == CardKind.Split)
        {
            return;
        }

        Assert.Equal(Json(CardPrivacy.For(Posted(one), s_third)), Json(CardPrivacy.For(Posted(other), s_third)));
        Assert.Equal(
            Json(CardPrivacy.For(Changed(one), s_third)),
            Json(CardPrivacy.For(Changed(other) with { Account = s_author, Device = null }, s_third)));
    }

    [Fact]
    public void What_is_no_card_is_told_as_it_is()
    {
        var message = Posted(View(CardKind.Transfer)) with { Kind = EventKind.Message, Card = null };
        Assert.Same(message, CardPrivacy.For(message, s_third));
        Assert.Null(CardPrivacy.ForOthers(message));
    }

    private static CardView View(CardKind kind)
    {
        var asks = kind is CardKind.Request or CardKind.Split;
        return new(
            new(s_third.Value), kind, new(s_other.Value), s_author,
            kind == CardKind.Split ? CardTerms.Nobody : asks ? s_other : s_author, asks ? s_author : s_other, 765, "EUR", 600,
            new byte[32], CardState.Open, 2, s_noon, s_noon, null, new(OwnMinor: 1), new(1, 1));
    }

    private static Event Posted(CardView card) => new(
        card.Conversation, 7, EventKind.Card, card.Author, new(s_other.Value), new(s_other.Value), 3, s_noon, [1], card);

    private static Event Changed(CardView card) =>
        Posted(card) with { Kind = EventKind.CardChanged, Account = s_other, ClientId = null, Body = null };

    private static string Json<T>(T value) =>
        System.Text.Json.JsonSerializer.Serialize(value, ProtocolJson.Create());
}
