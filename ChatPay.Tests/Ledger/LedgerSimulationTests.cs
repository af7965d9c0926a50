using System.Globalization;
using System.Security.Cryptography;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>
/// The pure core under crash, duplicate, reorder and lost reply. A failure names its seed; the environment variable
/// CHATPAY_SEED runs that one alone.
/// </summary>
public sealed class LedgerSimulationTests
{
    private const int Known = 60;
    private const int Fresh = 60;

    [Fact]
    public void Nothing_acknowledged_is_lost_or_applied_twice_whatever_fails()
    {
        if (Environment.GetEnvironmentVariable("CHATPAY_SEED") is { Length: > 0 } alone)
        {
            Run(ulong.Parse(alone, CultureInfo.InvariantCulture));
            return;
        }

        for (var run = 1; run <= Known + Fresh; run++)
        {
            Run((ulong)(run <= Known ? run : RandomNumberGenerator.GetInt32(Known + 1, int.MaxValue)));
        }
    }

    /// <summary>Otherwise the test above would say little.</summary>
    [Fact]
    public void The_simulation_meets_every_fault()
    {
        var faults = Enumerable.Range(1, 20).Select(seed => Run((ulong)seed)).ToArray();
        foreach (var (what, count) in new (string, Func<SimulationFaults, int>)[]
        {
            ("crashes before the commit", run => run.CrashedBeforeCommit),
            ("crashes after the commit", run => run.CrashedAfterCommit),
            ("lost requests", run => run.LostRequests),
            ("lost replies", run => run.LostReplies),
            ("duplicates", run => run.Duplicates),
            ("collisions of keys", run => run.Collisions),
            ("waits for locks", run => run.WaitedForLocks),
            ("clocks stepping back", run => run.StepsBack),
            ("replays", run => run.Replays),
        })
        {
            var total = faults.Sum(count);
            Assert.True(total >= 5, $"Only {total} {what}.");
        }
    }

    private static SimulationFaults Run(ulong seed)
    {
        try
        {
            var simulation = new LedgerSimulation(seed);
            simulation.Run();
            return simulation.Faults;
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"The simulation of seed {seed} failed: {failure.Message}", failure);
        }
    }
}
