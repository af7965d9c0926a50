using ChatPay.LoadTest.Driving;

namespace ChatPay.LoadTest.Chatting;

/// <summary>What all members of one server look at: whether to go on sending, and where to put latencies.</summary>
internal sealed class ExchangeGate
{
    private volatile bool _looping;
    private volatile LatencyHistogram? _answers;
    private volatile LatencyHistogram? _deliveries;
    private volatile ChatMember? _sender;
    private int _stepsEach;
    private int _stepsLeft;

    /// <summary>Whether an answer is followed by the next message.</summary>
    public bool Looping
    {
        get => _looping;
        set => _looping = value;
    }

    /// <summary>From when a message was to be sent until its sender had the answer; null outside a window.</summary>
    public LatencyHistogram? Answers => _answers;

    /// <summary>From when it was to be sent until another member had it.</summary>
    public LatencyHistogram? Deliveries => _deliveries;

    /// <summary>From here on <paramref name="sender"/> sends again when its message has come to all who get it.</summary>
    public void BeginRounds(ChatMember sender, int receivers)
    {
        _stepsEach = receivers + 1;
        _stepsLeft = _stepsEach;
        _sender = sender;
    }

    public void EndRounds() => _sender = null;

    /// <summary>An answer or a delivery; the last one of a round begins the next.</summary>
    public void Step()
    {
        if (_sender is { } sender && Interlocked.Decrement(ref _stepsLeft) == 0)
        {
            _stepsLeft = _stepsEach;
            sender.Send();
        }
    }

    public void Measure(LatencyHistogram answers, LatencyHistogram deliveries) =>
        (_answers, _deliveries) = (answers, deliveries);

    public void StopMeasuring() => (_answers, _deliveries) = (null, null);
}
