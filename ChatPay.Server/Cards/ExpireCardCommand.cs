using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Conversations;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Ledger;

namespace ChatPay.Server.Cards;

/// <summary>
/// Ends a card whose time is up: what it holds returns, or, of a delayed transfer, arrives. Any number of nodes may try: whoever
/// comes second finds the card closed and does nothing.
/// </summary>
/// <param name="known">The card as read without a lock.</param>
/// <returns>Whether this command was the one that closed it.</returns>
internal sealed class ExpireCardCommand(Card known) : WriteCommand<bool>
{
    private readonly TransferId _transfer = TransferId.OfCardExpiry(known.Terms.Card);

    public override Guid? Place => known.Terms.Conversation.Value;

    public override void Declare(WriteSet set)
    {
        set.Rows<CardRows>().Need(known.Terms.Card);
        set.Rows<ConversationRows>().Need(known.Terms.Conversation);
        if (CardRules.Outline(known, CardTerms.Nobody, null)?.ToLedgerCommand(_transfer, null) is { } command)
        {
            set.Rows<LedgerRows>().Need(command);
        }
    }

    protected override Result<bool> DecideOutcome(WriteSet set)
    {
        var cards = set.Rows<CardRows>();
        if (cards.Find(known.Terms.Card) is not { } card || CardRules.Expire(card, _transfer, set.Now) is not { } move)
        {
            return false;
        }

        if (move.ToLedgerCommand(_transfer, null) is { } command)
        {
            var ledger = set.Rows<LedgerRows>();
            if (command.Credit is not null)
            {
                ledger.Open(LedgerOwner.Of(move.To), command.Asset);
            }

            // A card has one expiry, so a rejection would keep its money for good: it is left alone and tried again.
            var outcome = ledger.Foresee(command);
            if (move.Money == CardMoney.Capture && !MayArriveYet(card, outcome.Status, set.Now))
            {
                move = CardRules.GiveBack(card, set.Now);
                command = move.ToLedgerCommand(_transfer, null)!;
                outcome = ledger.Foresee(command);
            }

            if (outcome.Status == LedgerStatus.HoldNotExpired)
            {
                // The clock stepped back before the card was posted: its hold began where its account's time had been.
                return false;
            }

            if (move.Money == CardMoney.Capture && outcome.Status == LedgerStatus.AccountFrozen)
            {
                // It arrives once the payer is thawed; that it waits is no trouble of the operator's.
                return false;
            }

            if (!outcome.IsApplied)
            {
                return outcome.ToError();
            }

            ledger.Decide(command);
        }

        cards.Change(move);
        set.Rows<ConversationRows>().Append(
            card.Terms.Conversation, new NewEvent(EventKind.CardChanged, null, Card: move.View));
        return true;
    }

    /// <summary>A frozen payer's transfer waits to be thawed, as long as its hold lasts.</summary>
    private static bool MayArriveYet(Card card, LedgerStatus status, DateTimeOffset now) => status == LedgerStatus.Applied
        || (status == LedgerStatus.AccountFrozen && now < card.ExpiresAt.AddSeconds(CardMove.SettlingSlackSeconds));
}
