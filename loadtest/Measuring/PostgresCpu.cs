using System.Globalization;

namespace ChatPay.LoadTest.Measuring;

/// <summary>CPU time of a PostgreSQL on this machine: its postmaster, all its children, and those that have ended.</summary>
internal sealed class PostgresCpu
{
    private readonly int _postmaster;

    private PostgresCpu(int postmaster) => _postmaster = postmaster;

    /// <summary>Null where the process is not PostgreSQL's, as when the database is on another machine.</summary>
    /// <param name="backend">A process of its, as PostgreSQL numbers it.</param>
    public static PostgresCpu? Find(int backend) =>
        OperatingSystem.IsLinux() && ProcessTimes.Read(backend) is { Name: "postgres" } process
            ? new(process.Parent) : null;

    public TimeSpan Read()
    {
        var used = TimeSpan.Zero;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                && ProcessTimes.Read(id) is { } process)
            {
                used += id == _postmaster ? process.Own + process.EndedChildren
                    : process.Parent == _postmaster ? process.Own
                    : TimeSpan.Zero;
            }
        }

        return used;
    }
}
