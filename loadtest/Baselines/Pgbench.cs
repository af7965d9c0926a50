using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace ChatPay.LoadTest.Baselines;

/// <summary>
/// The real pgbench over the same tables, where it is installed: says how far the baseline through Npgsql is from it.
/// </summary>
internal static partial class Pgbench
{
    /// <summary>Its path; null where there is none.</summary>
    public static string? Find()
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        const string Debian = "/usr/lib/postgresql";
        var versions = Directory.Exists(Debian)
            ? Directory.EnumerateDirectories(Debian).OrderDescending(StringComparer.Ordinal)
                .Select(version => Path.Combine(version, "bin"))
            : [];
        return folders.Concat(versions).Select(folder => Path.Combine(folder, "pgbench")).FirstOrDefault(File.Exists);
    }

    /// <returns>Transactions per second, or null where it failed: it is asked for information alone.</returns>
    public static async Task<double?> RunAsync(
        string program, string connectionString, int connections, int seconds, CancellationToken cancellationToken)
    {
        var database = new NpgsqlConnectionStringBuilder(connectionString);
        string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo(
            program,
            [
                "--no-vacuum", "--protocol", "prepared", "--client", Text(connections), "--jobs", "2", "--time",
                Text(seconds),
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["PGHOST"] = database.Host;
        start.Environment["PGPORT"] = Text(database.Port);
        start.Environment["PGUSER"] = database.Username;
        start.Environment["PGPASSWORD"] = database.Password;
        start.Environment["PGDATABASE"] = database.Database;
        start.Environment["PGOPTIONS"] = "-c search_path=loadtest_tpcb";
        try
        {
            using var process = Process.Start(start)!;
            try
            {
                var errors = process.StandardError.ReadToEndAsync(cancellationToken);
                var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
                await errors;
                await process.WaitForExitAsync(cancellationToken);
                return Tps().Match(output) is { Success: true } found
                    ? double.Parse(found.Groups["tps"].ValueSpan, CultureInfo.InvariantCulture)
                    : null;
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                throw;
            }
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    [GeneratedRegex(@"^tps = (?<tps>\d+\.\d+) \(without", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Tps();
}
