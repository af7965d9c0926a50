using System.Text.Json;
using ChatPay.Core.Cards;
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
        if (signed is not null)
        {
            DebitCheck.Declare(set, Caller);
        }
    }

    /// <summary>Locks the card, and loads what is kept under the key.</summary>
    protected void NeedCard(WriteSet set)
    {
        set.Rows<CardRows>().Need(Request.Card);
        set.Rows<CardActionRows>().Need(Caller.Account, Request.IdempotencyKey);
    }

    /// <summary>Of the key alone: loads what is kept under it, where the card is locked; else it is expected to be new.</summary>
    protected void NeedKey(WriteSet set)
    {
        var actions = set.Rows<CardActionRows>();
        if (set.Rows<CardRows>().IsLocked(Request.Card))
        {
            actions.Need(Caller.Account, Request.IdempotencyKey);
        }
        else
        {
            actions.NeedNew(Caller.Account, Request.IdempotencyKey);
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
        Keep(set, (int)error.Code, JsonSerializer.SerializeToUtf8Bytes(ErrorBody.From(error), Json));
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
            KeepAuthorisation(set, move);
            return null;
        }

        // A wallet that is missing, of an asset configured since, is opened on the way.
        var ledger = set.Rows<LedgerRows>();
        ledger.Open(LedgerOwner.Of(move.From), command.Asset);
        if (command.Credit is not null)
        {
            ledger.Open(LedgerOwner.Of(move.To), command.Asset);
        }

        var outcome = ledger.Decide(command);
        if (!outcome.IsApplied)
        {
            return outcome.ToError();
        }

        KeepAuthorisation(set, move);
        return null;
    }

    /// <summary>Appends the event that tells the conversation, and keeps the reply under its key.</summary>
    protected CardActReply Finish(WriteSet set, CardMove move, NewEvent told) =>
        Finish(move, set.Rows<ConversationRows>().Append(move.Card.Terms.Conversation, told), set);

    /// <summary>Keeps the reply under its key.</summary>
    /// <param name="logged">What tells the conversation.</param>
    protected CardActReply Finish(CardMove move, Event logged, WriteSet set)
    {
        var reply = new CardActReply(move.View, logged.Seq, logged.At);
        Keep(set, 0, JsonSerializer.SerializeToUtf8Bytes(reply, Json));
        return reply;
    }

    private void KeepAuthorisation(WriteSet set, CardMove move)
    {
        if (move.Debits)
        {
            set.Rows<CardAuthorisationRows>().Keep(Transfer, signed!.Value.Value);
        }
    }

    private void Keep(WriteSet set, int status, byte[] reply) => set.Rows<CardActionRows>().Keep(
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
