using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>A card as it stands: its terms, which never change, and its state, which does.</summary>
/// <param name="Version">1 when posted; each change adds one.</param>
/// <param name="HoldId">The hold with the money of a transfer.</param>
/// <param name="ClosedAt">When it reached its terminal state.</param>
public sealed record Card(
    CardTerms Terms, byte[] DetailCommit, CardState State, int Version, TransferId? HoldId, DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt, DateTimeOffset? ClosedAt)
{
    public bool IsOpen => CardTransitions.IsOpen(State);

    public CardView ToView() => new(
        Terms.Card, Terms.Kind, Terms.Conversation, Terms.Author, Terms.Payer, Terms.Payee, Terms.Money.Amount.Value,
        Terms.Money.Asset.Value, Terms.LifetimeSeconds, DetailCommit, State, Version, CreatedAt, ExpiresAt, ClosedAt);
}

/// <summary>A permitted move: the card as it will be, and what happens to the money on the way.</summary>
public sealed record CardMove(Card Card, CardMoney Money)
{
    /// <inheritdoc cref="CardTransition.Debits"/>
    public bool Debits => Money.Debits();

    /// <summary>What the ledger must apply for the move to happen; null where no money moves.</summary>
    /// <param name="id">Follows from what caused the move, so that a retry finds itself.</param>
    /// <param name="actor">Null where time caused it.</param>
    public LedgerCommand? ToLedgerCommand(TransferId id, AccountId? actor)
    {
        var terms = Card.Terms;
        var cause = new TransferCause(actor, terms.Card);
        return Money switch
        {
            CardMoney.None => null,
            CardMoney.Hold => LedgerCommand.Hold(id, terms.PayerAccount, terms.Money, terms.LifetimeSeconds, cause),
            CardMoney.Capture => LedgerCommand.Capture(
                id, Card.HoldId!.Value, terms.PayerAccount, terms.PayeeAccount, terms.Money, cause),
            CardMoney.Release => LedgerCommand.Release(
                id, Card.HoldId!.Value, terms.PayerAccount, terms.Money.Asset, cause),
            CardMoney.Expire => LedgerCommand.Expire(
                id, Card.HoldId!.Value, terms.PayerAccount, terms.Money.Asset, cause),
            CardMoney.Pay => LedgerCommand.Transfer(id, terms.PayerAccount, terms.PayeeAccount, terms.Money, cause),
        };
    }
}
