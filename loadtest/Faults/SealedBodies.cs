using System.Security.Cryptography;
using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Chatting;
using ChatPay.Server.Hosting;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// Messages and cards as the server sees them: their headers are right, and what only members could read is noise.
/// </summary>
internal static class SealedBodies
{
    private const string Asset = "EUR";
    private const int SenderDataBytes = 28;
    private const int CiphertextBytes = 96;
    private const int ClockSlackSeconds = 60;
    private static readonly IdFactory s_ids = new(TimeProvider.System);

    public static SendRequest Message(ConversationId conversation) =>
        Message(conversation, new(s_ids.NewUuid()), ChatPeople.Epoch);

    public static SendRequest Message(ConversationId conversation, ClientMessageId id, long epoch) =>
        new(conversation, id, epoch, Body(conversation, new AuthenticatedData(id), epoch));

    /// <summary>A transfer card, which puts the author's money on hold, signed by the author's device.</summary>
    public static CardActRequest Transfer(
        ConversationId conversation, Participant author, AccountId payee, long amountMinor)
    {
        var payer = author.Account;
        var card = new CardId(s_ids.NewUuid());
        var id = new ClientMessageId(s_ids.NewUuid());
        var terms = new CardTerms(
            CardKind.Transfer, card, conversation, payer, payee, Money.Of(amountMinor, AssetCode.Parse(Asset)),
            Limits.CardLifetimeDefaultSeconds);
        var commit = DetailCommitment.Of(terms, RandomNumberGenerator.GetBytes(Limits.CardSaltBytes), "for the boat");
        var body = Body(conversation, new AuthenticatedData(id, new CardBinding(card, commit)));
        var post = new CardPost(
            CardKind.Transfer, conversation, payer, payee, amountMinor, Asset, Limits.CardLifetimeDefaultSeconds, commit, id,
            ChatPeople.Epoch, body);
        var nonce = s_ids.NewUuid();

        // It may be asked again after an outage: it lasts as long as the server lets it.
        var expiresAt = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + Limits.AuthorisationMaxSeconds - ClockSlackSeconds;
        var statement = new DebitStatement(
            terms, commit, CardActionKind.Post, 0, payer, amountMinor, author.Device, nonce, expiresAt);
        return new(card, 0, CardActionKind.Post, nonce, post, statement.Sign(author.Member.SignatureKey));
    }

    public static CardActRequest Act(CardView card, CardActionKind action) =>
        new(card.Id, card.Version, action, s_ids.NewUuid());

    private static byte[] Body(ConversationId conversation, AuthenticatedData data, long epoch = ChatPeople.Epoch) =>
        TlsCodec.Encode(new MlsMessage(new PrivateMessage
        {
            GroupId = GroupIds.From(conversation),
            Epoch = (ulong)epoch,
            ContentType = ContentType.Application,
            AuthenticatedData = data.Encode(),
            EncryptedSenderData = new byte[SenderDataBytes],
            Ciphertext = RandomNumberGenerator.GetBytes(CiphertextBytes),
        }));
}
