using ChatPay.LoadTest.Driving;

namespace ChatPay.LoadTest.Chatting;

/// <summary>What all members of one server look at: whether to go on sending, and where to put latencies.</summary>
internal sealed class ExchangeGate
{
    private volatile bool _looping;
    private volatile LatencyHistogram? _answers;
    private volatile LatencyHistogram? _deliveries;

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

    public void Measure(LatencyHistogram answers, LatencyHistogram deliveries) =>
        (_answers, _deliveries) = (answers, deliveries);

    public void StopMeasuring() => (_answers, _deliveries) = (null, null);
}
