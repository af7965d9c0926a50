using System.Diagnostics;
using ChatPay.LoadTest.Driving;

namespace ChatPay.LoadTest.Chatting;

/// <summary>
/// One connection that sends and receives in one conversation, whatever the server: keeps count, and checks what comes
/// against what must come. Servers differ in bytes only, which the derived classes know.
/// </summary>
/// <param name="number">Its place among the members of the run: what its messages say they are from.</param>
internal abstract class ChatMember(ushort number, ExchangeGate gate, IReadOnlyList<ChatMember> members) : IDisposable
{
    /// <summary>Messages under way at once at most where a rate is kept; a power of two.</summary>
    private const int UnderWayMax = 4096;

    private readonly long[] _due = new long[UnderWayMax];
    private readonly Lock _sending = new();
    private SplitMix64 _random = new(SplitMix64.Mix((ulong)Stopwatch.GetTimestamp() + number));
    private uint _sent;
    private long _acknowledged;
    private long _delivered;
    private long _lastSeq;
    private uint[] _lastOf = [];
    private volatile string? _violation;

    public ushort Number => number;

    protected WireSocket? Wire { get; set; }

    /// <summary>Ends when its connection has.</summary>
    public Task Closed => Wire?.Closed ?? Task.CompletedTask;

    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Answers so far that say it is done.</summary>
    public long Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>Messages of others so far.</summary>
    public virtual long Delivered => Volatile.Read(ref _delivered);

    /// <summary>What went wrong; null as long as nothing has.</summary>
    public string? Violation => Closed.Exception?.InnerException?.Message ?? _violation;

    /// <summary>Connects and does whatever must be done before messages flow.</summary>
    public abstract Task OpenAsync(CancellationToken cancellationToken);

    /// <summary>Sends the next message now.</summary>
    public void Send() => Send(Stopwatch.GetTimestamp());

    /// <param name="due">When it was to be sent: what its latency is counted from.</param>
    public void Send(long due)
    {
        lock (_sending)
        {
            var next = _sent + 1;
            Volatile.Write(ref _due[next % UnderWayMax], due);
            Volatile.Write(ref _sent, next);
            Span<byte> id = stackalloc byte[MessageKey.IdBytes];
            new MessageKey(number, next).Write(ref _random, TimeProvider.System, id);
            try
            {
                Write(id, next);
            }
            catch (Exception lost) when (lost is ObjectDisposedException or System.Net.Sockets.SocketException)
            {
                Fail("the connection was lost");
            }
        }
    }

    /// <summary>Says that it is still there, where the server wants to hear that.</summary>
    public virtual void KeepAlive()
    {
    }

    public void Dispose() => Wire?.Dispose();

    /// <summary>Puts one message on the wire.</summary>
    protected abstract void Write(ReadOnlySpan<byte> id, uint index);

    /// <summary>An answer to the oldest message that has none: servers take one connection's calls one by one.</summary>
    protected void Answered()
    {
        var answered = _acknowledged + 1;
        gate.Answers?.Record(Stopwatch.GetTimestamp() - Volatile.Read(ref _due[answered % UnderWayMax]));
        Volatile.Write(ref _acknowledged, answered);
        if (answered > Sent)
        {
            Fail("an answer to a message that was not sent");
        }

        gate.Step();
        if (gate.Looping)
        {
            Send();
        }
    }

    /// <summary>Where the log stands before the first event.</summary>
    protected void BeginAt(long seq) => _lastSeq = seq;

    /// <summary>An event of the conversation, its own messages included.</summary>
    protected void Received(long seq, MessageKey key)
    {
        Follow(seq);
        Took(key);
    }

    /// <summary>The next event of the conversation's log, whatever it says.</summary>
    protected void Follow(long seq)
    {
        if (seq != _lastSeq + 1)
        {
            Fail($"event {seq} after {_lastSeq}");
        }

        _lastSeq = seq;
    }

    /// <summary>One of what its members exchange, whoever sent it.</summary>
    protected void Took(MessageKey key)
    {
        if (key.Sender >= _lastOf.Length)
        {
            Array.Resize(ref _lastOf, key.Sender + 1);
        }

        if (key.Number != _lastOf[key.Sender] + 1)
        {
            Fail($"message {key.Number} of {key.Sender} after {_lastOf[key.Sender]}");
        }

        _lastOf[key.Sender] = key.Number;
        if (key.Sender != number)
        {
            gate.Deliveries?.Record(
                Stopwatch.GetTimestamp() - Volatile.Read(ref members[key.Sender]._due[key.Number % UnderWayMax]));
            Volatile.Write(ref _delivered, _delivered + 1);
            gate.Step();
        }
    }

    protected void Fail(string violation) => _violation ??= violation;
}
