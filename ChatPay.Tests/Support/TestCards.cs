using System.Security.Cryptography;
using ChatPay.Core.Cards;
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
        string asset = "EUR", int lifetimeSeconds = Limits.CardLifetimeDefaultSeconds)
    {
        var (payer, payee) = kind == CardKind.Transfer ? (author, other) : (other, author);
        var card = new CardId(s_ids.NewUuid());
        var clientId = new ClientMessageId(s_ids.NewUuid());
        var terms = new CardTerms(
            kind, card, conversation, payer, payee, Money.Of(amountMinor, AssetCode.Parse(asset)), lifetimeSeconds);
        var commit = DetailCommitment.Of(terms, RandomNumberGenerator.GetBytes(Limits.CardSaltBytes), "for the boat");
        var bound = new AuthenticatedData(clientId, new CardBinding(card, commit));
        return new CardActRequest(card, 0, CardActionKind.Post, s_ids.NewUuid(), new CardPost(
            kind, conversation, payer, payee, amountMinor, asset, lifetimeSeconds, commit, clientId, epoch,
            TestMls.PrivateMessage(conversation, epoch, bound)));
    }

    /// <summary>An action on the version seen, under a new key.</summary>
    public static CardActRequest Act(CardView card, CardActionKind action) =>
        new(card.Id, card.Version, action, s_ids.NewUuid());
}
