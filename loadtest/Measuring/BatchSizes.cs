using System.Diagnostics.Metrics;

namespace ChatPay.LoadTest.Measuring;

/// <summary>Counts the write path's batches through its own metric.</summary>
internal sealed class BatchSizes : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _batches;
    private long _commands;

    public BatchSizes()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument is { Meter.Name: "ChatPay.GroupCommit", Name: "chatpay.commit_batch" })
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<int>((_, commands, _, _) =>
        {
            Interlocked.Increment(ref _batches);
            Interlocked.Add(ref _commands, commands);
        });
        _listener.Start();
    }

    public (long Batches, long Commands) Read() => (Interlocked.Read(ref _batches), Interlocked.Read(ref _commands));

    public void Dispose() => _listener.Dispose();
}
