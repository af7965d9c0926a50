namespace ChatPay.LoadTest.Measuring;

/// <summary>What .NET's background compiler of a process has taken, from /proc.</summary>
internal static class CompilerTimes
{
    /// <summary>".NET Tiered Compilation Worker", as much of it as Linux keeps.</summary>
    private const string ThreadName = ".NET Tiered Com";

    /// <summary>
    /// CPU time of the compiler's thread that lives now; zero where it rests long enough to have ended, and null where
    /// there is no /proc or the process is gone.
    /// </summary>
    public static TimeSpan? Read(int process)
    {
        try
        {
            var total = TimeSpan.Zero;
            foreach (var folder in Directory.EnumerateDirectories(FormattableString.Invariant($"/proc/{process}/task")))
            {
                if (ProcessTimes.ReadFrom(Path.Combine(folder, "stat")) is { Name: ThreadName } thread)
                {
                    total += thread.Own;
                }
            }

            return total;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
