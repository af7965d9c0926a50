using System.Globalization;

namespace ChatPay.LoadTest.Measuring;

/// <summary>What Linux says of a process's memory; zeros where there is no /proc.</summary>
/// <param name="ProportionalBytes">Shared pages divided among those who share them.</param>
internal readonly record struct ProcessMemory(long ResidentBytes, long ProportionalBytes)
{
    private const long Kilo = 1024;

    public static ProcessMemory Read(int id)
    {
        var file = FormattableString.Invariant($"/proc/{id}/smaps_rollup");
        if (!File.Exists(file))
        {
            return default;
        }

        var lines = File.ReadAllLines(file);
        return new(ValueOf(lines, "Rss:"), ValueOf(lines, "Pss:"));
    }

    private static long ValueOf(string[] lines, string name)
    {
        var line = lines.First(line => line.StartsWith(name, StringComparison.Ordinal));
        return Kilo * long.Parse(
            line[name.Length..].Replace("kB", "", StringComparison.Ordinal), NumberStyles.AllowLeadingWhite
                | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
    }
}
