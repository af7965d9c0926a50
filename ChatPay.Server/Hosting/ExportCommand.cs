using System.CommandLine;
using ChatPay.Server.Ledger;

namespace ChatPay.Server.Hosting;

/// <summary><c>ledger export</c>: an account's statement as a file, for operators.</summary>
internal static class ExportCommand
{
    private static readonly Option<string> s_account = new("--account")
    {
        Description = "The handle of the account.",
        Required = true,
    };

    private static readonly Option<string> s_asset = new("--asset")
    {
        Description = "The asset, such as EUR.",
        Required = true,
    };

    private static readonly Option<string> s_format = new("--format")
    {
        Description = "csv, json, ofx or camt053. Default: csv.",
        DefaultValueFactory = _ => "csv",
    };

    private static readonly Option<string?> s_from = new("--from")
    {
        Description = "Begin at this instant, such as 2026-11-01 or 2026-11-01T00:00:00Z. Default: the first entry.",
    };

    private static readonly Option<string?> s_to = new("--to")
    {
        Description = "End before this instant, which must have passed. Default: now.",
    };

    private static readonly Option<FileInfo> s_output = new("--output")
    {
        Description = "The file to write; one that is there is replaced.",
        Required = true,
    };

    /// <param name="settings">What the other options of the command line say.</param>
    public static Command Create(Func<ParseResult, Dictionary<string, string?>> settings)
    {
        var export = new Command("export", "Write an account's statement as a file.")
        {
            s_account, s_asset, s_format, s_from, s_to, s_output,
        };
        export.SetAction((parsed, stop) => CommandHost.RunAsync(
            settings(parsed),
            (services, cancellationToken) => services.ExportStatementAsync(
                new ExportRequest(
                    parsed.GetRequiredValue(s_account), parsed.GetRequiredValue(s_asset),
                    parsed.GetRequiredValue(s_format), parsed.GetValue(s_from), parsed.GetValue(s_to),
                    parsed.GetRequiredValue(s_output)),
                cancellationToken),
            stop));
        return export;
    }
}
