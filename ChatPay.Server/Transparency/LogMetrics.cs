using System.Diagnostics.Metrics;

namespace ChatPay.Server.Transparency;

/// <summary>Meters <c>ChatPay.KeyLog</c> and <c>ChatPay.LedgerLog</c>.</summary>
internal sealed class LogMetrics
{
    private readonly Counter<long> _entries;
    private readonly Counter<long> _rounds;
    private long _lagMs;

    /// <param name="name">As in <c>chatpay.key_log.entries</c>.</param>
    public LogMetrics(Meter meter, string name)
    {
        ArgumentNullException.ThrowIfNull(meter);
        _entries = meter.CreateCounter<long>($"chatpay.{name}.entries", "{entry}", "Entries that the log took in.");
        _rounds = meter.CreateCounter<long>($"chatpay.{name}.rounds", "{round}", "Checkpoints that the log signed.");
        meter.CreateObservableGauge(
            $"chatpay.{name}.lag", () => Interlocked.Read(ref _lagMs), "ms",
            "For how long this node has known of something that is not in the log yet.");
    }

    public void Took(int entries)
    {
        _entries.Add(entries);
        _rounds.Add(1);
    }

    public void Waits(TimeSpan lag) => Interlocked.Exchange(ref _lagMs, (long)lag.TotalMilliseconds);
}
