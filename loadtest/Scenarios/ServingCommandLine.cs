using System.CommandLine;
using ChatPay.LoadTest.Reporting;
using ChatPay.LoadTest.Serving;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>The options that scenarios of a server in its own process share, each with its bounds.</summary>
internal sealed class ServingCommandLine(ServingOptions defaults)
{
    private readonly Option<int> _rounds = OptionBounds.Whole(
        "--rounds", defaults.Rounds, 1, ServingOptions.RoundsMax, "Rounds; medians are over these.");

    private readonly Option<int> _seconds = OptionBounds.Whole(
        "--seconds", defaults.Seconds, 1, ServingOptions.SecondsMax, "Seconds of each section in each round.");

    private readonly Option<int> _warmUp = OptionBounds.Whole(
        "--warm-up", defaults.WarmUp, 0, ServingOptions.WarmUpMax,
        "Messages that every server delivers before the first round, so that its code is compiled.");

    private readonly Option<int> _payload = OptionBounds.Whole(
        "--payload", defaults.PayloadBytes, ServingOptions.PayloadMin, ServingOptions.PayloadMax,
        "Bytes of a message as the server gets it.");

    private readonly Option<string[]> _only = SharedOptions.OnlyServers(defaults.Choice);
    private readonly Option<string?> _database = SharedOptions.Database();
    private readonly Option<string[]> _server = SharedOptions.Server();
    private readonly Option<FileInfo?> _json = SharedOptions.Json();

    /// <param name="parts">Which of the options make sense for the scenario, besides those of every one.</param>
    /// <param name="own">Options of its own.</param>
    public Command Create(
        string name, string description, ServingParts parts, IEnumerable<Option> own, IReadOnlyList<string> args,
        Func<ParseResult, ServingOptions, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description);
        (ServingParts Part, Option Option)[] options =
        [
            (ServingParts.Rounds, _rounds), (ServingParts.Seconds, _seconds), (ServingParts.Seconds, _warmUp),
            (ServingParts.Payload, _payload), (ServingParts.Only, _only),
        ];
        foreach (var option in own.Concat(options.Where(one => parts.HasFlag(one.Part)).Select(one => one.Option))
            .Concat([_database, _server, _json]))
        {
            command.Options.Add(option);
        }

        command.SetAction((parsed, stop) => run(parsed, Read(parsed, parts, args), stop));
        return command;
    }

    private ServingOptions Read(ParseResult parsed, ServingParts parts, IReadOnlyList<string> args)
    {
        T Value<T>(ServingParts part, Option<T> option, T fallback) =>
            parts.HasFlag(part) ? parsed.GetValue(option)! : fallback;
        return defaults with
        {
            Rounds = Value(ServingParts.Rounds, _rounds, defaults.Rounds),
            Seconds = Value(ServingParts.Seconds, _seconds, defaults.Seconds),
            WarmUp = Value(ServingParts.Seconds, _warmUp, defaults.WarmUp),
            PayloadBytes = Value(ServingParts.Payload, _payload, defaults.PayloadBytes),
            Only = Value(ServingParts.Only, _only, []) ?? [],
            Database = parsed.GetValue(_database),
            Server = ServerSettings.With(parsed.GetValue(_server) ?? []),
            Json = parsed.GetValue(_json),
            Command = RunIdentity.CommandOf(args),
        };
    }
}

/// <summary>Shared options that a scenario has.</summary>
[Flags]
internal enum ServingParts
{
    None = 0,
    Rounds = 1,
    Seconds = 2,
    Payload = 4,
    Only = 8,
    All = Rounds | Seconds | Payload | Only,
}
