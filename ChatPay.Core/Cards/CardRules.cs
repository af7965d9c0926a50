using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>
/// The rules of cards, checked in the order of docs/PROTOCOL.md. What the ledger says about the money comes after all
/// of them; a move that the ledger refuses does not happen.
/// </summary>
public static class CardRules
{
    /// <summary>What can be said of new terms without loading anything.</summary>
    /// <returns>Null where they are in order.</returns>
    /// <param name="asset">The asset named in the terms, or null where there is none of that code.</param>
    public static Error? CheckTerms(CardTerms terms, AccountId actor, Asset? asset, ReadOnlySpan<byte> detailCommit)
    {
        ArgumentNullException.ThrowIfNull(terms);
        if (CardTransitions.Find(terms.Kind, CardActionKind.Post) is null)
        {
            return new Error(ErrorCode.CardKindUnknown, "This server does not know this kind of card.");
        }

        if (terms.Author != actor)
        {
            return new Error(ErrorCode.CardNotYours, "A card can only be posted in your own name.");
        }

        if (terms.Payer == terms.Payee)
        {
            return new Error(ErrorCode.SelfTransfer, "Payer and payee must be different people.");
        }

        if (!terms.Money.Amount.IsPositive)
        {
            return new Error(ErrorCode.AmountNotPositive, "The amount must be more than zero.");
        }

        if (terms.Money.Amount.Value > Limits.AmountMaxMinor)
        {
            return new Error(ErrorCode.AmountOverflow, "The amount is too large.");
        }

        if (asset is null || asset.Code != terms.Money.Asset)
        {
            return new Error(ErrorCode.AssetUnknown, "This server does not know this asset.");
        }

        if (terms.LifetimeSeconds is < Limits.CardLifetimeMinSeconds or > Limits.CardLifetimeMaxSeconds)
        {
            return new Error(ErrorCode.CardLifetimeInvalid, "A card lives between one minute and 30 days.");
        }

        return detailCommit.Length == Limits.DetailCommitBytes
            ? null
            : new Error(ErrorCode.DetailCommitMismatch, "The commitment to the details must have 32 bytes.");
    }

    /// <summary>Posts a card whose terms have been checked.</summary>
    /// <param name="existing">The card that already has this id, or null.</param>
    /// <param name="holdId">The id the hold will have, where the kind holds money.</param>
    /// <param name="now">The deciding clock; the card's time runs from it.</param>
    public static Result<CardMove> Post(
        CardTerms terms, byte[] detailCommit, Card? existing, TransferId holdId, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(terms);
        if (existing is not null)
        {
            return new Error(ErrorCode.CardExists, "There already is a card with this id. Use a new one.");
        }

        var row = CardTransitions.Find(terms.Kind, CardActionKind.Post)
            ?? throw new InvalidOperationException("The terms were not checked before posting.");
        return new CardMove(
            new Card(
                terms, detailCommit, row.To, 1, row.Money == CardMoney.Hold ? holdId : null, now,
                now.AddSeconds(terms.LifetimeSeconds), null),
            row.Money);
    }

    /// <summary>Decides a member's action on a card of their conversation.</summary>
    /// <param name="version">The version the actor saw.</param>
    public static Result<CardMove> Act(
        Card card, AccountId actor, CardActionKind action, int version, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(card);
        if (action == CardActionKind.Post || CardTransitions.Find(card.Terms.Kind, action) is not { } row)
        {
            return new Error(ErrorCode.CardActionUnknown, "This kind of card has no such action.");
        }

        if (actor != (row.By == CardParty.Payer ? card.Terms.Payer : card.Terms.Payee))
        {
            return new Error(ErrorCode.CardNotYours, "This is for the other side of the card to do.", With(card));
        }

        if (!card.IsOpen)
        {
            return new Error(ErrorCode.CardTerminal, "This card is already settled or closed.", With(card));
        }

        if (now >= card.ExpiresAt)
        {
            return new Error(ErrorCode.CardExpired, "The time for this card is over.", With(card));
        }

        if (version != card.Version)
        {
            return new Error(ErrorCode.CardVersionStale, "The card has changed. Look at it again.", With(card));
        }

        return row.From == card.State
            ? Move(card, row, now)
            : throw new InvalidOperationException($"No {action} leads from {card.State}.");
    }

    /// <summary>Closes a card whose time is up; null where it is not up yet or the card is closed.</summary>
    public static CardMove? Expire(Card card, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(card);
        return card.IsOpen && now >= card.ExpiresAt
            ? Move(card, CardTransitions.Find(card.Terms.Kind, null)!, now)
            : null;
    }

    private static CardMove Move(Card card, CardTransition row, DateTimeOffset now) => new(
        card with
        {
            State = row.To,
            Version = card.Version + 1,
            ClosedAt = CardTransitions.IsOpen(row.To) ? null : now,
        },
        row.Money);

    private static Dictionary<string, object> With(Card card) =>
        new(StringComparer.Ordinal) { ["card"] = card.ToView() };
}
