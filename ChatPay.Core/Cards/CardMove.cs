using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>A permitted move: the card as it will be, and what happens to the money on the way.</summary>
/// <param name="AmountMinor">How much of it moves; of a release or expiry all that is left.</param>
/// <param name="From">Whose money it is.</param>
/// <param name="To">Who gets it; nobody where it is set aside or returns.</param>
/// <param name="Part">The part of a split or packet that changed, as it will be.</param>
public sealed record CardMove(
    Card Card, CardMoney Money, long AmountMinor, AccountId From, AccountId To, CardPart? Part = null)
{
    /// <summary>
    /// For so long after a delayed transfer is due its hold stays good, so that whoever settles it may be late: nobody else
    /// can take it meanwhile.
    /// </summary>
    public const int SettlingSlackSeconds = 30 * 24 * 3600;

    /// <inheritdoc cref="CardTransition.Debits"/>
    public bool Debits => Money.Debits();

    /// <summary>The card as its members are told.</summary>
    public CardView View =>
        Card.ToView(Part is null ? null : [Part], Money == CardMoney.Draw ? AmountMinor : null);

    /// <summary>What the ledger must apply for the move to happen; null where no money moves.</summary>
    /// <param name="id">Follows from what caused the move, so that a retry finds itself.</param>
    /// <param name="actor">Null where time caused it.</param>
    public LedgerCommand? ToLedgerCommand(TransferId id, AccountId? actor)
    {
        var terms = Card.Terms;
        var asset = terms.Money.Asset;
        var money = Ledger.Money.Of(AmountMinor, asset);
        var cause = new TransferCause(actor, terms.Card);
        var debit = LedgerAccountId.Of(From, asset);
        var credit = LedgerAccountId.Of(To, asset);
        return Money switch
        {
            CardMoney.None or CardMoney.Promise => null,
            CardMoney.Hold => LedgerCommand.Hold(id, debit, money, HoldSeconds(terms), cause),
            CardMoney.Capture => LedgerCommand.Capture(id, Card.HoldId!.Value, debit, credit, money, cause),
            CardMoney.Release => LedgerCommand.Release(id, Card.HoldId!.Value, debit, asset, cause),
            CardMoney.Expire => LedgerCommand.Expire(id, Card.HoldId!.Value, debit, asset, cause),
            CardMoney.Pay or CardMoney.Draw => LedgerCommand.Transfer(id, debit, credit, money, cause),
            CardMoney.Refund => LedgerCommand.Refund(id, Card.Tally.Settlement!.Value, debit, credit, money, cause),
        };
    }

    private static int HoldSeconds(CardTerms terms) =>
        terms.LifetimeSeconds + (terms.Form == CardForm.TransferDelayed ? SettlingSlackSeconds : 0);
}
