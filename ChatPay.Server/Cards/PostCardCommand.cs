using ChatPay.Core.Cards;
using ChatPay.Core.Conversations;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Conversations;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;
using ChatPay.Server.Ledger;

namespace ChatPay.Server.Cards;

/// <summary>Creates a card.</summary>
/// <param name="seed">Of a random packet, 32 bytes; else null.</param>
internal sealed class PostCardCommand(
    Caller caller, CardActRequest request, PayloadHash payload, CardTerms terms, byte[]? seed, CardOptions limits,
    Result<SignedDebit>? signed)
    : CardCommand(caller, request, payload, signed), IAppendingCommand
{
    private readonly CardPost _post = request.Post!;

    /// <summary>Whom it asks for money.</summary>
    private readonly int _asked = terms.Kind switch
    {
        CardKind.Request => 1,
        CardKind.Split => terms.Plan!.Shares!.Count,
        _ => 0,
    };

    public override Guid? Place => terms.Conversation.Value;

    public ConversationId Conversation => terms.Conversation;

    public IReadOnlyList<AccountId> Places { get; } = [terms.Author, .. terms.Others];

    public MessageKey? Message => new(terms.Conversation, Caller.Device, _post.ClientId);

    public override void Declare(WriteSet set)
    {
        base.Declare(set);
        set.Rows<CardRows>().NeedAbsent(terms.Card);
        NeedKey(set);
        set.Rows<CardRows>().NeedOpenCount(Caller.Account);
        if (_asked > 0)
        {
            set.Rows<RequestAllowanceRows>().Need(Caller.Account);
        }

        set.Rows<ConversationRows>().NeedForAppending(this);
        var row = CardTransitions.Find(terms.Form, CardActionKind.Post)!;
        if (row.Money is CardMoney.Hold or CardMoney.Pay)
        {
            var ledger = set.Rows<LedgerRows>();
            ledger.NeedAccount(terms.PayerAccount);
            ledger.NeedTransfer(Transfer);
            if (row.Money == CardMoney.Pay)
            {
                ledger.NeedAccount(terms.PayeeAccount);
            }
        }
    }

    public bool IsInOrder(ConversationState conversation) => Refusal(conversation, isDuplicate: false) is null;

    public void NeedLocked(WriteSet set)
    {
        NeedCard(set);
        var conversations = set.Rows<ConversationRows>();
        foreach (var account in Places)
        {
            conversations.NeedMember(terms.Conversation, account);
        }

        conversations.NeedDuplicateCheck(terms.Conversation, Caller.Device, _post.ClientId);
    }

    protected override Result<CardActReply> DecideAnew(WriteSet set)
    {
        var cards = set.Rows<CardRows>();
        if ((Refusal(set.Rows<ConversationRows>(), cards) ?? CheckAllowance(set)) is { } refusal)
        {
            // Nothing was decided about money, so the key is not used up: encrypt again, and post with it again.
            return refusal;
        }

        var posted = CardRules.Post(terms, _post.DetailCommit, cards.Find(terms.Card), Transfer, seed, set.Now);
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

        cards.Create(posted.Value.Card);
        if (_asked > 0)
        {
            set.Rows<RequestAllowanceRows>().Spend(Caller.Account, _asked, set.Now, limits);
        }

        return Finish(set, posted.Value, new NewEvent(
            EventKind.Card, Caller.Account, Caller.Device, _post.ClientId, _post.Body, posted.Value.View));
    }

    private Error? CheckAllowance(WriteSet set) => _asked > 0
        ? set.Rows<RequestAllowanceRows>().Check(Caller.Account, _asked, set.Now, limits) : null;

    private Error? Refusal(ConversationRows conversations, CardRows cards)
    {
        if (!conversations.IsTrusted(terms.Conversation)
            && Refusal(
                conversations.Find(terms.Conversation),
                conversations.FindDuplicate(terms.Conversation, Caller.Device, _post.ClientId) is not null) is { } refusal)
        {
            return refusal;
        }

        var stays = CardTransitions.IsOpen(CardTransitions.Find(terms.Form, CardActionKind.Post)!.To);
        return !stays || cards.OpenCount(Caller.Account) < limits.OpenPerAuthor
            ? null
            : new Error(
                ErrorCode.TooManyOpenCards, "Too many of your cards are still open. Close some of them first.",
                new Dictionary<string, object>(StringComparer.Ordinal) { ["maxOpen"] = limits.OpenPerAuthor });
    }

    /// <summary>Why it may not be posted in a conversation as it stands; null where it may.</summary>
    private Error? Refusal(ConversationState? conversation, bool isDuplicate)
    {
        if (SendRules.CheckMember(conversation, Caller.Account) is { } foreign)
        {
            return foreign;
        }

        if (!terms.Others.All(conversation!.IsMember))
        {
            return new Error(ErrorCode.CardPartyNotMember, "Somebody whom the card names is not a member of this conversation.");
        }

        if (isDuplicate)
        {
            return ConversationErrors.ClientIdReused();
        }

        if (SendRules.CheckBody(conversation, _post.Epoch, _post.Body, out var header) is { } malformed)
        {
            return malformed;
        }

        return CardBody.Binds(header!, _post.ClientId, terms.Card, _post.DetailCommit)
            ? null
            : new Error(ErrorCode.DetailCommitMismatch, "The message is not bound to this card, or to other details.");
    }
}
