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
        if (!Enum.IsDefined(terms.Kind))
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

        if (CardPlans.Check(terms) is { } flaw)
        {
            return flaw;
        }

        if (terms.Other == CardTerms.Nobody && terms.Kind is not (CardKind.Split or CardKind.Packet))
        {
            return new Error(ErrorCode.CardPartyNotMember, "The other side is not a member of this conversation.");
        }

        var most = terms.Kind == CardKind.Mandate ? Limits.MandateMaxSeconds : Limits.CardLifetimeMaxSeconds;
        if (terms.LifetimeSeconds < Limits.CardLifetimeMinSeconds || terms.LifetimeSeconds > most)
        {
            return new Error(
                ErrorCode.CardLifetimeInvalid, "A card lives between one minute and 30 days, a mandate up to a year.");
        }

        return detailCommit.Length == Limits.DetailCommitBytes
            ? null
            : new Error(ErrorCode.DetailCommitMismatch, "The commitment to the details must have 32 bytes.");
    }

    /// <summary>
    /// How much an actor's device signs for, so that a move can be made; null where nothing of the actor's is taken, or the actor
    /// is somebody whom <see cref="Act"/> refuses.
    /// </summary>
    /// <param name="asked">What a refund names.</param>
    public static long? SignedAmount(CardTerms terms, AccountId actor, CardActionKind action, long? asked)
    {
        ArgumentNullException.ThrowIfNull(terms);
        return CardTransitions.Find(terms.Form, action) is not { Debits: true } row ? null
            : row.Money == CardMoney.Refund ? asked
            : row.By == CardParty.Sharer ? terms.ShareOf(actor)?.AmountMinor
            : terms.Money.Amount.Value;
    }

    /// <summary>Posts a card whose terms have been checked.</summary>
    /// <param name="existing">The card that already has this id, or null.</param>
    /// <param name="transfer">The id of the transfer that posting makes, if it makes one.</param>
    /// <param name="seed">Of a random packet, 32 bytes that nobody knows yet; else null.</param>
    /// <param name="now">The deciding clock; the card's time runs from it.</param>
    public static Result<CardMove> Post(
        CardTerms terms, byte[] detailCommit, Card? existing, TransferId transfer, byte[]? seed, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(terms);
        if (existing is not null)
        {
            return new Error(ErrorCode.CardExists, "There already is a card with this id. Use a new one.");
        }

        var row = CardTransitions.Find(terms.Form, CardActionKind.Post)
            ?? throw new InvalidOperationException("The terms were not checked before posting.");
        var card = new Card(
            terms, detailCommit, row.To, 1, row.Money == CardMoney.Hold ? transfer : null, now,
            now.AddSeconds(terms.LifetimeSeconds), CardTransitions.IsOpen(row.To) ? null : now)
        {
            Seed = seed,
            Tally = new CardTally(Settlement: row.Money == CardMoney.Pay ? transfer : null),
        };
        var to = row.Money == CardMoney.Pay ? terms.Payee : CardTerms.Nobody;
        return new CardMove(card, row.Money, terms.Money.Amount.Value, terms.Payer, to);
    }

    /// <summary>Decides a member's action on a card of their conversation.</summary>
    /// <param name="part">The actor's part of it, as it is; null where there is none.</param>
    /// <param name="version">The version the actor saw.</param>
    /// <param name="asked">How much, for the actions that name an amount.</param>
    /// <param name="transfer">The id of the transfer that the action makes, if it makes one.</param>
    public static Result<CardMove> Act(
        Card card, CardPart? part, AccountId actor, CardActionKind action, int version, long? asked, TransferId transfer,
        DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(card);
        var isConcerned = CardPrivacy.IsPublic(card.ToView()) || CardPrivacy.IsConcerned(card.ToView(), actor);
        if (action == CardActionKind.Post
            || (isConcerned && CardTransitions.Find(card.Terms.Form, action) is null))
        {
            return new Error(ErrorCode.CardActionUnknown, "This kind of card has no such action.");
        }

        if (CardTransitions.Find(card.Terms.Form, action) is not { } row || !IsParty(card.Terms, row.By, actor))
        {
            return new Error(
                ErrorCode.CardNotYours, "This is for the other side of the card to do.",
                new Dictionary<string, object>(StringComparer.Ordinal) { ["card"] = CardPrivacy.For(card.ToView(), actor) });
        }

        if (row.Money == CardMoney.Refund)
        {
            return Refund(card, row, version, asked);
        }

        if (!card.IsOpen)
        {
            return new Error(ErrorCode.CardTerminal, "This card is already settled or closed.", With(card));
        }

        if (now >= card.ExpiresAt)
        {
            return new Error(ErrorCode.CardExpired, "The time for this card is over.", With(card));
        }

        if (!row.IsShared && version != card.Version)
        {
            return Stale(card);
        }

        return row.By switch
        {
            CardParty.Sharer => Answer(card, row, part, action, now),
            CardParty.Claimant => Claim(card, row, part, actor, now),
            _ when row.Money == CardMoney.Draw => Draw(card, row, asked, now),
            _ when action == CardActionKind.Remind => Remind(card, now),
            _ when row.From == card.State => Move(card, row, transfer, now),
            _ => throw new InvalidOperationException($"No {action} leads from {card.State}."),
        };
    }

    /// <summary>
    /// What an action asks of the ledger, so that it can be loaded before it is decided: accounts, hold and transfer follow from
    /// what never changes, whatever state the card turns out to be in. Null where no money can move.
    /// </summary>
    /// <param name="card">As read without a lock.</param>
    public static CardMove? Outline(Card card, AccountId actor, CardActionKind? action)
    {
        ArgumentNullException.ThrowIfNull(card);
        var terms = card.Terms;
        if (action == CardActionKind.Post || CardTransitions.Find(terms.Form, action) is not { } row
            || (row.Money == CardMoney.Refund && card.Tally.Settlement is null))
        {
            return null;
        }

        var amount = terms.Money.Amount.Value;
        return row switch
        {
            { Money: CardMoney.Refund } => new(card, row.Money, amount, terms.Payee, terms.Payer),
            { By: CardParty.Sharer } => new(card, row.Money, amount, actor, terms.Payee),
            { By: CardParty.Claimant } => new(card, row.Money, amount, terms.Payer, actor),
            { Money: CardMoney.Release or CardMoney.Expire } => new(card, row.Money, amount, terms.Payer, CardTerms.Nobody),
            _ => new(card, row.Money, amount, terms.Payer, terms.Payee),
        };
    }

    /// <summary>
    /// Ends a card whose time is up, which of a delayed transfer is its arrival; null where it is not up yet or the card is
    /// closed.
    /// </summary>
    public static CardMove? Expire(Card card, TransferId transfer, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(card);
        return card.IsOpen && now >= card.ExpiresAt
            ? Move(card, CardTransitions.Find(card.Terms.Form, null)!, transfer, now)
            : null;
    }

    /// <summary>
    /// Gives back what a delayed transfer holds whose time is up and which the ledger lets nobody receive: the payee's account is
    /// closed, or the hold is over. Nothing else would ever return it.
    /// </summary>
    public static CardMove GiveBack(Card card, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(card);
        return new CardMove(
            Changed(card, CardState.Expired, now), CardMoney.Release, card.Terms.Money.Amount.Value, card.Terms.Payer,
            CardTerms.Nobody);
    }

    /// <summary>Reminds those of whom a split has no answer; null where it was done or there is nobody.</summary>
    public static CardMove? RemindSharers(Card card, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(card);
        return card is { IsOpen: true, Terms.Kind: CardKind.Split, Tally.RemindedAt: null } && now < card.ExpiresAt
            ? Remind(card, now).Value
            : null;
    }

    private static bool IsParty(CardTerms terms, CardParty party, AccountId actor) => party switch
    {
        CardParty.Payer => actor == terms.Payer,
        CardParty.Payee => actor == terms.Payee,
        CardParty.Sharer => terms.ShareOf(actor) is not null,
        CardParty.Claimant => actor != terms.Payer && (terms.Payee == CardTerms.Nobody || terms.Payee == actor),
        _ => false,
    };

    private static CardMove Move(Card card, CardTransition row, TransferId transfer, DateTimeOffset now)
    {
        var terms = card.Terms;
        var settles = row.Money is CardMoney.Capture or CardMoney.Pay;
        var next = Changed(card, row.To, now) with
        {
            Tally = card.Tally with { Settlement = settles ? transfer : card.Tally.Settlement },
        };
        return new CardMove(
            next, row.Money, terms.Money.Amount.Value, terms.Payer, settles ? terms.Payee : CardTerms.Nobody);
    }

    private static Result<CardMove> Answer(
        Card card, CardTransition row, CardPart? part, CardActionKind action, DateTimeOffset now)
    {
        if (part is null)
        {
            throw new InvalidOperationException("A split was posted without its parts.");
        }

        if (part.State != CardState.Open)
        {
            return new Error(ErrorCode.CardAlreadyDone, "You have answered this already.", With(card));
        }

        var pays = action == CardActionKind.Pay;
        var answered = part with { State = pays ? CardState.Paid : CardState.Declined, At = now };
        var tally = card.Tally with
        {
            Answered = card.Tally.Answered + 1,
            PaidMinor = checked(card.Tally.PaidMinor + (pays ? part.AmountMinor : 0)),
        };
        var state = tally.Answered < card.Terms.Plan!.Shares!.Count ? CardState.Open
            : tally.PaidMinor == card.Terms.Money.Amount.Value ? CardState.Paid
            : CardState.Settled;
        return new CardMove(
            Changed(card, state, now) with { Tally = tally }, row.Money, part.AmountMinor, part.Account, card.Terms.Payee,
            answered);
    }

    private static Result<CardMove> Claim(
        Card card, CardTransition row, CardPart? part, AccountId actor, DateTimeOffset now)
    {
        if (part is not null)
        {
            return new Error(ErrorCode.CardAlreadyDone, "You have taken your share of this already.", With(card));
        }

        var place = card.Tally.Answered;
        var share = card.PacketShares()[place];
        var tally = card.Tally with { Answered = place + 1, PaidMinor = checked(card.Tally.PaidMinor + share) };
        var state = tally.Answered < card.Terms.Plan!.Count ? CardState.Open : CardState.Exhausted;
        return new CardMove(
            Changed(card, state, now) with { Tally = tally }, row.Money, share, card.Terms.Payer, actor,
            new CardPart(actor, place, share, CardState.Paid, now));
    }

    private static Result<CardMove> Draw(Card card, CardTransition row, long? asked, DateTimeOffset now)
    {
        if (asked is not > 0)
        {
            return new Error(ErrorCode.AmountNotPositive, "The amount must be more than zero.", With(card));
        }

        var period = card.Terms.Plan!.Period!.Value;

        // A clock that steps back does not begin a period again.
        var start = MandatePeriods.StartOf(card.CreatedAt, period, now) is var begun && card.Tally.PeriodStart > begun
            ? card.Tally.PeriodStart.Value : begun;
        var drawn = card.Tally.PeriodStart == start ? card.Tally.PeriodMinor : 0;
        var left = card.Terms.Money.Amount.Value - drawn;
        if (asked > left)
        {
            return new Error(
                ErrorCode.MandateExceeded, "This is more than may be drawn in this period.",
                new Dictionary<string, object>(StringComparer.Ordinal)
                {
                    ["card"] = card.ToView(),
                    ["leftMinor"] = left.ToString(System.Globalization.CultureInfo.InvariantCulture),
                    ["periodEndsAt"] = MandatePeriods.EndOf(card.CreatedAt, period, start),
                });
        }

        var tally = card.Tally with
        {
            PaidMinor = checked(card.Tally.PaidMinor + asked.Value),
            PeriodStart = start,
            PeriodMinor = drawn + asked.Value,
        };
        return new CardMove(
            Changed(card, card.State, now) with { Tally = tally }, row.Money, asked.Value, card.Terms.Payer,
            card.Terms.Payee);
    }

    private static Result<CardMove> Refund(Card card, CardTransition row, int version, long? asked)
    {
        if (card.State != row.From)
        {
            return new Error(
                ErrorCode.RefundUnknown, "Only a payment that has arrived can be given back.", With(card));
        }

        if (version != card.Version)
        {
            return Stale(card);
        }

        if (asked is not > 0)
        {
            return new Error(ErrorCode.AmountNotPositive, "The amount must be more than zero.", With(card));
        }

        if (asked > card.Terms.Money.Amount.Value - card.Tally.RefundedMinor)
        {
            return new Error(ErrorCode.RefundExceeded, "This is more than is left of the payment.", With(card));
        }

        var next = card with
        {
            Version = card.Version + 1,
            Tally = card.Tally with { RefundedMinor = card.Tally.RefundedMinor + asked.Value },
        };
        return new CardMove(next, row.Money, asked.Value, card.Terms.Payee, card.Terms.Payer);
    }

    private static Result<CardMove> Remind(Card card, DateTimeOffset now) => card.Tally.RemindedAt is null
        ? new CardMove(
            Changed(card, card.State, now) with { Tally = card.Tally with { RemindedAt = now } }, CardMoney.None, 0,
            card.Terms.Payer, CardTerms.Nobody)
        : new Error(ErrorCode.CardAlreadyDone, "A reminder was sent already.", With(card));

    private static Card Changed(Card card, CardState state, DateTimeOffset now) => card with
    {
        State = state,
        Version = card.Version + 1,
        ClosedAt = CardTransitions.IsOpen(state) ? null : now,
    };

    private static Error Stale(Card card) =>
        new(ErrorCode.CardVersionStale, "The card has changed. Look at it again.", With(card));

    private static Dictionary<string, object> With(Card card) =>
        new(StringComparer.Ordinal) { ["card"] = card.ToView() };
}
