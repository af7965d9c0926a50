using System.CommandLine;
using ChatPay.LoadTest.Reporting;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>The command <c>settle</c>.</summary>
internal static class SettleCommandLine
{
    private static readonly SettleOptions s_defaults = new() { Command = "" };

    public static Command Create(IReadOnlyList<string> args, TextWriter output)
    {
        var rounds = OptionBounds.Whole(
            "--rounds", s_defaults.Rounds, SettleOptions.RoundsMin, SettleOptions.RoundsMax,
            "Rounds; medians are over these.");
        var seconds = OptionBounds.Whole(
            "--seconds", s_defaults.Seconds, 1, SettleOptions.SecondsMax, "Seconds of each section in each round.");
        var accounts = OptionBounds.Whole(
            "--accounts", s_defaults.Accounts, SettleOptions.AccountsMin, SettleOptions.AccountsMax,
            "Wallets that transfers go between.");
        var callers = OptionBounds.Whole(
            "--callers", s_defaults.Callers, SettleOptions.CallersMin, SettleOptions.CallersMax,
            "Callers that wait at once where throughput is measured.");
        var scale = OptionBounds.Whole(
            "--tpcb-scale", s_defaults.TpcbScale, 1, 1_000,
            "Scale of the tpcb baseline: its branches. Below 32 they contend.");
        var tpcbAccounts = OptionBounds.Whole(
            "--tpcb-accounts", s_defaults.TpcbAccounts, 1, 100_000,
            "Accounts in each branch of the tpcb baseline; pgbench has 100,000.");
        var ids = SharedOptions.Ids();
        var database = SharedOptions.Database();
        var only = new Option<string[]>("--only")
        {
            Description = "Measure these sections alone, such as --only tpcb uniform; for work on one of them.",
            AllowMultipleArgumentsPerToken = true,
        };
        only.AcceptOnlyFromAmong([.. SettleOptions.Sections]);
        var json = SharedOptions.Json();
        var command = new Command("settle", "Transfers and holds through the engine, beside pgbench's transaction.")
        {
            rounds, seconds, accounts, callers, scale, tpcbAccounts, ids, only, database, json,
        };
        command.SetAction((parsed, stop) => SettleScenario.RunAsync(
            new SettleOptions
            {
                Rounds = parsed.GetValue(rounds),
                Seconds = parsed.GetValue(seconds),
                Accounts = parsed.GetValue(accounts),
                Callers = parsed.GetValue(callers),
                TpcbScale = parsed.GetValue(scale),
                TpcbAccounts = parsed.GetValue(tpcbAccounts),
                Ids = parsed.GetValue(ids),
                Only = parsed.GetValue(only) ?? [],
                Database = parsed.GetValue(database),
                Json = parsed.GetValue(json),
                Command = RunIdentity.CommandOf(args),
            },
            output,
            stop));
        return command;
    }
}
