using ChatPay.Core.Cards;
using ChatPay.Core.Conversations;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Conversations;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;
using ChatPay.Server.Ledger;

namespace ChatPay.Server.Cards;

/// <summary>What a member does with a card: accepts, declines, cancels, pays, claims, gives back, draws, reminds.</summary>
/// <param name="known">
/// The card as remembered, or read without a lock. A transfer or a request is decided on it, where it has the version that is
/// acted on; of others only what never changes once it is there is used of it.
/// </param>
internal sealed class ActOnCardCommand(
    Caller caller, CardActRequest request, PayloadHash payload, Card? known, Result<SignedDebit>? signed)
    : CardCommand(caller, request, payload, signed), IAppendingCommand
{
    public override Guid? Place => known?.Terms.Conversation.Value ?? Request.Card.Value;

    public ConversationId Conversation => known?.Terms.Conversation ?? default;

    public IReadOnlyList<AccountId> Places { get; } = [caller.Account];

    public MessageKey? Message => null;

    public override void Declare(WriteSet set)
    {
        base.Declare(set);
        var cards = set.Rows<CardRows>();
        if (known is null)
        {
            NeedCard(set);
            return;
        }

        if (known.Terms.Kind is CardKind.Transfer or CardKind.Request && known.Version == Request.Version)
        {
            cards.NeedRemembered(known);
            NeedKey(set);
            set.Rows<ConversationRows>().NeedForAppending(this);
        }
        else
        {
            NeedLocked(set);
        }

        if (CardTransitions.Find(known.Terms.Form, Request.Action) is { By: CardParty.Sharer or CardParty.Claimant })
        {
            cards.NeedPart(Request.Card, Caller.Account);
        }

        if (known.Terms.Kind == CardKind.Mandate)
        {
            set.Rows<ConversationRows>().NeedMember(Conversation, known.Terms.Payer);
            set.Rows<DrawRefusalRows>().Need(Request.Card);
        }

        if (CardRules.Outline(known, Caller.Account, Request.Action)?.ToLedgerCommand(Transfer, Caller.Account) is { } command)
        {
            set.Rows<LedgerRows>().Need(command);
        }
    }

    public bool IsInOrder(ConversationState conversation) => conversation.IsMember(Caller.Account);

    public void NeedLocked(WriteSet set)
    {
        NeedCard(set);
        set.Rows<ConversationRows>().NeedMember(Conversation, Caller.Account);
    }

    protected override Result<CardActReply> DecideAnew(WriteSet set)
    {
        var cards = set.Rows<CardRows>();
        if (known is null || cards.Find(Request.Card) is not { } card)
        {
            return CardErrors.Unknown();
        }

        if (!cards.IsStill(known, card))
        {
            // It is remembered from another database than this one, so what is needed of this one was not loaded.
            return HasChanged();
        }

        if (CheckPlace(set.Rows<ConversationRows>().Find(card.Terms.Conversation), card) is { } foreign)
        {
            return foreign;
        }

        var row = CardTransitions.Find(card.Terms.Form, Request.Action);
        var part = row is { By: CardParty.Sharer or CardParty.Claimant }
            ? cards.FindPart(Request.Card, Caller.Account) : null;
        var acted = CardRules.Act(
            card, part, Caller.Account, Request.Action, Request.Version, Request.AmountMinor, Transfer, set.Now);
        if (acted.Error is { } error)
        {
            return Reject(set, error);
        }

        if (row is { Money: CardMoney.Refund } && known.Tally.Settlement is null)
        {
            // It was settled between being read and being locked, so its money was not loaded: once more.
            return HasChanged();
        }

        if (CheckAuthorisation(set, acted.Value) is { } unauthorised)
        {
            return unauthorised;
        }

        var isDraw = Request.Action == CardActionKind.Draw;
        if (isDraw && set.Rows<DrawRefusalRows>().Check(Request.Card, set.Now) is { } early)
        {
            return early;
        }

        if (Settle(set, acted.Value) is { } rejection)
        {
            if (isDraw && rejection.Code == ErrorCode.InsufficientFunds)
            {
                set.Rows<DrawRefusalRows>().Refused(Request.Card, set.Now);
            }

            return Reject(set, rejection);
        }

        cards.Change(acted.Value);
        return Told(set, acted.Value);
    }

    private static Error HasChanged() => new(ErrorCode.Overloaded, "The card has just changed. Try again.");

    /// <summary>
    /// Who acts is in the conversation, but for an author who takes back: they may have left it, or been put out so that they
    /// cannot. What is drawn is drawn of somebody who sees it.
    /// </summary>
    private Error? CheckPlace(ConversationState? conversation, Card card)
    {
        var foreign = SendRules.CheckMember(conversation, Caller.Account);
        if (foreign is { Code: ErrorCode.ConversationUnknown })
        {
            return CardErrors.Unknown();
        }

        if (foreign is not null && (Request.Action != CardActionKind.Cancel || card.Terms.Author != Caller.Account))
        {
            return foreign;
        }

        return card.Terms.Kind == CardKind.Mandate && Request.Action == CardActionKind.Draw
            && !conversation!.IsMember(card.Terms.Payer)
            ? new Error(ErrorCode.CardPartyNotMember, "Whose money it is has left this conversation.") : null;
    }

    /// <summary>
    /// One event each, but for the shares of a packet that one batch gives out: ten thousand people may want a thousand of them,
    /// and telling all of each would be ten million pushes.
    /// </summary>
    private CardActReply Told(WriteSet set, CardMove move) => move.Card.Terms.Kind == CardKind.Packet
        ? Finish(move, set.Rows<PacketClaimRows>().Tell(set, Caller, move), set)
        : Finish(set, move, new NewEvent(EventKind.CardChanged, Caller.Account, Caller.Device, Card: move.View));
}
