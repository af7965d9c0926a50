using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>The state machines: one for each kind, and for each way in which a transfer arrives.</summary>
public enum CardForm
{
    /// <summary>No card of this server's.</summary>
    None = 0,

    Transfer = 1,
    TransferAtOnce = 2,
    TransferDelayed = 3,
    Request = 4,
    Split = 5,
    Packet = 6,
    Mandate = 7,
}

/// <summary>Who may make a move.</summary>
public enum CardParty
{
    Payer = 1,
    Payee = 2,

    /// <summary>Nobody: time has passed.</summary>
    Clock = 3,

    /// <summary>Somebody whom a split asks for a share.</summary>
    Sharer = 4,

    /// <summary>Any member of the conversation but the author; of a packet for one person that person.</summary>
    Claimant = 5,
}

/// <summary>What a move does to the money.</summary>
public enum CardMoney
{
    None = 0,

    /// <summary>The payer's money is set aside.</summary>
    Hold = 1,

    /// <summary>What is set aside goes to the payee; of a packet one share to whoever takes it.</summary>
    Capture = 2,

    /// <summary>What is set aside returns to the payer.</summary>
    Release = 3,

    /// <summary>As release, because the time is up.</summary>
    Expire = 4,

    /// <summary>The actor pays the payee at once.</summary>
    Pay = 5,

    /// <summary>The payee gives back some of what came.</summary>
    Refund = 6,

    /// <summary>The payee takes some of the payer's money, as the payer once signed that they may.</summary>
    Draw = 7,

    /// <summary>Nothing moves yet: the payer signs for what may be drawn.</summary>
    Promise = 8,
}

public static class CardMoneys
{
    /// <summary>
    /// Whether it takes money of whoever makes the move, or lets somebody take it, so that they sign a
    /// <see cref="DebitStatement"/> for it.
    /// </summary>
    public static bool Debits(this CardMoney money) =>
        money is CardMoney.Hold or CardMoney.Pay or CardMoney.Refund or CardMoney.Promise;
}

/// <summary>One row of the state machines.</summary>
/// <param name="Action">Null for the passing of time.</param>
/// <param name="From">Null for a card that does not exist yet.</param>
/// <param name="To">Where a move that does not end the card leads to as well, if there is any.</param>
/// <param name="Ends">
/// The states that the last one of several such moves leads to, and the one of a transfer that cannot arrive.
/// </param>
public sealed record CardTransition(
    CardForm Form, CardActionKind? Action, CardParty By, CardState? From, CardState To, CardMoney Money,
    params IReadOnlyList<CardState> Ends)
{
    /// <inheritdoc cref="CardMoneys.Debits"/>
    public bool Debits => Money.Debits();

    /// <summary>
    /// Whether several people make it side by side, so that what one of them saw of the card does not matter to the others.
    /// </summary>
    public bool IsShared => By is CardParty.Sharer or CardParty.Claimant || Money is CardMoney.Draw;

    /// <summary>Whether it leads to this state.</summary>
    public bool LeadsTo(CardState state) => To == state || Ends.Contains(state);
}

/// <summary>
/// The state machines of all forms, as in docs/PROTOCOL.md. Nothing leads on from a terminal state to another one; what is given
/// back of a settled card changes its sums alone.
/// </summary>
public static class CardTransitions
{
    public static IReadOnlyList<CardTransition> All { get; } =
    [
        Row(CardForm.Transfer, CardActionKind.Post, CardParty.Payer, null, CardState.Held, CardMoney.Hold),
        Row(CardForm.Transfer, CardActionKind.Accept, CardParty.Payee, CardState.Held, CardState.Accepted, CardMoney.Capture),
        Row(CardForm.Transfer, CardActionKind.Decline, CardParty.Payee, CardState.Held, CardState.Declined, CardMoney.Release),
        Row(CardForm.Transfer, CardActionKind.Cancel, CardParty.Payer, CardState.Held, CardState.Cancelled, CardMoney.Release),
        Row(CardForm.Transfer, null, CardParty.Clock, CardState.Held, CardState.Expired, CardMoney.Expire),
        Refund(CardForm.Transfer, CardState.Accepted),

        Row(CardForm.TransferAtOnce, CardActionKind.Post, CardParty.Payer, null, CardState.Accepted, CardMoney.Pay),
        Refund(CardForm.TransferAtOnce, CardState.Accepted),

        Row(CardForm.TransferDelayed, CardActionKind.Post, CardParty.Payer, null, CardState.Held, CardMoney.Hold),
        Row(
            CardForm.TransferDelayed, CardActionKind.Decline, CardParty.Payee, CardState.Held, CardState.Declined,
            CardMoney.Release),
        Row(
            CardForm.TransferDelayed, CardActionKind.Cancel, CardParty.Payer, CardState.Held, CardState.Cancelled,
            CardMoney.Release),
        Row(
            CardForm.TransferDelayed, null, CardParty.Clock, CardState.Held, CardState.Accepted, CardMoney.Capture,
            CardState.Expired),
        Refund(CardForm.TransferDelayed, CardState.Accepted),

        Row(CardForm.Request, CardActionKind.Post, CardParty.Payee, null, CardState.Open, CardMoney.None),
        Row(CardForm.Request, CardActionKind.Pay, CardParty.Payer, CardState.Open, CardState.Paid, CardMoney.Pay),
        Row(CardForm.Request, CardActionKind.Decline, CardParty.Payer, CardState.Open, CardState.Declined, CardMoney.None),
        Row(CardForm.Request, CardActionKind.Cancel, CardParty.Payee, CardState.Open, CardState.Cancelled, CardMoney.None),
        Row(CardForm.Request, CardActionKind.Remind, CardParty.Payee, CardState.Open, CardState.Open, CardMoney.None),
        Row(CardForm.Request, null, CardParty.Clock, CardState.Open, CardState.Expired, CardMoney.None),
        Refund(CardForm.Request, CardState.Paid),

        Row(CardForm.Split, CardActionKind.Post, CardParty.Payee, null, CardState.Open, CardMoney.None),
        Row(
            CardForm.Split, CardActionKind.Pay, CardParty.Sharer, CardState.Open, CardState.Open, CardMoney.Pay,
            CardState.Paid, CardState.Settled),
        Row(
            CardForm.Split, CardActionKind.Decline, CardParty.Sharer, CardState.Open, CardState.Open, CardMoney.None,
            CardState.Settled),
        Row(CardForm.Split, CardActionKind.Cancel, CardParty.Payee, CardState.Open, CardState.Cancelled, CardMoney.None),
        Row(CardForm.Split, null, CardParty.Clock, CardState.Open, CardState.Expired, CardMoney.None),

        Row(CardForm.Packet, CardActionKind.Post, CardParty.Payer, null, CardState.Open, CardMoney.Hold),
        Row(
            CardForm.Packet, CardActionKind.Claim, CardParty.Claimant, CardState.Open, CardState.Open, CardMoney.Capture,
            CardState.Exhausted),
        Row(CardForm.Packet, null, CardParty.Clock, CardState.Open, CardState.Expired, CardMoney.Expire),

        Row(CardForm.Mandate, CardActionKind.Post, CardParty.Payer, null, CardState.Active, CardMoney.Promise),
        Row(CardForm.Mandate, CardActionKind.Draw, CardParty.Payee, CardState.Active, CardState.Active, CardMoney.Draw),
        Row(CardForm.Mandate, CardActionKind.Cancel, CardParty.Payer, CardState.Active, CardState.Cancelled, CardMoney.None),
        Row(CardForm.Mandate, CardActionKind.Decline, CardParty.Payee, CardState.Active, CardState.Declined, CardMoney.None),
        Row(CardForm.Mandate, null, CardParty.Clock, CardState.Active, CardState.Expired, CardMoney.None),
    ];

    /// <summary>Whether a card in this state can still change.</summary>
    public static bool IsOpen(CardState state) => state is CardState.Held or CardState.Open or CardState.Active;

    /// <summary>The row for an action on a form; null where the form has no such action.</summary>
    public static CardTransition? Find(CardForm form, CardActionKind? action)
    {
        foreach (var row in All)
        {
            if (row.Form == form && row.Action == action)
            {
                return row;
            }
        }

        return null;
    }

    /// <summary>Whether a card that was seen in one state may be seen in the other later.</summary>
    public static bool CanFollow(CardForm form, CardState earlier, CardState later) =>
        All.Any(row => row.Form == form && (row.LeadsTo(later) || row.From == later))
        && (earlier == later || All.Any(row => row.Form == form && row.From == earlier && row.LeadsTo(later)));

    private static CardTransition Refund(CardForm form, CardState settled) =>
        Row(form, CardActionKind.Refund, CardParty.Payee, settled, settled, CardMoney.Refund);

    private static CardTransition Row(
        CardForm form, CardActionKind? action, CardParty by, CardState? from, CardState to, CardMoney money,
        params IReadOnlyList<CardState> ends) =>
        new(form, action, by, from, to, money, ends);
}
