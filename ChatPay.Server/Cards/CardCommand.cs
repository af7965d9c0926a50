using System.Text.Json;
using ChatPay.Core.Cards;
using ChatPay.Core.Conversations;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Conversations;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;
using ChatPay.Server.Ledger;

namespace ChatPay.Server.Cards;

/// <summary>
/// What posting and acting have in common: the outcome kept under the idempotency key comes first, and card, money, log
/// event and outcome change together or not at all.
/// </summary>
/// <param name="signed">What the actor's device signed, where the action takes the actor's money.</param>
internal abstract class CardCommand(
    Caller caller, CardActRequest request, PayloadHash payload, Result<SignedDebit>? signed)
    : WriteCommand<CardActReply>
{
    private static readonly JsonSerializerOptions Json = ProtocolJson.Create();

    protected Caller Caller { get; } = caller;

    protected CardActRequest Request { get; } = request;

    /// <summary>One per actor and key: a retry of the action is a retry of its transfer.</summary>
    protected TransferId Transfer { get; } = TransferId.OfCardAction(caller.Account, request.IdempotencyKey);

    public override void Declare(WriteSet set)
    {
        set.Rows<CardActionRows>().Need(Caller.Account, Request.IdempotencyKey);
        set.Rows<CardRows>().Need(Request.Card);
        if (signed is not null)
        {
            DebitCheck.Declare(set, Caller);
        }
    }

    protected sealed override Result<CardActReply> DecideOutcome(WriteSet set) =>
        set.Rows<CardActionRows>().Find(Caller.Account, Request.IdempotencyKey) is { } stored
            ? Replay(stored)
            : DecideAnew(set);

    protected abstract Result<CardActReply> DecideAnew(WriteSet set);

    /// <summary>Keeps a rejection under its key, for good: whoever wants to try again uses a new key.</summary>
    protected Error Reject(WriteSet set, Error error)
    {
        Keep(set, (int)error.Code, JsonSerializer.Serialize(ErrorBody.From(error), Json));
        return error;
    }

    /// <summary>
    /// Whether the actor's device let the move happen; null where it did, and where nobody's word is needed. A refusal is not
    /// kept: nothing was decided about the card, and the key serves again.
    /// </summary>
    protected Error? CheckAuthorisation(WriteSet set, CardMove move) =>
        !move.Debits ? null : DebitCheck.Judge(set, signed ?? DebitRules.Missing());

    /// <summary>Lets the ledger have the last word; null where it agrees.</summary>
    protected Error? Settle(WriteSet set, CardMove move)
    {
        if (move.ToLedgerCommand(Transfer, Caller.Account) is not { } command)
        {
            return null;
        }

        // A wallet that is missing, of an asset configured since, is opened on the way.
        var ledger = set.Rows<LedgerRows>();
        ledger.Open(LedgerOwner.Of(move.Card.Terms.Payer), command.Asset);
        if (command.Credit is not null)
        {
            ledger.Open(LedgerOwner.Of(move.Card.Terms.Payee), command.Asset);
        }

        var outcome = ledger.Decide(command);
        if (outcome.IsApplied && move.Debits)
        {
            set.Rows<CardAuthorisationRows>().Keep(Transfer, signed!.Value.Value);
        }

        return outcome.IsApplied ? null : outcome.ToError();
    }

    /// <summary>Appends the event that tells the conversation, and keeps the reply under its key.</summary>
    protected CardActReply Finish(WriteSet set, Card card, NewEvent told)
    {
        var logged = set.Rows<ConversationRows>().Append(card.Terms.Conversation, told);
        var reply = new CardActReply(card.ToView(), logged.Seq, logged.At);
        Keep(set, 0, JsonSerializer.Serialize(reply, Json));
        return reply;
    }

    private void Keep(WriteSet set, int status, string reply) => set.Rows<CardActionRows>().Keep(
        Caller.Account, Request.IdempotencyKey, new StoredAction(Request.Card, payload, status, reply));

    private Result<CardActReply> Replay(StoredAction stored)
    {
        if (stored.Payload != payload)
        {
            return new LedgerOutcome(LedgerStatus.IdempotencyConflict).ToError();
        }

        if (stored.Status == 0)
        {
            return JsonSerializer.Deserialize<CardActReply>(stored.Reply, Json)!;
        }

        var error = JsonSerializer.Deserialize<ErrorBody>(stored.Reply, Json)!;
        return new Error((ErrorCode)error.Code, error.Message, error.Details);
    }
}

/// <summary>Creates a card.</summary>
internal sealed class PostCardCommand(
    Caller caller, CardActRequest request, PayloadHash payload, CardTerms terms, int openMax,
    Result<SignedDebit>? signed)
    : CardCommand(caller, request, payload, signed)
{
    private readonly CardPost _post = request.Post!;

    public override void Declare(WriteSet set)
    {
        base.Declare(set);
        set.Rows<CardRows>().NeedOpenCount(Caller.Account);
        var conversations = set.Rows<ConversationRows>();
        conversations.NeedMember(terms.Conversation, terms.Author);
        conversations.NeedMember(terms.Conversation, terms.Other);
        conversations.NeedDuplicateCheck(terms.Conversation, Caller.Device, _post.ClientId);
        if (terms.Kind == CardKind.Transfer)
        {
            var ledger = set.Rows<LedgerRows>();
            ledger.NeedAccount(terms.PayerAccount);
            ledger.NeedTransfer(Transfer);
        }
    }

    protected override Result<CardActReply> DecideAnew(WriteSet set)
    {
        var cards = set.Rows<CardRows>();
        if (Refusal(set.Rows<ConversationRows>(), cards) is { } refusal)
        {
            // Nothing was decided about money, so the key is not used up: encrypt again, and post with it again.
            return refusal;
        }

        var posted = CardRules.Post(terms, _post.DetailCommit, cards.Find(terms.Card), Transfer, set.Now);
        if (posted.Error is { } error)
        {
            return error;
        }

        if (CheckAuthorisation(set, posted.Value) is { } unauthorised)
        {
            return unauthorised;
        }

        if (Settle(set, posted.Value) is { } rejection)
        {
            return Reject(set, rejection);
        }

        var card = posted.Value.Card;
        cards.Create(card);
        return Finish(set, card, new NewEvent(
            EventKind.Card, Caller.Account, Caller.Device, _post.ClientId, _post.Body, card.ToView()));
    }

    private Error? Refusal(ConversationRows conversations, CardRows cards)
    {
        var conversation = conversations.Find(terms.Conversation);
        if (SendRules.CheckMember(conversation, Caller.Account) is { } foreign)
        {
            return foreign;
        }

        if (!conversation!.IsMember(terms.Other))
        {
            return new Error(ErrorCode.CardPartyNotMember, "The other side is not a member of this conversation.");
        }

        if (conversations.FindDuplicate(terms.Conversation, Caller.Device, _post.ClientId) is not null)
        {
            return ConversationErrors.ClientIdReused();
        }

        if (SendRules.CheckBody(conversation, _post.Epoch, _post.Body, out var header) is { } malformed)
        {
            return malformed;
        }

        if (!CardBody.Binds(header!, _post.ClientId, terms.Card, _post.DetailCommit))
        {
            return new Error(
                ErrorCode.DetailCommitMismatch, "The message is not bound to this card, or to other details.");
        }

        return cards.OpenCount(Caller.Account) < openMax
            ? null
            : new Error(
                ErrorCode.TooManyOpenCards, "Too many of your cards are still open. Close some of them first.",
                new Dictionary<string, object>(StringComparer.Ordinal) { ["maxOpen"] = openMax });
    }
}

/// <summary>Accepts, declines, cancels or pays a card.</summary>
/// <param name="known">The card as read without a lock: only its terms and hold, which never change, are used.</param>
internal sealed class ActOnCardCommand(
    Caller caller, CardActRequest request, PayloadHash payload, Card? known, Result<SignedDebit>? signed)
    : CardCommand(caller, request, payload, signed)
{
    public override void Declare(WriteSet set)
    {
        base.Declare(set);
        if (known is null)
        {
            return;
        }

        set.Rows<ConversationRows>().NeedMember(known.Terms.Conversation, Caller.Account);
        var money = CardTransitions.Find(known.Terms.Kind, Request.Action)?.Money ?? CardMoney.None;
        if (new CardMove(known, money).ToLedgerCommand(Transfer, Caller.Account) is { } command)
        {
            // Accounts, hold and transfer follow from the terms, whatever state the card turns out to be in.
            set.Rows<LedgerRows>().Need(command);
        }
    }

    protected override Result<CardActReply> DecideAnew(WriteSet set)
    {
        var cards = set.Rows<CardRows>();
        if (known is null || cards.Find(Request.Card) is not { } card)
        {
            return CardErrors.Unknown();
        }

        var conversation = set.Rows<ConversationRows>().Find(card.Terms.Conversation);
        if (SendRules.CheckMember(conversation, Caller.Account) is { } foreign)
        {
            return foreign.Code == ErrorCode.ConversationUnknown ? CardErrors.Unknown() : foreign;
        }

        var acted = CardRules.Act(card, Caller.Account, Request.Action, Request.Version, set.Now);
        if (acted.Error is { } error)
        {
            return Reject(set, error);
        }

        if (CheckAuthorisation(set, acted.Value) is { } unauthorised)
        {
            return unauthorised;
        }

        if (Settle(set, acted.Value) is { } rejection)
        {
            return Reject(set, rejection);
        }

        cards.Change(acted.Value.Card);
        return Finish(set, acted.Value.Card, new NewEvent(
            EventKind.CardChanged, Caller.Account, Caller.Device, Card: acted.Value.Card.ToView()));
    }
}
