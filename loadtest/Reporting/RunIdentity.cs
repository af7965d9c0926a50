using System.Diagnostics;
using System.Globalization;

namespace ChatPay.LoadTest.Reporting;

/// <summary>What a report says of its run: the command, the commit and the machine.</summary>
internal static class RunIdentity
{
    /// <summary>The command as somebody types it; a database's password stays out of it.</summary>
    public static string CommandOf(IReadOnlyList<string> args)
    {
        var words = new List<string> { "dotnet run --project loadtest -c Release --" };
        var hideNext = false;
        foreach (var word in args)
        {
            var hideThis = word.StartsWith("--database=", StringComparison.Ordinal);
            words.Add(hideNext ? "CONNECTION" : hideThis ? "--database=CONNECTION" : word);
            hideNext = word == "--database";
        }

        return string.Join(' ', words);
    }

    /// <summary>The checked-out commit, with "+changes" where files differ from it; "unknown" outside a checkout.</summary>
    public static async Task<string> CommitAsync(CancellationToken cancellationToken)
    {
        var commit = await GitAsync(["rev-parse", "HEAD"], cancellationToken);
        if (commit is null)
        {
            return "unknown";
        }

        var changes = await GitAsync(["status", "--porcelain", "--untracked-files=no"], cancellationToken);
        return changes is { Length: > 0 } ? commit + "+changes" : commit;
    }

    private static async Task<string?> GitAsync(string[] arguments, CancellationToken cancellationToken)
    {
        try
        {
            using var git = Process.Start(new ProcessStartInfo("git", ["-C", AppContext.BaseDirectory, .. arguments])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            })!;
            var errors = git.StandardError.ReadToEndAsync(cancellationToken);
            var output = await git.StandardOutput.ReadToEndAsync(cancellationToken);
            await errors;
            await git.WaitForExitAsync(cancellationToken);
            return git.ExitCode == 0 ? output.Trim() : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // No git on this machine.
            return null;
        }
    }
}

/// <summary>The machine of a run, as far as a figure depends on it.</summary>
/// <param name="Cpu">Its model's name.</param>
/// <param name="Storage">The file system that the database's files lie on; null where that is elsewhere.</param>
/// <param name="LoadAtStart">The load average of the minute before: above zero, somebody else was working too.</param>
/// <param name="Postgres">The version and settings of PostgreSQL, by name; empty where none is used.</param>
internal sealed record Machine(
    string Cpu, int Cores, double MemoryGb, string Kernel, string Runtime, string? Storage, double? LoadAtStart,
    IReadOnlyDictionary<string, string> Postgres)
{
    public static Machine Describe(string? databaseFolder, IReadOnlyDictionary<string, string> postgres) => new(
        FirstValue("/proc/cpuinfo", "model name") ?? "unknown",
        Environment.ProcessorCount,
        Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9, 1),
        Environment.OSVersion.VersionString,
        System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription,
        databaseFolder is null ? null : new DriveInfo(databaseFolder).DriveFormat,
        LoadAverage(),
        postgres);

    public override string ToString() => FormattableString.Invariant($"{Cpu}, {Cores} cores, {MemoryGb} GB; ")
        + (Postgres.Count == 0 ? "" : FormattableString.Invariant(
            $"PostgreSQL {Postgres["server_version"]} on {Storage ?? "its own storage"}; ")
            + FormattableString.Invariant($"fsync {Postgres["fsync"]}, synchronous_commit {Postgres["synchronous_commit"]}; "))
        + FormattableString.Invariant($"load average before {LoadAtStart}");

    private static string? FirstValue(string file, string name) => !File.Exists(file)
        ? null
        : File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))
            ?.Split(':', 2)[^1].Trim();

    private static double? LoadAverage() => File.Exists("/proc/loadavg")
        ? double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture)
        : null;
}
