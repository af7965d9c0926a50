using System.Security.Cryptography;
using ChatPay.Core.Cards;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Ledger;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;

namespace ChatPay.Tests.Support;

/// <summary>Makes card actions that the server takes; tests spoil them with <c>with</c>.</summary>
internal static class TestCards
{
    private static readonly IdFactory s_ids = new(TimeProvider.System);

    /// <summary>A post with a commitment to a memo and a message bound to it.</summary>
    public static CardActRequest Post(
        CardKind kind, ConversationId conversation, long epoch, AccountId author, AccountId other, long amountMinor,
        string asset = "EUR", int lifetimeSeconds = Limits.CardLifetimeDefaultSeconds, CardPlan? plan = null)
    {
        var (payer, payee) = kind is CardKind.Request or CardKind.Split ? (other, author) : (author, other);
        var card = new CardId(s_ids.NewUuid());
        var clientId = new ClientMessageId(s_ids.NewUuid());
        var terms = new CardTerms(
            kind, card, conversation, payer, payee, Money.Of(amountMinor, AssetCode.Parse(asset)), lifetimeSeconds,
            plan);
        var commit = DetailCommitment.Of(terms, RandomNumberGenerator.GetBytes(Limits.CardSaltBytes), "for the boat");
        var bound = new AuthenticatedData(clientId, new CardBinding(card, commit));
        return new CardActRequest(card, 0, CardActionKind.Post, s_ids.NewUuid(), new CardPost(
            kind, conversation, payer, payee, amountMinor, asset, lifetimeSeconds, commit, clientId, epoch,
            TestMls.PrivateMessage(conversation, epoch, bound), plan));
    }

    /// <summary>An action on the version seen, under a new key.</summary>
    public static CardActRequest Act(CardView card, CardActionKind action) =>
        new(card.Id, card.Version, action, s_ids.NewUuid());
}

/// <summary>A device that signs for what takes its account's money.</summary>
internal sealed record CardSigner(AccountId Account, DeviceId Device, Key Key)
{
    private static readonly TimeSpan s_lifetime = TimeSpan.FromMinutes(10);

    /// <summary>The request with what it needs signed; a post of another's card or a request's stays as it is.</summary>
    /// <param name="ahead">How far the deciding clock is ahead of the machine's.</param>
    public CardActRequest Sign(CardActRequest request, TimeSpan ahead = default) =>
        request is { Post: { DetailCommit.Length: Limits.DetailCommitBytes } post, Authorisation: null }
            && TermsOf(request.Card, post) is var terms
            && CardRules.SignedAmount(terms, Account, CardActionKind.Post, null) is not null
            ? Sign(request, terms, post.DetailCommit, ahead + s_lifetime)
            : request;

    /// <summary>As <see cref="Sign(CardActRequest, TimeSpan)"/>, for an action on a card.</summary>
    public CardActRequest Sign(CardActRequest request, CardView card, TimeSpan ahead = default) =>
        CardRules.SignedAmount(TermsOf(card), Account, request.Action, request.AmountMinor) is { } amount
            ? Sign(request, TermsOf(card), card.DetailCommit, ahead + s_lifetime, amount) : request;

    /// <summary>Signs for a card, whatever the request says.</summary>
    public CardActRequest Sign(
        CardActRequest request, CardTerms terms, byte[] detailCommit, TimeSpan lifetime, long? amountMinor = null) => request with
        {
            Authorisation = new DebitStatement(
                terms, detailCommit, request.Action, request.Version, Account, amountMinor ?? terms.Money.Amount.Value,
                Device,
                request.IdempotencyKey,
                (TimeProvider.System.GetUtcNow() + lifetime).ToUnixTimeSeconds()).Sign(Key),
        };

    public static CardTerms TermsOf(CardView card) => new(
        card.Kind, card.Id, card.Conversation, card.Payer, card.Payee,
        Money.Of(card.AmountMinor, AssetCode.Parse(card.Asset)), card.LifetimeSeconds, card.Plan);

    public static CardTerms TermsOf(CardId card, CardPost post) => new(
        post.Kind, card, post.Conversation, post.Payer, post.Payee,
        Money.Of(post.AmountMinor, AssetCode.TryParse(post.Asset, out var asset) ? asset : default), post.LifetimeSeconds,
        post.Plan);
}
