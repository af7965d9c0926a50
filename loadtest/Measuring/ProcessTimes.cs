using System.Globalization;

namespace ChatPay.LoadTest.Measuring;

/// <summary>What /proc says of a process on Linux.</summary>
internal sealed record ProcessTimes(string Name, int Parent, TimeSpan Own, TimeSpan EndedChildren)
{
    /// <summary>The unit of /proc/PID/stat (USER_HZ), the same on every machine.</summary>
    private const double TicksPerSecond = 100;

    /// <summary>Null where there is no such process, or no /proc.</summary>
    public static ProcessTimes? Read(int id) => ReadFrom(FormattableString.Invariant($"/proc/{id}/stat"));

    /// <param name="path">The file called stat of a process, or of one of its threads.</param>
    public static ProcessTimes? ReadFrom(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
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
        return new ProcessTimes(
            name, (int)Field(4), TimeSpan.FromSeconds((Field(14) + Field(15)) / TicksPerSecond),
            TimeSpan.FromSeconds((Field(16) + Field(17)) / TicksPerSecond));
    }
}
