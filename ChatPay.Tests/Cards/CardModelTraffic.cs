using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;

namespace ChatPay.Tests.Cards;

/// <summary>What people do in the model test: mostly what makes sense, often what does not.</summary>
internal sealed class CardModelTraffic(
    Dice dice, MoneyFixture money, NaiveCards model, WalletHolder[] people, ConversationId conversation)
{
    private const int OpenMax = 14;

    private static readonly CardActionKind[] s_actions =
        [.. Enum.GetValues<CardActionKind>().Where(action => action != CardActionKind.Post)];

    public ConversationId Conversation => conversation;

    public CardAct Next()
    {
        var open = model.Cards.Values.Where(card => card.IsOpen).ToArray();
        return open.Length == 0 || (open.Length < OpenMax && dice.Chance(30)) ? Post() : On(dice.Chance(85)
            ? dice.Pick(open) : dice.Pick([.. model.Cards.Values]));
    }

    /// <summary>Two to seven acts, most of them on one card.</summary>
    public IReadOnlyList<CardAct> Burst()
    {
        var open = model.Cards.Values.Where(card => card.IsOpen).ToArray();
        var card = open.Length > 0 ? dice.Pick(open) : null;
        return
        [
            .. Enumerable.Range(0, 2 + dice.Next(6)).Select(_ => card is null || dice.Chance(20) ? Next() : On(card)),
        ];
    }

    private CardAct Post()
    {
        var author = dice.Pick(people);
        var others = people.Where(person => person != author).ToArray();
        var other = dice.Pick(others);
        var kind = dice.Pick(Enum.GetValues<CardKind>());
        var plan = PlanOf(kind, others);
        var amount = kind switch
        {
            CardKind.Split => plan!.Shares!.Sum(share => share.AmountMinor),
            CardKind.Mandate => 100 + dice.Next(900),
            _ => dice.Chance(8) ? 9_000 + dice.Next(9_000) : 5 + dice.Next(900),
        };
        var lifetime = kind switch
        {
            CardKind.Mandate => 86_400 * (1 + dice.Next(40)),
            CardKind.Split when dice.Chance(50) => 86_400 * (1 + dice.Next(3)),
            _ => dice.Pick([60, 60, 61, 90, 240]),
        };
        var isForAll = kind == CardKind.Split || (kind == CardKind.Packet && (plan!.Count > 1 || dice.Chance(50)));
        var request = TestCards.Post(
            kind, conversation, 0, author.Account, isForAll ? CardTerms.Nobody : other.Account, amount,
            lifetimeSeconds: lifetime, plan: plan);
        return new CardAct(author, dice.Chance(95) ? money.Sign(author, request) : request);
    }

    private CardPlan? PlanOf(CardKind kind, WalletHolder[] others) => kind switch
    {
        CardKind.Transfer => dice.Next(4) switch
        {
            0 => new(CardDelivery.AtOnce),
            1 => new(CardDelivery.Delayed),
            _ => null,
        },
        CardKind.Split => new(
            Shares:
            [
                .. others.Take(1 + dice.Next(others.Length))
                    .Select(person => new CardShare(person.Account, 1 + dice.Next(400))),
            ],
            OwnMinor: dice.Next(100)),
        CardKind.Packet => new(Packet: dice.Pick(Enum.GetValues<PacketMode>()), Count: 1 + dice.Next(4)),
        CardKind.Mandate => new(Period: dice.Pick(Enum.GetValues<MandatePeriod>())),
        _ => null,
    };

    private CardAct On(NaiveCard card)
    {
        // Who could do it and what could be done, unless anything by anybody is tried.
        var (actor, action) = dice.Chance(85) ? Sensible(card) : (dice.Pick(people), dice.Pick(s_actions));
        var version = dice.Chance(88) ? card.Version : Math.Max(1, card.Version - 1 + dice.Next(3));
        long? amount = action is CardActionKind.Refund or CardActionKind.Draw
            ? dice.Chance(90) ? 1 + dice.Next((int)Math.Min(600, card.Post.AmountMinor)) : dice.Next(3) * 5_000 - 5_000
            : null;
        var request = new CardActRequest(card.Id, version, action, money.NewId(), AmountMinor: amount);
        return new CardAct(actor, dice.Chance(95) ? Sign(actor, request, card) : request);
    }

    private (WalletHolder Actor, CardActionKind Action) Sensible(NaiveCard card)
    {
        var (author, anybody) = (Holder(card.Author), dice.Pick(people));
        var other = card.Post.Kind is CardKind.Split or CardKind.Packet ? anybody
            : Holder(card.Post.Payer == card.Author ? card.Post.Payee : card.Post.Payer);
        (WalletHolder, CardActionKind)[] choices = card switch
        {
            { Post.Kind: CardKind.Transfer, IsOpen: true } =>
                [(other, CardActionKind.Accept), (other, CardActionKind.Decline), (author, CardActionKind.Cancel)],
            { Post.Kind: CardKind.Transfer } => [(other, CardActionKind.Refund)],
            { Post.Kind: CardKind.Request, IsOpen: true } =>
            [
                (other, CardActionKind.Pay), (other, CardActionKind.Pay), (other, CardActionKind.Decline),
                (author, CardActionKind.Cancel), (author, CardActionKind.Remind),
            ],
            { Post.Kind: CardKind.Request } => [(author, CardActionKind.Refund)],
            { Post.Kind: CardKind.Split } =>
            [
                (other, CardActionKind.Pay), (other, CardActionKind.Pay), (other, CardActionKind.Pay),
                (other, CardActionKind.Decline), (author, dice.Chance(20) ? CardActionKind.Cancel : CardActionKind.Pay),
            ],
            { Post.Kind: CardKind.Packet } => [(other, CardActionKind.Claim)],
            _ =>
            [
                (other, CardActionKind.Draw), (other, CardActionKind.Draw), (other, CardActionKind.Draw),
                (author, dice.Chance(20) ? CardActionKind.Cancel : CardActionKind.Draw),
                (other, dice.Chance(20) ? CardActionKind.Decline : CardActionKind.Draw),
            ],
        };
        return dice.Pick(choices);
    }

    private CardActRequest Sign(WalletHolder actor, CardActRequest request, NaiveCard card)
    {
        var post = card.Post;
        return money.Sign(actor, request, new CardView(
            card.Id, post.Kind, post.Conversation, card.Author, post.Payer, post.Payee, post.AmountMinor, post.Asset,
            post.LifetimeSeconds, post.DetailCommit, card.State, card.Version, card.CreatedAt, card.ExpiresAt, null, post.Plan));
    }

    private WalletHolder Holder(AccountId account) => people.Single(person => person.Account == account);
}
