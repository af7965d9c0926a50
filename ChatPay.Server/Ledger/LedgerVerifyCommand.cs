using System.Text.Json;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using ChatPay.Server.Ledger.Verify;
using ChatPay.Server.Transparency;
using ChatPay.Server.Vault;
using Npgsql;
using Spectre.Console;

namespace ChatPay.Server.Ledger;

/// <summary>The command <c>ledger verify</c>.</summary>
internal static class LedgerVerifyCommand
{
    /// <summary>The ledger is clean, or not, or nobody knows.</summary>
    public const int Clean = 0;

    public const int Findings = 1;

    public const int NotVerified = 2;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Writes to the console, with bars where that is a terminal.</summary>
    /// <param name="report">A file for the result as JSON, or null.</param>
    public static Task<int> VerifyLedgerAsync(
        this IServiceProvider services, FileInfo? report, CancellationToken cancellationToken) =>
        Console.IsOutputRedirected
            ? services.VerifyLedgerAsync(Console.Out, cancellationToken, report)
            : VerifyBar.RunAsync(
                AnsiConsole.Console, display => services.VerifyAsync(display, report, cancellationToken));

    /// <returns>The exit code.</returns>
    public static Task<int> VerifyLedgerAsync(
        this IServiceProvider services, TextWriter output, CancellationToken cancellationToken,
        FileInfo? report = null) =>
        services.VerifyAsync(new VerifyDisplay(output), report, cancellationToken);

    private static async Task<int> VerifyAsync(
        this IServiceProvider services, VerifyDisplay display, FileInfo? report, CancellationToken cancellationToken)
    {
        try
        {
            await services.RequireMigratedAsync(cancellationToken);
            await using var source = services.OpenForReports();
            using var logKey = LogKeyFile.Open(
                LogDefinition.Ledger, services.GetRequiredService<VaultPlan>().KeyFolder, mayCreate: false);
            var result = await new LedgerVerifier(
                source, display, services.GetRequiredService<TimeProvider>(),
                logKey is null ? null : new LedgerLogKey(logKey, logKey.ReadMark())).RunAsync(cancellationToken);
            if (report is not null)
            {
                await using var file = report.Create();
                await JsonSerializer.SerializeAsync(file, result, s_json, cancellationToken);
            }

            return result.Clean ? Clean : Findings;
        }
        catch (Exception failure) when (cancellationToken.IsCancellationRequested
            || failure is StartupException or NpgsqlException or IOException or InvalidDataException)
        {
            // Interrupted in the middle of a row, the driver may fail with any exception of its own.
            display.Line(cancellationToken.IsCancellationRequested
                ? "Interrupted; the ledger was not verified."
                : $"The ledger could not be verified: {failure.Message}");
            return NotVerified;
        }
    }
}
