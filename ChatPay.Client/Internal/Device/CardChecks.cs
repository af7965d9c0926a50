using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// What a device believes of a card: docs/PROTOCOL.md, <i>What a client believes</i>. Its terms are fixed when they
/// were checked against the author's commitment, and its state only moves as the table of cards allows.
/// </summary>
internal static class CardChecks
{
    /// <summary>The terms as the server names them; null where they cannot be any.</summary>
    public static CardTerms? TermsOf(CardView card) =>
        AssetCode.TryParse(card.Asset, out var asset) && Enum.IsDefined(card.Kind)
        && new CardTerms(
            card.Kind, card.Id, card.Conversation, card.Payer, card.Payee, Money.Of(card.AmountMinor, asset),
            card.LifetimeSeconds, card.Plan) is var terms && CardPlans.Check(terms) is null
            ? terms
            : null;

    /// <summary>A card of which there is nobody's word but the server's.</summary>
    public static CardRecord Unread(CardView card) =>
        new(card, null, card.Hidden is true ? CardTrust.Hidden : CardTrust.Unreadable);

    /// <summary>A card whose details this device has decrypted, in the event that posted it.</summary>
    public static CardRecord Posted(CardView card, Event logged, MessageContent.CardDetails? details)
    {
        if (card.Hidden is true)
        {
            return Unread(card);
        }

        var terms = TermsOf(card);
        var sound = details is not null && terms is not null && details.Card == card.Id
            && card.Author == terms.Author && card.Author == logged.Account && card.Conversation == logged.Conversation
            && DetailCommitment.Matches(card.DetailCommit, terms, details.Salt, details.Memo);
        return new(card, details?.Memo, sound ? CardTrust.Verified : CardTrust.Mismatch);
    }

    /// <summary>
    /// What became of this device's own card: whether the server recorded what was posted, to the last unit.
    /// </summary>
    public static CardRecord Own(
        CardView card, OutboxCard posted, ConversationId conversation, AccountId me, string memo)
    {
        var recorded = card.Author == me && card.Conversation == conversation && card.Id == posted.Id
            && card.Kind == posted.Kind && card.Payer == posted.Payer && card.Payee == posted.Payee
            && card.AmountMinor == posted.AmountMinor && card.Asset == posted.Asset
            && card.LifetimeSeconds == posted.LifetimeSeconds && card.Plan == posted.Plan
            && card.DetailCommit.AsSpan().SequenceEqual(posted.DetailCommit);
        return new(card, memo, recorded ? CardTrust.Verified : CardTrust.Mismatch);
    }

    /// <summary>A card after its first sight, where something may be known of it already.</summary>
    public static CardRecord Meet(CardRecord? known, CardRecord seen)
    {
        if (known is null)
        {
            return seen;
        }

        if (!SameTerms(known.View, seen.View))
        {
            return seen with { Trust = CardTrust.Mismatch };
        }

        // Its state may have come before its message, by another way.
        return known.View.Version > seen.View.Version ? seen with { View = known.View } : seen;
    }

    /// <summary>
    /// A known card after something the server says of it. News of other terms, or of a state that cannot follow, are
    /// not believed: the card keeps what was checked, under a warning.
    /// </summary>
    public static CardRecord Advance(CardRecord card, CardView news)
    {
        if (!SameTerms(card.View, news) || !CanFollow(card.View, news))
        {
            return card.Trust == CardTrust.Mismatch ? card : card with { Trust = CardTrust.Mismatch };
        }

        // Older news, behind an answer that was faster than the log, change nothing but tell of parts that are not known yet.
        var merged = CardParts.Merge(card.View, news);
        var next = news.Version >= card.View.Version ? merged : WithParts(card.View, merged.Progress?.Parts);
        var commit = card.View.Progress?.SeedCommit;
        if (!CardParts.AreFair(merged, commit) || !CardParts.AreFair(next, commit))
        {
            return card.Trust == CardTrust.Mismatch ? card : card with { Trust = CardTrust.Mismatch };
        }

        return news.Version > card.View.Version || Tells(next, card.View) ? card with { View = next } : card;
    }

    private static CardView WithParts(CardView card, IReadOnlyList<CardPart>? parts) =>
        card.Progress is { } progress ? card with { Progress = progress with { Parts = parts } } : card;

    /// <summary>Whether it knows of more parts: an answer tells of one's own alone, the event of all that came with it.</summary>
    private static bool Tells(CardView news, CardView known) =>
        (news.Progress?.Parts?.Count ?? 0) > (known.Progress?.Parts?.Count ?? 0);

    private static bool SameTerms(CardView a, CardView b) =>
        a.Id == b.Id && a.Hidden == b.Hidden && a.Conversation == b.Conversation && a.Kind == b.Kind && a.Author == b.Author
        && a.Payer == b.Payer && a.Payee == b.Payee && a.AmountMinor == b.AmountMinor && a.Asset == b.Asset
        && a.LifetimeSeconds == b.LifetimeSeconds && a.Plan == b.Plan && a.DetailCommit.AsSpan().SequenceEqual(b.DetailCommit);

    /// <summary>States move from the opening one to an ending of the card's form, and an ending stays.</summary>
    private static bool CanFollow(CardView a, CardView b)
    {
        var (earlier, later) = b.Version < a.Version ? (b, a) : (a, b);
        return (earlier.State == later.State || earlier.Version < later.Version)
            && FormsOf(later).Any(form => CardTransitions.CanFollow(form, earlier.State, later.State));
    }

    /// <summary>Of a hidden transfer nobody says when it arrives.</summary>
    private static IEnumerable<CardForm> FormsOf(CardView card) => card switch
    {
        { Hidden: not true } => TermsOf(card) is { } terms ? [terms.Form] : [],
        { Kind: CardKind.Transfer } => [CardForm.Transfer, CardForm.TransferAtOnce, CardForm.TransferDelayed],
        { Kind: CardKind.Request } => [CardForm.Request],
        { Kind: CardKind.Packet } => [CardForm.Packet],
        { Kind: CardKind.Mandate } => [CardForm.Mandate],
        _ => [],
    };
}
