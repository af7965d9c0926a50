using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>
/// What a member of the conversation is told of a card. Splits and packets for everybody are everybody's business; of all other
/// kinds the others learn that there is one and whether it is settled, and neither who pays nor how much.
/// </summary>
public static class CardPrivacy
{
    /// <summary>Whether all members see all of it.</summary>
    public static bool IsPublic(CardView card)
    {
        ArgumentNullException.ThrowIfNull(card);
        return card.Kind == CardKind.Split || (card.Kind == CardKind.Packet && card.Payee == CardTerms.Nobody);
    }

    /// <summary>Whom a card is about: those who see all of it where not everybody does.</summary>
    public static bool IsConcerned(CardView card, AccountId viewer)
    {
        ArgumentNullException.ThrowIfNull(card);
        return viewer == card.Payer || viewer == card.Payee || viewer == card.Author;
    }

    /// <summary>The card as this member may see it.</summary>
    public static CardView For(CardView card, AccountId viewer) =>
        IsPublic(card) || IsConcerned(card, viewer) ? card : Hide(card);

    /// <summary>The event as this member may see it: of a hidden card's change not even who made it.</summary>
    public static Event For(Event logged, AccountId viewer)
    {
        ArgumentNullException.ThrowIfNull(logged);
        return logged.Card is { } card && !IsPublic(card) && !IsConcerned(card, viewer) ? Hide(logged) : logged;
    }

    /// <summary>The event as those see it whom its card does not concern; null where all members see the same.</summary>
    public static Event? ForOthers(Event logged)
    {
        ArgumentNullException.ThrowIfNull(logged);
        return logged.Card is { } card && !IsPublic(card) ? Hide(logged) : null;
    }

    private static Event Hide(Event logged) => logged with
    {
        Card = Hide(logged.Card!),
        Account = logged.Kind == EventKind.CardChanged ? null : logged.Account,
        Device = logged.Kind == EventKind.CardChanged ? null : logged.Device,
    };

    private static CardView Hide(CardView card) => card with
    {
        Payer = CardTerms.Nobody,
        Payee = CardTerms.Nobody,
        AmountMinor = 0,
        Asset = "",
        DetailCommit = [],
        Plan = null,
        Progress = null,
        Hidden = true,
    };
}
