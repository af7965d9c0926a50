using System.Security.Cryptography;
using ChatPay.Core.Cards;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Driving;

namespace ChatPay.LoadTest.Paying;

/// <summary>
/// Somebody who pays the other member of a conversation, one payment after the other, and accepts what the other one pays. A
/// payment is done when both have been told that it is settled; then the payer begins the next.
/// </summary>
/// <remarks>Every card's id says whose payment it is and which, as message ids do, so nobody has to remember any.</remarks>
internal sealed class PayMember : HubMember
{
    /// <summary>What every payment is of, in minor units.</summary>
    public const long AmountMinor = 1;

    private const int ExpiryDigits = 10;
    private readonly IReadOnlyList<ChatMember> _members;
    private readonly ChatPerson _person;
    private readonly Key _key;
    private readonly CardTerms _terms;
    private readonly CardCall _post;
    private readonly CardCall _accept;
    private readonly byte[] _body;
    private readonly PostPlaces _places;
    private readonly (int Card, int Nonce) _acceptPlaces;
    private SplitMix64 _nonces = new(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));
    private SplitMix64 _acceptNonces = new(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));
    private int _holders;

    /// <param name="other">Whom it pays.</param>
    public PayMember(
        ushort number, ExchangeGate gate, IReadOnlyList<ChatMember> members, Func<Uri> server, ChatPerson person, Key key,
        ChatPerson other, ConversationId conversation)
        : base(number, gate, members, server, person, known: null)
    {
        (_members, _person, _key) = (members, person, key);
        _terms = new CardTerms(
            CardKind.Transfer, new(Guid.AllBitsSet), conversation, person.Account, other.Account,
            Money.Of(AmountMinor, AssetCode.Parse(PayPeople.Asset)), Limits.CardLifetimeDefaultSeconds);
        var sample = CardPosts.Create(
            _terms, new(Guid.AllBitsSet), Guid.AllBitsSet, person.Device, key, CardPosts.AuthorisationLifetime);
        _body = sample.Post!.Body;
        _post = new CardCall("post", sample);
        _accept = new CardCall("accept", new(_terms.Card, 1, CardActionKind.Accept, Guid.AllBitsSet));
        _places = new PostPlaces(
            _post.PlaceOf("\"card\":\""), _post.PlaceOf("\"idempotencyKey\":\""), _post.PlaceOf("\"detailCommit\":\""),
            _post.PlaceOf("\"clientId\":\""), _post.PlaceOf("\"body\":\""), _post.PlaceOf("\"expiresAt\":"),
            _post.PlaceOf("\"signature\":\""), _body.AsSpan().IndexOf(Guid.AllBitsSet.ToByteArray()));
        _acceptPlaces = (_accept.PlaceOf("\"card\":\""), _accept.PlaceOf("\"idempotencyKey\":\""));
    }

    /// <summary>Bytes of a post as the server gets it.</summary>
    public int PostBytes => _post.Frame.Length;

    /// <summary>Posts the card, with a commitment, a binding and a signature of its own.</summary>
    protected override void Write(ReadOnlySpan<byte> id, uint index)
    {
        const int IdBytes = MessageKey.IdBytes;
        var now = TimeProvider.System.GetUtcNow();
        var (card, nonce) = (new Guid(id, bigEndian: true), _nonces.NextOrderedUuid(now));
        var terms = _terms with { Card = new(card) };
        var commit = DetailCommitment.Of(terms, RandomNumberGenerator.GetBytes(Limits.CardSaltBytes), "for the boat");
        var statement = new DebitStatement(
            terms, commit, CardActionKind.Post, 0, _person.Account, AmountMinor, _person.Device, nonce,
            (now + CardPosts.AuthorisationLifetime).ToUnixTimeSeconds());
        var authorisation = statement.Sign(_key);

        // In the body's clear data the card follows the message, and the commitment the card. Both ids are the same one.
        var bound = _body.AsSpan(_places.Bound);
        id.CopyTo(bound);
        id.CopyTo(bound[IdBytes..]);
        commit.CopyTo(bound[(2 * IdBytes)..]);
        _post.Put(_places.Card, card);
        _post.Put(_places.Nonce, nonce);
        _post.Put(_places.Commit, commit);
        _post.Put(_places.ClientId, card);
        _post.Put(_places.Body, _body);
        _post.Put(_places.ExpiresAt, authorisation.ExpiresAt, ExpiryDigits);
        _post.Put(_places.Signature, authorisation.Signature);
        Wire!.SendText(_post.Frame);
    }

    protected override void Logged(long seq, ReadOnlySpan<byte> rest)
    {
        Follow(seq);
        var at = 0;
        var isPost = rest.StartsWith(",\"kind\":\"card\","u8);
        if (!isPost && !rest.StartsWith(",\"kind\":\"cardChanged\","u8))
        {
            throw SignalRFrames.Unexpected(rest);
        }

        var card = SignalRFrames.UuidAfter("\"card\":{\"id\":\""u8, rest, ref at);
        var key = MessageKey.ReadText(card);
        if (rest[at..].IndexOf(isPost ? "\"state\":\"held\",\"version\":1,"u8 : "\"state\":\"accepted\",\"version\":2,"u8) < 0)
        {
            throw SignalRFrames.Unexpected(rest);
        }

        if (!isPost)
        {
            ((PayMember)_members[key.Sender]).Settled(key, this);
        }
        else if (key.Sender != Number)
        {
            Accept(card);
        }
    }

    protected override void Replied(ReadOnlySpan<byte> message)
    {
        // Whoever acts learns of it from the log, as everybody does.
    }

    private void Accept(ReadOnlySpan<byte> card)
    {
        if (!System.Buffers.Text.Utf8Parser.TryParse(card, out Guid id, out _))
        {
            throw new InvalidDataException("The server named a card by something that is no id.");
        }

        _accept.Put(_acceptPlaces.Card, id);
        _accept.Put(_acceptPlaces.Nonce, _acceptNonces.NextOrderedUuid(TimeProvider.System.GetUtcNow()));
        Wire!.SendText(_accept.Frame);
    }

    /// <summary>One of the two holds the settled event of this member's payment; the second one ends it.</summary>
    private void Settled(MessageKey key, PayMember holder)
    {
        if (key.Number != Sent)
        {
            holder.Fail($"payment {key.Number} of {Number} is settled, and {Sent} is under way");
        }

        if (Interlocked.Increment(ref _holders) % 2 == 0)
        {
            // The other one counts it before the next begins, for counts follow one another by who sent.
            ((PayMember)_members[Number ^ 1]).Took(key);
            Answered();
        }
    }

    /// <summary>Where in a post what differs from one to the next stands; the last one is in the body.</summary>
    private sealed record PostPlaces(
        int Card, int Nonce, int Commit, int ClientId, int Body, int ExpiresAt, int Signature, int Bound);
}
