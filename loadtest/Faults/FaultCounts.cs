using System.Collections.Concurrent;

namespace ChatPay.LoadTest.Faults;

/// <summary>What was done to the run, for its report.</summary>
internal sealed class FaultCounts
{
    private readonly ConcurrentDictionary<string, int> _faults = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, double> _syncSeconds = new(StringComparer.Ordinal);
    private long _unacknowledged;

    public int Total => _faults.Values.Sum();

    public IReadOnlyDictionary<string, int> ByKind => _faults.OrderBy(fault => fault.Key, StringComparer.Ordinal)
        .ToDictionary(StringComparer.Ordinal);

    /// <summary>The longest that anybody was behind after a fault of that kind was over.</summary>
    public IReadOnlyDictionary<string, double> SyncSeconds => _syncSeconds
        .OrderBy(fault => fault.Key, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);

    /// <summary>Answers to what was committed that never arrived.</summary>
    public long Unacknowledged => Interlocked.Read(ref _unacknowledged);

    public void Add(FaultKind kind) => _faults.AddOrUpdate(FaultKinds.NameOf(kind), 1, (_, count) => count + 1);

    public void InSync(FaultKind kind, TimeSpan took) => _syncSeconds.AddOrUpdate(
        FaultKinds.NameOf(kind), Math.Round(took.TotalSeconds, 2),
        (_, longest) => Math.Max(longest, Math.Round(took.TotalSeconds, 2)));

    public void AddUnacknowledged(int answers) => Interlocked.Add(ref _unacknowledged, answers);
}
