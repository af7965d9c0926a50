using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Conversations;
using ChatPay.Server.Database.GroupCommit;

namespace ChatPay.Server.Cards;

/// <summary>Reminds those who have not answered a split for a day; whoever comes second does nothing.</summary>
/// <returns>Whether this command was the one that did.</returns>
internal sealed class RemindCardCommand(Card known) : WriteCommand<bool>
{
    public override Guid? Place => known.Terms.Conversation.Value;

    public override void Declare(WriteSet set)
    {
        set.Rows<CardRows>().Need(known.Terms.Card);
        set.Rows<ConversationRows>().Need(known.Terms.Conversation);
    }

    protected override Result<bool> DecideOutcome(WriteSet set)
    {
        var cards = set.Rows<CardRows>();
        if (cards.Find(known.Terms.Card) is not { } card || CardRules.RemindSharers(card, set.Now) is not { } move)
        {
            return false;
        }

        cards.Change(move);
        set.Rows<ConversationRows>().Append(
            card.Terms.Conversation, new NewEvent(EventKind.CardChanged, null, Card: move.View));
        return true;
    }
}
