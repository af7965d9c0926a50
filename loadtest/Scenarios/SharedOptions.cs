using System.CommandLine;
using ChatPay.LoadTest.Driving;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>Options that several scenarios have.</summary>
internal static class SharedOptions
{
    public static Option<string?> Database() => new("--database")
    {
        Description = "A PostgreSQL of your own, as Host=…;Database=…;Username=…;Password=…. It is filled and not "
            + "emptied. Default: an embedded one in a temporary folder.",
    };

    public static Option<IdOrder> Ids() => new("--ids")
    {
        Description = "How ids of transfers follow on one another: Random, as hashes do, or Time, as UUIDs of version 7.",
        DefaultValueFactory = _ => IdOrder.Time,
    };

    public static Option<string[]> Server()
    {
        var option = new Option<string[]>("--server")
        {
            Description = "A setting of the server under test as KEY=VALUE, such as GroupCommit:Flights=1; may be repeated.",
        };
        option.Validators.Add(result =>
        {
            foreach (var pair in (result.GetValueOrDefault<string[]>() ?? []).Where(pair => pair.IndexOf('=') < 1))
            {
                result.AddError($"--server takes KEY=VALUE, not {pair}.");
            }
        });
        return option;
    }

    /// <param name="choice">Which there are.</param>
    public static Option<string[]> OnlyServers(IReadOnlyList<string> choice)
    {
        var option = new Option<string[]>("--only")
        {
            Description = "Drive these servers alone, such as --only chatpay; for work on one of them.",
            AllowMultipleArgumentsPerToken = true,
        };
        option.AcceptOnlyFromAmong([.. choice]);
        return option;
    }

    public static Option<FileInfo?> Json() => new("--json") { Description = "Write the report to this file." };
}
