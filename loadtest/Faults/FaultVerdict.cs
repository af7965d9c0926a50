using System.Globalization;

namespace ChatPay.LoadTest.Faults;

/// <summary>After the calm: everybody is brought to the same point, the history is judged, and the books are verified.</summary>
internal static class FaultVerdict
{
    private static readonly TimeSpan s_syncTimeout = TimeSpan.FromSeconds(90);

    public static async Task ReachAsync(FaultBench bench, CancellationToken cancellationToken)
    {
        // Also what was committed and never acknowledged to anybody.
        var database = await FaultStore.ReadLogsAsync(bench.Owner, cancellationToken);
        var heads = database.ToDictionary(log => log.Key, log => (long)log.Value.Count);
        if (await bench.Crowd.UntilAllHaveAsync(heads, s_syncTimeout, cancellationToken) is null)
        {
            bench.Book.Violate(Rules.InSync, "somebody is still behind when everything has been well for long");
        }

        var history = new History
        {
            Attempted = bench.Book.Attempted,
            Acknowledged = bench.Book.Acknowledged,
            CardsAcknowledged = bench.Book.CardsAcknowledged,
            CommitsAcknowledged = bench.Book.CommitsAcknowledged,
            Database = database,
            Cards = await FaultStore.ReadCardsAsync(bench.Owner, cancellationToken),
            Accounts = bench.Crowd.Devices.ToDictionary(device => device.Device, device => device.Account),
            Founders = bench.Crowd.Founders,
            BegunAnew = bench.Crowd.Devices.Where(device => device.Lineages > 0).Select(device => device.Device).ToHashSet(),
            Devices = bench.Crowd.Devices.ToDictionary(device => device.Device, device => device.Logs),
        };
        foreach (var violation in Checker.Check(history))
        {
            bench.Book.Violate(violation.Rule, violation.What);
        }

        var (exitCode, output) = await bench.AllNodes[0].RunAsync(["ledger", "verify"], cancellationToken);
        if (exitCode != 0)
        {
            bench.Book.Violate(
                Rules.BooksBalance, string.Create(CultureInfo.InvariantCulture, $"ledger verify gave {exitCode}:\n{output}"));
        }
    }
}
