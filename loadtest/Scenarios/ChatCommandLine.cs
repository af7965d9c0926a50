using System.CommandLine;
using ChatPay.LoadTest.Reporting;
using ChatPay.LoadTest.Serving;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>The command <c>chat</c>.</summary>
internal static class ChatCommandLine
{
    private static readonly ChatOptions s_defaults = new() { Command = "" };

    public static Command Create(IReadOnlyList<string> args, TextWriter output)
    {
        var rounds = OptionBounds.Whole(
            "--rounds", s_defaults.Rounds, 1, ChatOptions.RoundsMax, "Rounds; medians are over these.");
        var seconds = OptionBounds.Whole(
            "--seconds", s_defaults.Seconds, 1, ChatOptions.SecondsMax, "Seconds of each section in each round.");
        var warmUp = OptionBounds.Whole(
            "--warm-up", s_defaults.WarmUpSeconds, 0, ChatOptions.SecondsMax,
            "Seconds that every server is driven for before the first round.");
        var connections = OptionBounds.Whole(
            "--connections", s_defaults.Connections, 2, ChatOptions.ConnectionsMax, "Connections, two to a conversation.");
        var rate = OptionBounds.Whole(
            "--rate", s_defaults.Rate, 1, ChatOptions.RateMax, "Messages per second where latency is measured.");
        var payload = SharedOptions.Payload();
        var database = SharedOptions.Database();
        var server = SharedOptions.Server();
        var only = SharedOptions.OnlyServers();
        var json = SharedOptions.Json();
        var command = new Command(
            ChatScenario.Name, "Messages between two, durable and in order, beside bare relays that keep nothing.")
        {
            rounds, seconds, warmUp, connections, rate, payload, database, server, only, json,
        };
        command.SetAction((parsed, stop) => ChatScenario.RunAsync(
            new ChatOptions
            {
                Rounds = parsed.GetValue(rounds),
                Seconds = parsed.GetValue(seconds),
                WarmUpSeconds = parsed.GetValue(warmUp),
                Connections = parsed.GetValue(connections),
                Rate = parsed.GetValue(rate),
                PayloadBytes = parsed.GetValue(payload),
                Database = parsed.GetValue(database),
                Server = ServerSettings.With(parsed.GetValue(server) ?? []),
                Only = parsed.GetValue(only) ?? [],
                Json = parsed.GetValue(json),
                Command = RunIdentity.CommandOf(args),
            },
            output,
            stop));
        return command;
    }
}
