using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>What a client believes may follow what it has seen: docs/PROTOCOL.md's table and nothing else.</summary>
public sealed class CardTransitionsTests
{
    /// <summary>Opening state and endings of each form, written down once more.</summary>
    private static readonly Dictionary<CardForm, (CardState Opening, CardState[] Endings)> s_table = new()
    {
        [CardForm.Transfer] =
            (CardState.Held, [CardState.Accepted, CardState.Declined, CardState.Cancelled, CardState.Expired]),
        [CardForm.TransferAtOnce] = (CardState.Accepted, []),
        [CardForm.TransferDelayed] = (
            CardState.Held, [CardState.Accepted, CardState.Declined, CardState.Cancelled, CardState.Expired]),
        [CardForm.Request] = (CardState.Open, [CardState.Paid, CardState.Declined, CardState.Cancelled, CardState.Expired]),
        [CardForm.Split] = (CardState.Open, [CardState.Paid, CardState.Settled, CardState.Cancelled, CardState.Expired]),
        [CardForm.Packet] = (CardState.Open, [CardState.Exhausted, CardState.Expired]),
        [CardForm.Mandate] = (CardState.Active, [CardState.Cancelled, CardState.Declined, CardState.Expired]),
    };

    public static TheoryData<CardForm> Forms() => [.. s_table.Keys];

    [Theory]
    [MemberData(nameof(Forms))]
    public void Only_what_the_table_says_can_follow(CardForm form)
    {
        var (opening, endings) = s_table[form];
        CardState[] known = [opening, .. endings];
        foreach (var earlier in Enum.GetValues<CardState>())
        {
            foreach (var later in Enum.GetValues<CardState>())
            {
                var follows = known.Contains(earlier) && (earlier == later || (earlier == opening && endings.Contains(later)));
                Assert.True(follows == CardTransitions.CanFollow(form, earlier, later), $"{form}: {earlier} to {later}");
            }
        }
    }

    [Fact]
    public void Nothing_follows_of_a_form_that_nobody_knows()
    {
        foreach (var state in Enum.GetValues<CardState>())
        {
            Assert.False(CardTransitions.CanFollow(CardForm.None, state, state));
            Assert.False(CardTransitions.CanFollow((CardForm)99, state, state));
        }

        Assert.False(CardTransitions.CanFollow(CardForm.Request, CardState.Open, (CardState)99));
    }

    [Fact]
    public void Every_form_of_a_card_has_its_table() =>
        Assert.Equal(Enum.GetValues<CardForm>().Except([CardForm.None]), s_table.Keys.Order());

    /// <summary>What takes money of whoever acts is signed for; what gives money back or lets it go is not.</summary>
    [Fact]
    public void Whatever_debits_its_actor_is_signed_for()
    {
        var signed = CardTransitions.All.Where(row => row.Debits)
            .Select(row => (row.Form, row.Action!.Value)).OrderBy(row => row.Form).ThenBy(row => row.Value);
        Assert.Equal(
            [
                (CardForm.Transfer, CardActionKind.Post), (CardForm.Transfer, CardActionKind.Refund),
                (CardForm.TransferAtOnce, CardActionKind.Post), (CardForm.TransferAtOnce, CardActionKind.Refund),
                (CardForm.TransferDelayed, CardActionKind.Post), (CardForm.TransferDelayed, CardActionKind.Refund),
                (CardForm.Request, CardActionKind.Pay), (CardForm.Request, CardActionKind.Refund),
                (CardForm.Split, CardActionKind.Pay),
                (CardForm.Packet, CardActionKind.Post),
                (CardForm.Mandate, CardActionKind.Post),
            ],
            signed);
    }
}
