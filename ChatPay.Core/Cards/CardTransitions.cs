using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>Who may make a move.</summary>
public enum CardParty
{
    Payer = 1,
    Payee = 2,

    /// <summary>Nobody: time has passed.</summary>
    Clock = 3,
}

/// <summary>What a move does to the money.</summary>
public enum CardMoney
{
    None = 0,

    /// <summary>The payer's money is set aside.</summary>
    Hold = 1,

    /// <summary>What is set aside goes to the payee.</summary>
    Capture = 2,

    /// <summary>What is set aside returns to the payer.</summary>
    Release = 3,

    /// <summary>As release, because the time is up.</summary>
    Expire = 4,

    /// <summary>The payer pays the payee at once.</summary>
    Pay = 5,
}

public static class CardMoneys
{
    /// <summary>Whether it takes money of whoever makes the move, who then signs a <see cref="DebitStatement"/> for it.</summary>
    public static bool Debits(this CardMoney money) => money is CardMoney.Hold or CardMoney.Pay;
}

/// <summary>One row of the state machines.</summary>
/// <param name="Action">Null for the passing of time.</param>
/// <param name="From">Null for a card that does not exist yet.</param>
public sealed record CardTransition(
    CardKind Kind, CardActionKind? Action, CardParty By, CardState? From, CardState To, CardMoney Money)
{
    /// <inheritdoc cref="CardMoneys.Debits"/>
    public bool Debits => Money.Debits();
}

/// <summary>The state machines of all kinds, as in docs/PROTOCOL.md. Nothing leads on from a terminal state.</summary>
public static class CardTransitions
{
    private const CardKind Transfer = CardKind.Transfer;
    private const CardKind Request = CardKind.Request;

    public static IReadOnlyList<CardTransition> All { get; } =
    [
        Row(Transfer, CardActionKind.Post, CardParty.Payer, null, CardState.Held, CardMoney.Hold),
        Row(Transfer, CardActionKind.Accept, CardParty.Payee, CardState.Held, CardState.Accepted, CardMoney.Capture),
        Row(Transfer, CardActionKind.Decline, CardParty.Payee, CardState.Held, CardState.Declined, CardMoney.Release),
        Row(Transfer, CardActionKind.Cancel, CardParty.Payer, CardState.Held, CardState.Cancelled, CardMoney.Release),
        Row(Transfer, null, CardParty.Clock, CardState.Held, CardState.Expired, CardMoney.Expire),

        Row(Request, CardActionKind.Post, CardParty.Payee, null, CardState.Open, CardMoney.None),
        Row(Request, CardActionKind.Pay, CardParty.Payer, CardState.Open, CardState.Paid, CardMoney.Pay),
        Row(Request, CardActionKind.Decline, CardParty.Payer, CardState.Open, CardState.Declined, CardMoney.None),
        Row(Request, CardActionKind.Cancel, CardParty.Payee, CardState.Open, CardState.Cancelled, CardMoney.None),
        Row(Request, null, CardParty.Clock, CardState.Open, CardState.Expired, CardMoney.None),
    ];

    /// <summary>Whether a card in this state can still change.</summary>
    public static bool IsOpen(CardState state) => state is CardState.Held or CardState.Open;

    /// <summary>The row for an action on a kind; null where the kind has no such action.</summary>
    public static CardTransition? Find(CardKind kind, CardActionKind? action)
    {
        foreach (var row in All)
        {
            if (row.Kind == kind && row.Action == action)
            {
                return row;
            }
        }

        return null;
    }

    private static CardTransition Row(
        CardKind kind, CardActionKind? action, CardParty by, CardState? from, CardState to, CardMoney money) =>
        new(kind, action, by, from, to, money);
}
