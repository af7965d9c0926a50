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
/// payment is done when both have been told that it is settled; then the payer begins the next. One that arrives at once is
/// settled by its post.
/// </summary>
/// <remarks>Every card's id says whose payment it is and which, as message ids do, so nobody has to remember any.</remarks>
internal sealed class PayMember : HubMember
{
    /// <summary>What every payment is of, in minor units.</summary>
    public const long AmountMinor = 1;

    private readonly IReadOnlyList<ChatMember> _members;
    private readonly PayWay _way;
    private readonly PostCall _held;
    private readonly PostCall _atOnce;
    private readonly CardCall _accept;
    private readonly (int Card, int Nonce) _acceptPlaces;
    private SplitMix64 _nonces = new(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));
    private SplitMix64 _acceptNonces = new(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));
    private int _holders;

    /// <param name="other">Whom it pays.</param>
    public PayMember(
        ushort number, ExchangeGate gate, IReadOnlyList<ChatMember> members, Func<Uri> server, PayWay way, ChatPerson person,
        Key key, ChatPerson other, ConversationId conversation)
        : base(number, gate, members, server, person, known: null)
    {
        (_members, _way) = (members, way);
        var terms = new CardTerms(
            CardKind.Transfer, new(Guid.AllBitsSet), conversation, person.Account, other.Account,
            Money.Of(AmountMinor, AssetCode.Parse(PayPeople.Asset)), Limits.CardLifetimeDefaultSeconds);
        _held = new PostCall(terms, person, key);
        _atOnce = new PostCall(terms with { Plan = new CardPlan(Delivery: CardDelivery.AtOnce) }, person, key);
        _accept = new CardCall("accept", new(terms.Card, 1, CardActionKind.Accept, Guid.AllBitsSet));
        _acceptPlaces = (_accept.PlaceOf("\"card\":\""), _accept.PlaceOf("\"idempotencyKey\":\""));
    }

    /// <summary>Bytes of a post as the server gets it.</summary>
    public int PostBytes => _held.Frame.Length;

    /// <summary>Posts the card, with a commitment, a binding and a signature of its own.</summary>
    protected override void Write(ReadOnlySpan<byte> id, uint index)
    {
        var now = TimeProvider.System.GetUtcNow();
        var post = _way.IsAtOnce ? _atOnce : _held;
        post.Renew(id, _nonces.NextOrderedUuid(now), now);
        Wire!.SendText(post.Frame);
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
        var isAtOnce = isPost && _way.IsAtOnce;
        if (rest[at..].IndexOf(
            isAtOnce ? "\"state\":\"accepted\",\"version\":1,"u8
            : isPost ? "\"state\":\"held\",\"version\":1,"u8
            : "\"state\":\"accepted\",\"version\":2,"u8) < 0)
        {
            throw SignalRFrames.Unexpected(rest);
        }

        if (!isPost || isAtOnce)
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
}
