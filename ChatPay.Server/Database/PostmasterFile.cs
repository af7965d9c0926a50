using System.Diagnostics;
using System.Globalization;

namespace ChatPay.Server.Database;

/// <summary>What a running PostgreSQL says of itself in <c>postmaster.pid</c>.</summary>
/// <param name="ProcessId">The postmaster's.</param>
/// <param name="Port">Null while it is just starting.</param>
/// <param name="IsReady">Whether it accepts connections.</param>
internal sealed record PostmasterFile(int ProcessId, int? Port, bool IsReady)
{
    public static string PathIn(string cluster) => Path.Combine(cluster, "postmaster.pid");

    public static async Task<PostmasterFile?> ReadAsync(string cluster, CancellationToken cancellationToken)
    {
        string[] lines;
        try
        {
            lines = await File.ReadAllLinesAsync(PathIn(cluster), cancellationToken);
        }
        catch (IOException)
        {
            // Not there, or gone between two looks.
            return null;
        }

        // Process, folder, start time, port, socket folder, address, shared memory key, state.
        return lines.Length > 0 && Parse(lines[0]) is { } process
            ? new PostmasterFile(
                process,
                lines.Length > 3 ? Parse(lines[3]) : null,
                lines.Length > 7 && lines[7].Trim() == "ready")
            : null;
    }

    /// <summary>Whether the process lives and is the PostgreSQL of that cluster, not a later bearer of its number.</summary>
    public bool IsAlive(string cluster)
    {
        try
        {
            using var process = Process.GetProcessById(ProcessId);
            if (process.HasExited)
            {
                return false;
            }

            return OperatingSystem.IsLinux()
                ? File.ReadAllText($"/proc/{ProcessId}/cmdline").Split('\0').Contains(cluster)
                : process.ProcessName.StartsWith("postgres", StringComparison.Ordinal);
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or IOException)
        {
            return false;
        }
    }

    private static int? Parse(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
