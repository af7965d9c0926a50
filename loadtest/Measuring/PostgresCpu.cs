using System.Globalization;

namespace ChatPay.LoadTest.Measuring;

/// <summary>CPU time of a PostgreSQL on this machine: its postmaster, all its children, and those that have ended.</summary>
internal sealed class PostgresCpu
{
    /// <summary>The unit of /proc/PID/stat on Linux (USER_HZ), the same on every machine.</summary>
    private const double TicksPerSecond = 100;

    private readonly int _postmaster;

    private PostgresCpu(int postmaster) => _postmaster = postmaster;

    /// <summary>Null where the process is not PostgreSQL's, as when the database is on another machine.</summary>
    /// <param name="backend">A process of its, as PostgreSQL numbers it.</param>
    public static PostgresCpu? Find(int backend) =>
        OperatingSystem.IsLinux() && Read(backend) is { Name: "postgres" } process ? new(process.Parent) : null;

    public TimeSpan Read()
    {
        var ticks = 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                && Read(id) is { } process)
            {
                ticks += id == _postmaster ? process.OwnTicks + process.EndedChildrenTicks
                    : process.Parent == _postmaster ? process.OwnTicks
                    : 0;
            }
        }

        return TimeSpan.FromSeconds(ticks / TicksPerSecond);
    }

    private static ProcessTimes? Read(int id)
    {
        string text;
        try
        {
            text = File.ReadAllText(FormattableString.Invariant($"/proc/{id}/stat"));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        // The name stands in parentheses and may hold anything; the fields after the last one are numbered from 3.
        var end = text.LastIndexOf(')');
        var name = text[(text.IndexOf('(', StringComparison.Ordinal) + 1)..end];
        var fields = text[(end + 2)..].Split(' ');
        long Field(int number) => long.Parse(fields[number - 3], CultureInfo.InvariantCulture);
        return new ProcessTimes(name, (int)Field(4), Field(14) + Field(15), Field(16) + Field(17));
    }

    private sealed record ProcessTimes(string Name, int Parent, long OwnTicks, long EndedChildrenTicks);
}
