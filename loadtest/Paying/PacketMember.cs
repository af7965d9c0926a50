using System.Diagnostics;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Driving;

namespace ChatPay.LoadTest.Paying;

/// <summary>What somebody was answered who wanted a share of a packet.</summary>
/// <param name="Place">The share's place; null for who came away empty.</param>
/// <param name="Refusal">Why; null for who got one.</param>
internal sealed record PacketAnswer(int? Place, long AmountMinor, ErrorCode? Refusal);

/// <summary>
/// A member of a large group that takes a share of every packet, once: one call, repeated under the same idempotency key only
/// where the server says that it is too busy.
/// </summary>
internal sealed class PacketMember : HubMember
{
    private const int RetryMinMs = 20;
    private const int RetryMaxMs = 200;
    private readonly CardCall _claim = new(
        "claim", new(new(Guid.AllBitsSet), 1, CardActionKind.Claim, Guid.AllBitsSet));

    private readonly (int Card, int Nonce) _places;
    private SplitMix64 _random;
    private string _card = "";
    private int _shown;
    private int _events;
    private int _retries;
    private long _overAt;
    private long _answeredAt;
    private volatile PacketAnswer? _answer;
    private volatile string _posted = "";

    public PacketMember(
        ushort number, ExchangeGate gate, IReadOnlyList<ChatMember> members, Func<Uri> server, ChatPerson person,
        KnownLog known)
        : base(number, gate, members, server, person, known)
    {
        Person = person;
        _places = (_claim.PlaceOf("\"card\":\""), _claim.PlaceOf("\"idempotencyKey\":\""));
        _random = new SplitMix64(SplitMix64.Mix((ulong)Stopwatch.GetTimestamp() + number));
    }

    public ChatPerson Person { get; }

    /// <summary>What it was answered about the current packet; null as long as it was not.</summary>
    public PacketAnswer? Answer => _answer;

    public long AnsweredAt => Volatile.Read(ref _answeredAt);

    /// <summary>When it was told that the packet is over; 0 as long as it was not.</summary>
    public long OverAt => Volatile.Read(ref _overAt);

    /// <summary>Shares that it was told of.</summary>
    public int Shown => Volatile.Read(ref _shown);

    /// <summary>Events that it was told of them in.</summary>
    public int Events => Volatile.Read(ref _events);

    /// <summary>How often it was told to come again.</summary>
    public int Retries => Volatile.Read(ref _retries);

    /// <summary>Whether it was told of this card.</summary>
    public bool Knows(CardId card) => _posted == card.ToString();

    /// <summary>The next packet; nothing of the one before may be under way.</summary>
    public void Expect(CardId card)
    {
        _card = card.ToString();
        (_answer, _answeredAt, _overAt, _shown, _events, _retries) = (null, 0, 0, 0, 0, 0);
        _claim.Put(_places.Card, card.Value);
        _claim.Put(_places.Nonce, _random.NextOrderedUuid(TimeProvider.System.GetUtcNow()));
    }

    /// <summary>Posts a packet of the member's own; it is told of it as everybody is.</summary>
    public void Post(CardActRequest request) => Wire!.SendText(new CardCall("post", request).Frame);

    protected override void Write(ReadOnlySpan<byte> id, uint index) => Wire!.SendText(_claim.Frame);

    protected override void Logged(long seq, ReadOnlySpan<byte> rest)
    {
        Follow(seq);
        var at = 0;
        var isPost = rest.StartsWith(",\"kind\":\"card\","u8);
        var card = System.Text.Encoding.ASCII.GetString(SignalRFrames.UuidAfter("\"card\":{\"id\":\""u8, rest, ref at));
        if (isPost)
        {
            _posted = card;
            return;
        }

        if (card != _card)
        {
            Fail($"a change of {card}, which is not the packet");
        }

        // Bounded by what a packet has: an event tells of the shares of one batch.
        var parts = 0;
        for (var part = rest[at..]; part.IndexOf("\"place\":"u8) is var found and >= 0; part = part[(found + 1)..])
        {
            parts++;
        }

        Volatile.Write(ref _events, _events + 1);
        Volatile.Write(ref _shown, _shown + parts);
        if (rest[at..].IndexOf("\"state\":\"exhausted\""u8) >= 0)
        {
            Volatile.Write(ref _overAt, Stopwatch.GetTimestamp());
        }
    }

    protected override void Replied(ReadOnlySpan<byte> message)
    {
        var at = 0;
        if (message.IndexOf("\"invocationId\":\"claim\""u8) < 0)
        {
            return;
        }

        var parts = SignalRFrames.IndexAfter("\"parts\":["u8, message);
        var place = SignalRFrames.NumberAfter("\"place\":"u8, message[parts..], ref at);
        Take(new PacketAnswer(
            checked((int)place), SignalRFrames.NumberAfter("\"amountMinor\":\""u8, message[parts..], ref at), null));
    }

    protected override void Refused(ReadOnlySpan<byte> message)
    {
        var at = 0;
        if (message.IndexOf("\"invocationId\":\"claim\""u8) < 0)
        {
            base.Refused(message);
        }

        var code = (ErrorCode)SignalRFrames.NumberAfter("\"code\":"u8, message, ref at);
        if (code == ErrorCode.Overloaded)
        {
            Volatile.Write(ref _retries, _retries + 1);
            _ = AgainAsync(RetryMinMs + _random.Below(RetryMaxMs - RetryMinMs));
            return;
        }

        Take(new PacketAnswer(null, 0, code));
    }

    private async Task AgainAsync(int afterMs)
    {
        await Task.Delay(afterMs, CancellationToken.None);
        try
        {
            Wire!.SendText(_claim.Frame);
        }
        catch (Exception lost) when (lost is ObjectDisposedException or System.Net.Sockets.SocketException)
        {
            Fail("the connection was lost");
        }
    }

    private void Take(PacketAnswer answer)
    {
        if (_answer is not null)
        {
            Fail("a second answer to one claim");
        }

        Volatile.Write(ref _answeredAt, Stopwatch.GetTimestamp());
        _answer = answer;
        Answered();
    }
}
