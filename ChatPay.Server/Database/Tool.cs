using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Database;

/// <summary>Runs one of PostgreSQL's own programs, or a small system tool, to its end.</summary>
internal static class Tool
{
    /// <summary>No tool may hang a start for ever: crash recovery of a large database is the slowest of them.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(10);

    /// <summary>Much more than a tool that fails has to say.</summary>
    private const int OutputMaxChars = 16 * 1024;

    /// <param name="ExitCode">0 on success.</param>
    /// <param name="Output">What it wrote to both streams, for the log.</param>
    public readonly record struct Outcome(int ExitCode, string Output);

    /// <summary>Runs <paramref name="command"/>, as <paramref name="user"/> where one is given.</summary>
    public static async Task<Outcome> RunAsync(
        IReadOnlyList<string> command, UnprivilegedUser? user, string workingFolder, CancellationToken cancellationToken)
    {
        var words = user is null ? command : [.. user.Prefix, .. command];
        var start = new ProcessStartInfo(words[0], words.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = workingFolder,
        };

        // Messages of PostgreSQL are read by people of any language in the log, and never parsed; the plain locale is
        // the one that every machine has.
        start.Environment["LC_ALL"] = "C";

        // The environment's own PostgreSQL settings must not leak into this private one.
        foreach (var name in start.Environment.Keys.Where(IsPostgresSetting).ToList())
        {
            start.Environment.Remove(name);
        }

        using var process = Start(start);
        process.StandardInput.Close();
        var output = new StringBuilder();
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(output, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Timeout);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        lock (output)
        {
            return new Outcome(process.ExitCode, output.ToString().Trim());
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception failure)
        {
            throw new StartupException($"The program {start.FileName} could not be run: {failure.Message}.", failure);
        }
    }

    private static bool IsPostgresSetting(string name) =>
        name.StartsWith("PG", StringComparison.Ordinal) && name.All(c => char.IsAsciiLetterUpper(c) || c == '_');

    private static void Append(StringBuilder output, string? line)
    {
        lock (output)
        {
            if (line is not null && output.Length < OutputMaxChars)
            {
                output.AppendLine(line);
            }
        }
    }
}
