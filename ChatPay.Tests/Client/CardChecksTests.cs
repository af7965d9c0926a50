using System.Security.Cryptography;
using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>What a device believes of a card, whatever the server or the author say.</summary>
public sealed class CardChecksTests
{
    private static readonly AccountId s_payer = new(TestGroup.NewId().Value);
    private static readonly AccountId s_payee = new(TestGroup.NewId().Value);
    private static readonly byte[] s_salt = RandomNumberGenerator.GetBytes(32);

    private static readonly CardView s_request = Committed(new(
        new(TestGroup.NewId().Value), CardKind.Request, TestGroup.NewId(), s_payee, s_payer, s_payee, 350, "EUR",
        3600, [],
        CardState.Open, 1, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddHours(1), null));

    private static readonly Event s_posted = new(
        s_request.Conversation, 7, EventKind.Card, s_payee, new(TestGroup.NewId().Value), TestGroup.NewClientId(), 3,
        DateTimeOffset.UnixEpoch, [], s_request);

    private static readonly MessageContent.CardDetails s_details = new(s_request.Id, s_salt, "Coffee");

    [Fact]
    public void A_card_that_is_what_its_author_committed_to_is_verified()
    {
        var card = CardChecks.Posted(s_request, s_posted, s_details);
        Assert.Equal((CardTrust.Verified, "Coffee"), (card.Trust, card.Memo));
    }

    [Fact]
    public void Nothing_of_it_can_be_another()
    {
        CardView[] others =
        [
            s_request with { AmountMinor = 3500 },
            s_request with { Asset = "JPY" },
            s_request with { Asset = "no asset" },
            s_request with { LifetimeSeconds = 60 },
            s_request with { Kind = CardKind.Transfer },
            s_request with { Payer = s_payee, Payee = s_payer },
            s_request with { Payee = new(TestGroup.NewId().Value) },
            s_request with { Author = s_payer },
            s_request with { Conversation = TestGroup.NewId() },
            s_request with { Id = new(TestGroup.NewId().Value) },
            s_request with { DetailCommit = new byte[32] },
        ];
        Assert.All(
            others, other => Assert.Equal(CardTrust.Mismatch, CardChecks.Posted(other, s_posted, s_details).Trust));

        MessageContent.CardDetails?[] details =
        [
            null,
            s_details with { Memo = "Coffee " },
            s_details with { Salt = new byte[32] },
            s_details with { Card = new(TestGroup.NewId().Value) },
        ];
        Assert.All(
            details, other => Assert.Equal(CardTrust.Mismatch, CardChecks.Posted(s_request, s_posted, other).Trust));

        // The server names somebody else as the sender than the author of the card.
        Assert.Equal(
            CardTrust.Mismatch, CardChecks.Posted(s_request, s_posted with { Account = s_payer }, s_details).Trust);
    }

    [Fact]
    public void Its_state_moves_as_the_table_says_and_its_terms_not_at_all()
    {
        var open = CardChecks.Posted(s_request, s_posted, s_details);
        var paid = s_request with { State = CardState.Paid, Version = 2 };
        Assert.Equal((CardTrust.Verified, CardState.Paid), After(CardChecks.Advance(open, paid)));
        var closed = CardChecks.Advance(open, paid);

        // What was before is no news, and what cannot follow is not believed.
        Assert.Same(closed, CardChecks.Advance(closed, s_request));
        Assert.Same(closed, CardChecks.Advance(closed, paid));
        CardView[] lies =
        [
            paid with { State = CardState.Declined, Version = 3 },
            paid with { State = CardState.Open, Version = 3 },
            paid with { AmountMinor = 1 },
            paid with { Payee = s_payer },
            s_request with { State = CardState.Held, Version = 2 },
            s_request with { State = CardState.Accepted, Version = 2 },
        ];
        Assert.All(
            lies, lie => Assert.Equal((CardTrust.Mismatch, CardState.Paid), After(CardChecks.Advance(closed, lie))));
        Assert.Equal(
            (CardTrust.Mismatch, CardState.Open),
            After(CardChecks.Advance(open, s_request with { State = CardState.Accepted, Version = 2 })));
        Assert.Empty(Of(CardChecks.Advance(open, paid with { AmountMinor = 1 })).ActionsOf(s_payer));
    }

    [Fact]
    public void A_card_whose_state_came_before_its_message_keeps_the_state()
    {
        var paid = new CardRecord(s_request with { State = CardState.Paid, Version = 2 }, null, CardTrust.Unreadable);
        var met = CardChecks.Meet(paid, CardChecks.Posted(s_request, s_posted, s_details));
        Assert.Equal((CardTrust.Verified, CardState.Paid, "Coffee"), (met.Trust, met.View.State, met.Memo));
        var other = paid with { View = paid.View with { AmountMinor = 1 } };
        Assert.Equal(
            CardTrust.Mismatch, CardChecks.Meet(other, CardChecks.Posted(s_request, s_posted, s_details)).Trust);
    }

    [Fact]
    public void This_devices_own_card_is_what_the_server_recorded()
    {
        var posted = new OutboxCard(
            s_request.Id, s_request.Kind, s_payer, s_payee, 350, "EUR", 3600, s_request.DetailCommit, default);
        CardTrust Trust(CardView answer) =>
            CardChecks.Own(answer, posted, s_request.Conversation, s_payee, "Coffee").Trust;
        Assert.Equal(CardTrust.Verified, Trust(s_request));
        Assert.Equal(CardTrust.Mismatch, Trust(s_request with { AmountMinor = 3500 }));
        Assert.Equal(CardTrust.Mismatch, Trust(s_request with { Author = s_payer }));
        Assert.Equal(CardTrust.Mismatch, Trust(s_request with { DetailCommit = new byte[32] }));
    }

    [Fact]
    public void Everybody_may_do_what_the_table_of_cards_says()
    {
        var open = Of(CardChecks.Posted(s_request, s_posted, s_details));
        Assert.Equal([CardActionKind.Pay, CardActionKind.Decline], open.ActionsOf(s_payer));
        Assert.Equal([CardActionKind.Cancel, CardActionKind.Remind], open.ActionsOf(s_payee));
        Assert.Empty(open.ActionsOf(new(TestGroup.NewId().Value)));
        Assert.Equal([CardActionKind.Decline], (open with { Trust = CardTrust.Unreadable }).ActionsOf(s_payer));
        Assert.Empty((open with { Trust = CardTrust.Mismatch }).ActionsOf(s_payer));
        var paid = open with { View = open.View with { State = CardState.Paid } };
        Assert.Empty(paid.ActionsOf(s_payer));
        Assert.Equal([CardActionKind.Refund], paid.ActionsOf(s_payee));
        var returned = paid with { View = paid.View with { Progress = new(RefundedMinor: paid.View.AmountMinor) } };
        Assert.Empty(returned.ActionsOf(s_payee));
    }

    private static CardView Committed(CardView card) => card with
    {
        DetailCommit = DetailCommitment.Of(CardChecks.TermsOf(card)!, s_salt, "Coffee"),
    };

    private static ChatCard Of(CardRecord card) => new(card.View, card.Memo, card.Trust);

    private static (CardTrust Trust, CardState State) After(CardRecord card) => (card.Trust, card.View.State);
}
