using System.Security.Cryptography;
using ChatPay.Core.Cards;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Chatting;

namespace ChatPay.LoadTest.Paying;

/// <summary>
/// Posts of cards as the server sees them: terms, commitment, header and the payer's signature are right, and what only members
/// could read is noise.
/// </summary>
internal static class CardPosts
{
    /// <summary>How long an authorisation lasts that this project's clients sign.</summary>
    public static TimeSpan AuthorisationLifetime { get; } = TimeSpan.FromMinutes(10);

    /// <summary>What MLS makes of a card's details: they and their signature padded to 256 bytes, and a tag.</summary>
    private const int CiphertextBytes = 256 + 16;

    /// <param name="nonce">The idempotency key.</param>
    /// <param name="device">Of the payer, who is the author.</param>
    /// <param name="authorised">How long the signature is good.</param>
    public static CardActRequest Create(
        CardTerms terms, ClientMessageId id, Guid nonce, DeviceId device, Key key, TimeSpan authorised)
    {
        var commit = DetailCommitment.Of(terms, RandomNumberGenerator.GetBytes(Limits.CardSaltBytes), "for the boat");
        var body = ChatMessages.Create(
            terms.Conversation, new(id, new CardBinding(terms.Card, commit)),
            RandomNumberGenerator.GetBytes(CiphertextBytes));
        var amount = terms.Money.Amount.Value;
        var post = new CardPost(
            terms.Kind, terms.Conversation, terms.Payer, terms.Payee, amount, terms.Money.Asset.Value,
            terms.LifetimeSeconds, commit, id, ChatPeople.Epoch, body, terms.Plan);
        var statement = new DebitStatement(
            terms, commit, CardActionKind.Post, 0, terms.Payer, amount, device, nonce,
            (TimeProvider.System.GetUtcNow() + authorised).ToUnixTimeSeconds());
        return new(terms.Card, 0, CardActionKind.Post, nonce, post, statement.Sign(key));
    }
}
