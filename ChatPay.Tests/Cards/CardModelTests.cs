using System.Globalization;
using System.Security.Cryptography;
using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>
/// Cards of all kinds on two nodes of the real server beside a naive model. A failure names its seed; the environment variable
/// CHATPAY_SEED runs that one alone. What runs at once is decided by the machine, so a seed is the same acts, not always the
/// same order.
/// </summary>
public sealed class CardModelTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private const int Known = 5;
    private const int Fresh = 2;
    private const int MoreMax = 6;
    private const int Steps = 160;

    [Fact]
    public async Task Whatever_happens_the_cards_are_those_of_the_model_and_the_money_is_all_there()
    {
        if (Environment.GetEnvironmentVariable("CHATPAY_SEED") is { Length: > 0 } alone)
        {
            await RunAsync([ulong.Parse(alone, CultureInfo.InvariantCulture)]);
            return;
        }

        var faults = await RunAsync(
            [.. Enumerable.Range(1, Known).Select(seed => (ulong)seed), .. Enumerable.Range(0, Fresh).Select(_ => NewSeed())]);

        // Chance may leave out what a run or two more have.
        for (var more = 0; more < MoreMax && Missed(faults).Any(); more++)
        {
            faults = [.. faults, .. await RunAsync([NewSeed()])];
        }

        AssertMet(faults);
    }

    private static ulong NewSeed() => (ulong)RandomNumberGenerator.GetInt32(Known + 1, int.MaxValue);

    /// <summary>Otherwise the runs would say little.</summary>
    private static void AssertMet(IReadOnlyList<CardModelFaults> faults)
    {
        foreach (var (what, least, count) in new (string, int, Func<CardModelFaults, int>)[]
        {
            ("bursts", 50, run => run.Bursts),
            ("acts done", 200, run => run.Done),
            ("replays", 20, run => run.Replays),
            ("conflicts of keys", 10, run => run.Conflicts),
            ("connections killed", 5, run => run.Kills),
            ("nodes lost", 2, run => run.NodesLost),
            ("ends met in the middle of a burst", 2, run => run.AtTheInstant),
            ("ends and reminders by time", 20, run => run.Passed),
        })
        {
            var total = faults.Sum(count);
            Assert.True(total >= least, $"Only {total} {what}.");
        }

        Assert.Empty(Missed(faults));
    }

    /// <summary>Refusals and ends that no run has had.</summary>
    private static IEnumerable<string> Missed(IReadOnlyList<CardModelFaults> faults)
    {
        ErrorCode[] refusals =
        [
            ErrorCode.CardActionUnknown, ErrorCode.CardNotYours, ErrorCode.CardTerminal, ErrorCode.CardExpired,
            ErrorCode.CardVersionStale, ErrorCode.CardAlreadyDone, ErrorCode.MandateExceeded, ErrorCode.InsufficientFunds,
            ErrorCode.RefundExceeded, ErrorCode.RefundUnknown, ErrorCode.AmountNotPositive, ErrorCode.AuthorisationMissing,
        ];
        var ends = CardTransitions.All
            .SelectMany(row => row.Ends.Prepend(row.To).Select(state => (row.Form, State: state)))
            .Where(end => !CardTransitions.IsOpen(end.State) && end != (CardForm.TransferDelayed, CardState.Expired))
            .Except(faults.SelectMany(run => run.Ends));
        return
        [
            .. refusals.Except(faults.SelectMany(run => run.Refusals.Keys)).Select(code => code.ToString()),
            .. ends.Select(end => $"{end.Form} {end.State}"),
        ];
    }

    private async Task<IReadOnlyList<CardModelFaults>> RunAsync(IReadOnlyList<ulong> seeds)
    {
        var faults = new List<CardModelFaults>();
        var second = await StartAsync();
        try
        {
            foreach (var seed in seeds)
            {
                var run = new CardModelRun(money, second, StartAsync, seed);
                try
                {
                    await run.RunAsync(Steps);
                }
                catch (Exception failure)
                {
                    throw new InvalidOperationException($"The run of seed {seed} failed: {failure.Message}", failure);
                }
                finally
                {
                    second = run.Second;
                }

                faults.Add(run.Faults);
            }
        }
        finally
        {
            await second.DisposeAsync();
        }

        return faults;
    }

    private Task<TestServer> StartAsync() => TestServer.StartAsync(money.ConnectionString, MoneyFixture.Settings);
}
