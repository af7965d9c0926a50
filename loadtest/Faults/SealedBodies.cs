using System.Security.Cryptography;
using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Paying;
using ChatPay.Server.Hosting;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// Messages and cards as the server sees them: their headers are right, and what only members could read is noise.
/// </summary>
internal static class SealedBodies
{
    private const string Asset = "EUR";
    private const int CiphertextBytes = 96;
    private const int ClockSlackSeconds = 60;
    private static readonly IdFactory s_ids = new(TimeProvider.System);

    public static SendRequest Message(ConversationId conversation) =>
        Message(conversation, new(s_ids.NewUuid()), ChatPeople.Epoch);

    public static SendRequest Message(ConversationId conversation, ClientMessageId id, long epoch) =>
        new(
            conversation, id, epoch,
            ChatMessages.Create(conversation, new(id), RandomNumberGenerator.GetBytes(CiphertextBytes), epoch));

    /// <summary>A transfer card, which puts the author's money on hold, signed by the author's device.</summary>
    public static CardActRequest Transfer(
        ConversationId conversation, Participant author, AccountId payee, long amountMinor)
    {
        var terms = new CardTerms(
            CardKind.Transfer, new(s_ids.NewUuid()), conversation, author.Account, payee,
            Money.Of(amountMinor, AssetCode.Parse(Asset)), Limits.CardLifetimeDefaultSeconds);

        // It may be asked again after an outage: it lasts as long as the server lets it.
        return CardPosts.Create(
            terms, new(s_ids.NewUuid()), s_ids.NewUuid(), author.Device, author.Member.SignatureKey,
            TimeSpan.FromSeconds(Limits.AuthorisationMaxSeconds - ClockSlackSeconds));
    }

    public static CardActRequest Act(CardView card, CardActionKind action) =>
        new(card.Id, card.Version, action, s_ids.NewUuid());

}
