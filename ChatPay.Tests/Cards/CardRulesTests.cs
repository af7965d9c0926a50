using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>The state machines as tables, and the order in which a wrong action is told what is wrong.</summary>
public sealed class CardRulesTests
{
    private static readonly DateTimeOffset s_noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_end = s_noon.AddSeconds(600);
    private static readonly AssetCode s_eur = AssetCode.Parse("EUR");
    private static readonly Asset s_asset = new(s_eur, 2, AssetKind.Currency);
    private static readonly AccountId s_payer = new(Number(1));
    private static readonly AccountId s_payee = new(Number(2));
    private static readonly AccountId s_third = new(Number(3));
    private static readonly TransferId s_hold = new(Number(4));

    public static TheoryData<CardKind, CardState> AllStates() => new(
        from kind in Enum.GetValues<CardKind>()
        from state in Enum.GetValues<CardState>()
        where kind is CardKind.Transfer or CardKind.Request
            && CardTransitions.All.Any(row => row.Form == FormOf(kind) && row.To == state)
        select (kind, state));

    [Theory]
    [InlineData(CardKind.Transfer, CardActionKind.Accept, 2, CardState.Accepted, CardMoney.Capture)]
    [InlineData(CardKind.Transfer, CardActionKind.Decline, 2, CardState.Declined, CardMoney.Release)]
    [InlineData(CardKind.Transfer, CardActionKind.Cancel, 1, CardState.Cancelled, CardMoney.Release)]
    [InlineData(CardKind.Request, CardActionKind.Pay, 1, CardState.Paid, CardMoney.Pay)]
    [InlineData(CardKind.Request, CardActionKind.Decline, 1, CardState.Declined, CardMoney.None)]
    [InlineData(CardKind.Request, CardActionKind.Cancel, 2, CardState.Cancelled, CardMoney.None)]
    public void The_right_party_closes_an_open_card(
        CardKind kind, CardActionKind action, int party, CardState to, CardMoney money)
    {
        var card = Posted(kind);
        var actor = party == 1 ? s_payer : s_payee;

        var move = Act(card, actor, action, 1, s_noon).Value;
        Assert.Equal((to, 2, s_noon, money), (move.Card.State, move.Card.Version, move.Card.ClosedAt, move.Money));

        var other = actor == s_payer ? s_payee : s_payer;
        Assert.Equal(ErrorCode.CardNotYours, Act(card, other, action, 1, s_noon).Error?.Code);
        Assert.Equal(ErrorCode.CardNotYours, Act(card, s_third, action, 1, s_noon).Error?.Code);
    }

    [Theory]
    [MemberData(nameof(AllStates))]
    public void Nothing_leads_out_of_a_terminal_state(CardKind kind, CardState state)
    {
        var card = Posted(kind) with { State = state };
        if (CardTransitions.IsOpen(state))
        {
            Assert.NotNull(Expire(card, s_end));
            return;
        }

        Assert.Null(Expire(card, s_end.AddYears(1)));
        foreach (var row in CardTransitions.All.Where(row =>
            row.Form == FormOf(kind) && row.From is { } from && CardTransitions.IsOpen(from)))
        {
            if (row.Action is not { } action)
            {
                continue;
            }

            var actor = row.By == CardParty.Payer ? s_payer : s_payee;
            var error = Act(card, actor, action, card.Version, s_noon).Error;
            Assert.Equal(ErrorCode.CardTerminal, error?.Code);
            Assert.Equal(card.Terms.Card, Assert.IsType<CardView>(error!.Details!["card"]).Id);
        }
    }

    [Fact]
    public void Each_form_has_one_way_in_one_row_per_action_and_no_way_out_of_an_end()
    {
        foreach (var form in CardTransitions.All.GroupBy(row => row.Form))
        {
            var post = Assert.Single(form, row => row.From is null);
            Assert.Equal(CardActionKind.Post, post.Action);
            Assert.Equal(form.Count(), form.Select(row => row.Action).Distinct().Count());
            Assert.All(form.Where(row => row != post), row =>
            {
                if (CardTransitions.IsOpen(row.From!.Value))
                {
                    Assert.Equal(post.To, row.From);
                    Assert.All(row.Ends, end => Assert.False(CardTransitions.IsOpen(end)));
                }
                else
                {
                    Assert.Equal((row.From, CardMoney.Refund), (row.To, row.Money));
                }
            });
        }
    }

    [Theory]
    [InlineData(CardKind.Transfer, CardActionKind.Pay)]
    [InlineData(CardKind.Transfer, CardActionKind.Post)]
    [InlineData(CardKind.Request, CardActionKind.Accept)]
    [InlineData(CardKind.Request, (CardActionKind)99)]
    public void An_action_that_the_kind_lacks_is_unknown(CardKind kind, CardActionKind action) => Assert.Equal(
        ErrorCode.CardActionUnknown, Act(Posted(kind), s_payer, action, 1, s_noon).Error?.Code);

    [Fact]
    public void Time_is_judged_at_the_moment_of_acting()
    {
        var card = Posted(CardKind.Transfer);
        Assert.True(Act(card, s_payee, CardActionKind.Accept, 1, s_end.AddTicks(-1)).IsOk);
        Assert.Null(Expire(card, s_end.AddTicks(-1)));
        Assert.Equal(ErrorCode.CardExpired, Act(card, s_payee, CardActionKind.Accept, 1, s_end).Error?.Code);
        Assert.Equal(CardMoney.Expire, Expire(card, s_end)!.Money);
    }

    [Fact]
    public void What_is_wrong_is_told_in_the_documented_order()
    {
        // Everything is wrong at once; each repair uncovers the next answer.
        var closed = Posted(CardKind.Transfer) with { State = CardState.Accepted };
        var open = Posted(CardKind.Transfer);
        Assert.Equal(ErrorCode.CardNotYours, Code(closed, s_third, 7, s_end));
        Assert.Equal(ErrorCode.CardTerminal, Code(closed, s_payee, 7, s_end));
        Assert.Equal(ErrorCode.CardExpired, Code(open, s_payee, 7, s_end));
        Assert.Equal(ErrorCode.CardVersionStale, Code(open, s_payee, 7, s_noon));
        Assert.Null(Code(open, s_payee, 1, s_noon));

        static ErrorCode? Code(Card card, AccountId actor, int version, DateTimeOffset now) =>
            Act(card, actor, CardActionKind.Accept, version, now).Error?.Code;
    }

    [Fact]
    public void Terms_are_checked_before_anything_is_loaded()
    {
        var good = Terms(CardKind.Transfer);
        Assert.Null(Code(good));
        Assert.Equal(ErrorCode.CardKindUnknown, Code(good with { Kind = (CardKind)9 }));
        Assert.Equal(ErrorCode.CardNotYours, Code(good with { Payer = s_third }));
        Assert.Equal(ErrorCode.SelfTransfer, Code(good with { Payee = s_payer }));
        Assert.Equal(ErrorCode.AmountNotPositive, Code(good with { Money = Money.Of(0, s_eur) }));
        Assert.Equal(ErrorCode.AmountNotPositive, Code(good with { Money = Money.Of(-1, s_eur) }));
        Assert.Equal(ErrorCode.AmountOverflow, Code(good with { Money = Money.Of(long.MaxValue, s_eur) }));
        Assert.Equal(ErrorCode.AssetUnknown, Code(good with { Money = Money.Of(1, AssetCode.Parse("XAU")) }));
        Assert.Equal(ErrorCode.CardLifetimeInvalid, Code(good with { LifetimeSeconds = 59 }));
        Assert.Equal(
            ErrorCode.CardLifetimeInvalid, Code(good with { LifetimeSeconds = Limits.CardLifetimeMaxSeconds + 1 }));
        Assert.Equal(ErrorCode.DetailCommitMismatch, CardRules.CheckTerms(good, s_payer, s_asset, new byte[31])?.Code);
        Assert.Equal(ErrorCode.AssetUnknown, CardRules.CheckTerms(good, s_payer, null, new byte[32])?.Code);

        static ErrorCode? Code(CardTerms terms) => CardRules.CheckTerms(terms, s_payer, s_asset, new byte[32])?.Code;
    }

    [Fact]
    public void A_card_id_is_used_once() => Assert.Equal(
        ErrorCode.CardExists,
        CardRules.Post(Terms(CardKind.Request), new byte[32], Posted(CardKind.Request), s_hold, null, s_noon).Error?.Code);

    [Fact]
    public void Only_a_transfer_holds_money()
    {
        Assert.Equal(s_hold, Posted(CardKind.Transfer).HoldId);
        Assert.Null(Posted(CardKind.Request).HoldId);
    }

    [Fact]
    public void Moves_become_the_ledger_commands_they_stand_for()
    {
        var card = Posted(CardKind.Transfer);
        var id = new TransferId(Number(5));
        var accept = Act(card, s_payee, CardActionKind.Accept, 1, s_noon).Value.ToLedgerCommand(id, s_payee)!;
        Assert.Equal(
            (TransferKind.Capture, card.Terms.PayerAccount, (LedgerAccountId?)card.Terms.PayeeAccount, s_hold, 500L),
            (accept.Kind, accept.Debit, accept.Credit, accept.HoldId, accept.Amount.Value));

        var expire = Expire(card, s_end)!.ToLedgerCommand(TransferId.OfCardExpiry(card.Terms.Card), null)!;
        Assert.Equal((TransferKind.Expire, s_hold, null), (expire.Kind, expire.HoldId, expire.Cause.Actor));

        var decline = Act(Posted(CardKind.Request), s_payer, CardActionKind.Decline, 1, s_noon).Value;
        Assert.Null(decline.ToLedgerCommand(id, s_payer));
    }

    private static CardForm FormOf(CardKind kind) => Terms(kind).Form;

    private static Result<CardMove> Act(
        Card card, AccountId actor, CardActionKind action, int version, DateTimeOffset now) =>
        CardRules.Act(card, null, actor, action, version, null, new TransferId(Number(8)), now);

    private static CardMove? Expire(Card card, DateTimeOffset now) =>
        CardRules.Expire(card, TransferId.OfCardExpiry(card.Terms.Card), now);

    private static Guid Number(int number) => Guid.Parse($"0190a000-0000-7000-8000-00000000000{number}");

    private static CardTerms Terms(CardKind kind) => new(
        kind, new CardId(Number(6)), new ConversationId(Number(7)), s_payer, s_payee, Money.Of(500, s_eur), 600);

    private static Card Posted(CardKind kind) =>
        CardRules.Post(Terms(kind), new byte[32], null, s_hold, null, s_noon).Value.Card;
}
