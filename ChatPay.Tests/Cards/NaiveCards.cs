using ChatPay.Core.Protocol;
using ChatPay.Tests.Ledger;

namespace ChatPay.Tests.Cards;

/// <summary>Somebody's attempt at something.</summary>
internal sealed record CardAct(WalletHolder Actor, CardActRequest Request)
{
    public AccountId Who => Actor.Account;

    public bool IsSigned => Request.Authorisation is not null;
}

/// <summary>
/// A card of the naive model. Everything is said again here, kind by kind, and nothing of the server's rules is used.
/// </summary>
internal sealed class NaiveCard(CardId id, CardPost post, AccountId author, DateTimeOffset at)
{
    public CardId Id => id;

    public CardPost Post => post;

    public AccountId Author => author;

    public DateTimeOffset ExpiresAt { get; } = at.AddSeconds(post.LifetimeSeconds);

    public DateTimeOffset CreatedAt => at;

    public CardState State { get; set; } = post switch
    {
        { Kind: CardKind.Transfer, Plan.Delivery: CardDelivery.AtOnce } => CardState.Accepted,
        { Kind: CardKind.Transfer } => CardState.Held,
        { Kind: CardKind.Mandate } => CardState.Active,
        _ => CardState.Open,
    };

    public int Version { get; set; } = 1;

    public long RefundedMinor { get; set; }

    public long PaidMinor { get; set; }

    public bool IsReminded { get; set; }

    /// <summary>When a mandate was last drawn on for more than there was.</summary>
    public DateTimeOffset InVain { get; set; }

    public int Period { get; set; } = -1;

    public long PeriodMinor { get; set; }

    public Dictionary<AccountId, (CardState State, long AmountMinor)> Answers { get; } = [];

    public bool IsOpen => State is CardState.Held or CardState.Open or CardState.Active;

    /// <summary>What is set aside for it now.</summary>
    public long HeldMinor => !IsOpen ? 0
        : post.Kind switch { CardKind.Transfer => post.AmountMinor, CardKind.Packet => post.AmountMinor - PaidMinor, _ => 0 };

    /// <summary>Counted one after the other from the day on which it was given.</summary>
    public int PeriodAt(DateTimeOffset now)
    {
        var count = 0;
        while (StartOf(count + 1) <= now)
        {
            count++;
        }

        return count;

        DateTimeOffset StartOf(int number) => post.Plan!.Period switch
        {
            MandatePeriod.Day => at.AddDays(number),
            MandatePeriod.Week => at.AddDays(7 * number),
            _ => at.AddMonths(number),
        };
    }
}

/// <summary>What cards and money should come to, one act after the other, in the plainest way that says it.</summary>
internal sealed class NaiveCards
{
    private readonly Dictionary<CardId, NaiveCard> _cards = [];

    public IReadOnlyDictionary<CardId, NaiveCard> Cards => _cards;

    public Dictionary<AccountId, long> Balances { get; } = [];

    public long HeldOf(AccountId who) => _cards.Values.Where(card => card.Post.Payer == who).Sum(card => card.HeldMinor);

    /// <summary>The error that an act should get at this moment; null where it should be done.</summary>
    public ErrorCode? Predict(CardAct act, DateTimeOffset now) =>
        act.Request.Post is { } post ? PredictPost(act, post) : PredictAct(act, _cards[act.Request.Card], now);

    /// <summary>Does what was done.</summary>
    /// <param name="told">The card as it was answered: of a packet the share that chance gave.</param>
    public void Do(CardAct act, CardView told, DateTimeOffset at)
    {
        var request = act.Request;
        if (request.Post is { } post)
        {
            _cards.Add(request.Card, new NaiveCard(request.Card, post, act.Who, at));
            if (post.Plan?.Delivery == CardDelivery.AtOnce)
            {
                Move(post.Payer, post.Payee, post.AmountMinor);
            }

            return;
        }

        var card = _cards[request.Card];
        card.Version++;
        switch (request.Action)
        {
            case CardActionKind.Accept:
                Move(card.Post.Payer, card.Post.Payee, card.Post.AmountMinor);
                card.State = CardState.Accepted;
                break;
            case CardActionKind.Pay when card.Post.Kind == CardKind.Request:
                Move(card.Post.Payer, card.Post.Payee, card.Post.AmountMinor);
                card.State = CardState.Paid;
                break;
            case CardActionKind.Pay:
                Answer(card, act.Who, CardState.Paid);
                Move(act.Who, card.Author, ShareOf(card, act.Who));
                break;
            case CardActionKind.Decline when card.Post.Kind == CardKind.Split:
                Answer(card, act.Who, CardState.Declined);
                break;
            case CardActionKind.Decline:
                card.State = CardState.Declined;
                break;
            case CardActionKind.Cancel:
                card.State = CardState.Cancelled;
                break;
            case CardActionKind.Claim:
                var share = told.Progress!.Parts!.Single(part => part.Account == act.Who);
                card.Answers.Add(act.Who, (CardState.Paid, share.AmountMinor));
                card.PaidMinor += share.AmountMinor;
                card.State = card.Answers.Count == card.Post.Plan!.Count ? CardState.Exhausted : CardState.Open;
                Move(card.Author, act.Who, share.AmountMinor);
                break;
            case CardActionKind.Refund:
                card.RefundedMinor += request.AmountMinor!.Value;
                Move(card.Post.Payee, card.Post.Payer, request.AmountMinor.Value);
                break;
            case CardActionKind.Draw:
                card.PeriodMinor = (card.Period == card.PeriodAt(at) ? card.PeriodMinor : 0) + request.AmountMinor!.Value;
                card.Period = card.PeriodAt(at);
                card.PaidMinor += request.AmountMinor.Value;
                Move(card.Post.Payer, card.Post.Payee, request.AmountMinor.Value);
                break;
            case CardActionKind.Remind:
                card.IsReminded = true;
                break;
            default:
                throw new InvalidOperationException($"Nothing does {request.Action}.");
        }
    }

    /// <summary>What time did; false where it had no business to.</summary>
    public bool TryPass(CardId id, bool isReminder, DateTimeOffset at)
    {
        var card = _cards[id];
        card.Version++;
        if (isReminder)
        {
            var due = card is { IsOpen: true, IsReminded: false, Post.Kind: CardKind.Split }
                && at >= card.CreatedAt.AddDays(1) && at < card.ExpiresAt;
            card.IsReminded = true;
            return due;
        }

        if (!card.IsOpen || at < card.ExpiresAt)
        {
            return false;
        }

        // A month after it was due its hold is over, and what did not arrive returns.
        if (card.Post.Plan?.Delivery == CardDelivery.Delayed && at < card.ExpiresAt.AddDays(30))
        {
            Move(card.Post.Payer, card.Post.Payee, card.Post.AmountMinor);
            card.State = CardState.Accepted;
        }
        else
        {
            card.State = CardState.Expired;
        }

        return true;
    }

    private static long ShareOf(NaiveCard card, AccountId who) =>
        card.Post.Plan!.Shares!.Single(share => share.Account == who).AmountMinor;

    private static void Answer(NaiveCard card, AccountId who, CardState how)
    {
        card.Answers.Add(who, (how, ShareOf(card, who)));
        card.PaidMinor += how == CardState.Paid ? ShareOf(card, who) : 0;
        if (card.Answers.Count == card.Post.Plan!.Shares!.Count)
        {
            card.State = card.Answers.Values.All(answer => answer.State == CardState.Paid) ? CardState.Paid : CardState.Settled;
        }
    }

    private static bool HasAction(NaiveCard card, CardActionKind action) => (card.Post.Kind, action) switch
    {
        (CardKind.Transfer, CardActionKind.Accept) => card.Post.Plan is null,
        (CardKind.Transfer, CardActionKind.Decline or CardActionKind.Cancel) =>
            card.Post.Plan?.Delivery != CardDelivery.AtOnce,
        (CardKind.Transfer or CardKind.Request, CardActionKind.Refund) => true,
        (
            CardKind.Request,
            CardActionKind.Pay or CardActionKind.Decline or CardActionKind.Cancel or CardActionKind.Remind) => true,
        (CardKind.Split, CardActionKind.Pay or CardActionKind.Decline or CardActionKind.Cancel) => true,
        (CardKind.Packet, CardActionKind.Claim) => true,
        (CardKind.Mandate, CardActionKind.Draw or CardActionKind.Cancel or CardActionKind.Decline) => true,
        _ => false,
    };

    /// <summary>Whom it does not concern is not even told what kind of answer it takes.</summary>
    private static bool IsAbout(NaiveCard card, AccountId who) => card.Post switch
    {
        { Kind: CardKind.Split } => true,
        { Kind: CardKind.Packet } when card.Post.Payee == default => true,
        _ => who == card.Post.Payer || who == card.Post.Payee,
    };

    private static bool IsFor(NaiveCard card, CardActionKind action, AccountId who) => (card.Post.Kind, action) switch
    {
        (CardKind.Split, CardActionKind.Pay or CardActionKind.Decline) =>
            card.Post.Plan!.Shares!.Any(share => share.Account == who),
        (CardKind.Packet, _) => who != card.Author && (card.Post.Payee == default || card.Post.Payee == who),
        (CardKind.Transfer or CardKind.Request, CardActionKind.Refund) => who == card.Post.Payee,
        (CardKind.Mandate, CardActionKind.Draw) => who == card.Post.Payee,
        (_, CardActionKind.Cancel or CardActionKind.Remind) => who == card.Author,
        _ => who != card.Author && (who == card.Post.Payer || who == card.Post.Payee),
    };

    private ErrorCode? PredictPost(CardAct act, CardPost post) => post switch
    {
        { Kind: CardKind.Request or CardKind.Split } => null,
        _ when !act.IsSigned => ErrorCode.AuthorisationMissing,
        { Kind: CardKind.Mandate } => null,
        _ => Affords(post.Payer, post.AmountMinor),
    };

    private ErrorCode? PredictAct(CardAct act, NaiveCard card, DateTimeOffset now)
    {
        var (request, who) = (act.Request, act.Who);
        if (!IsAbout(card, who))
        {
            return ErrorCode.CardNotYours;
        }

        if (!HasAction(card, request.Action))
        {
            return ErrorCode.CardActionUnknown;
        }

        if (!IsFor(card, request.Action, who))
        {
            return ErrorCode.CardNotYours;
        }

        if (request.Action == CardActionKind.Refund)
        {
            return card.State is not (CardState.Accepted or CardState.Paid) ? ErrorCode.RefundUnknown
                : request.Version != card.Version ? ErrorCode.CardVersionStale
                : request.AmountMinor <= 0 ? ErrorCode.AmountNotPositive
                : request.AmountMinor > card.Post.AmountMinor - card.RefundedMinor ? ErrorCode.RefundExceeded
                : !act.IsSigned ? ErrorCode.AuthorisationMissing
                : Affords(who, request.AmountMinor!.Value);
        }

        if (!card.IsOpen)
        {
            return ErrorCode.CardTerminal;
        }

        if (now >= card.ExpiresAt)
        {
            return ErrorCode.CardExpired;
        }

        var isOnesOwn = request.Action is CardActionKind.Claim or CardActionKind.Draw
            || (card.Post.Kind == CardKind.Split && request.Action != CardActionKind.Cancel);
        return !isOnesOwn && request.Version != card.Version ? ErrorCode.CardVersionStale
            : request.Action switch
            {
                CardActionKind.Remind => card.IsReminded ? ErrorCode.CardAlreadyDone : null,
                CardActionKind.Draw => PredictDraw(card, request.AmountMinor!.Value, now),
                _ when isOnesOwn && card.Answers.ContainsKey(who) => ErrorCode.CardAlreadyDone,
                CardActionKind.Pay when !act.IsSigned => ErrorCode.AuthorisationMissing,
                CardActionKind.Pay => Affords(
                    who, card.Post.Kind == CardKind.Split ? ShareOf(card, who) : card.Post.AmountMinor),
                _ => null,
            };
    }

    private ErrorCode? PredictDraw(NaiveCard card, long amountMinor, DateTimeOffset now)
    {
        var drawn = card.Period == card.PeriodAt(now) ? card.PeriodMinor : 0;
        return amountMinor <= 0 ? ErrorCode.AmountNotPositive
            : drawn + amountMinor > card.Post.AmountMinor ? ErrorCode.MandateExceeded
            : now < card.InVain.AddSeconds(Limits.MandateRetrySeconds) ? ErrorCode.TooManyRequests
            : Affords(card.Post.Payer, amountMinor);
    }

    private ErrorCode? Affords(AccountId who, long amountMinor) =>
        Balances[who] - HeldOf(who) < amountMinor ? ErrorCode.InsufficientFunds : null;

    private void Move(AccountId from, AccountId to, long amountMinor)
    {
        Balances[from] -= amountMinor;
        Balances[to] += amountMinor;
    }
}
