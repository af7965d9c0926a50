using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ChatPay.LoadTest.Chatting;

/// <summary>
/// Sends at a fixed rate whatever comes back, member after member. A message that goes out late counts from when it was
/// due, so that a server that stalls cannot hide the messages it kept from being sent.
/// </summary>
internal static partial class Pacer
{
    private const int MicrosPerSecond = 1_000_000;
    private const int MillisPerMicros = 1000;

    /// <summary>On a thread of its own, until it is told to stop.</summary>
    public static Task RunAsync(IReadOnlyList<ChatMember> members, int perSecond, CancellationToken stop) =>
        Task.Factory.StartNew(
            () => Run(members, perSecond, stop), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);

    private static void Run(IReadOnlyList<ChatMember> members, int perSecond, CancellationToken stop)
    {
        var start = Stopwatch.GetTimestamp();
        for (var sent = 0L; ; sent++)
        {
            var due = start + (sent * Stopwatch.Frequency / perSecond);
            while (Stopwatch.GetTimestamp() < due)
            {
                if (stop.IsCancellationRequested)
                {
                    return;
                }

                Pause(due - Stopwatch.GetTimestamp());
            }

            if (stop.IsCancellationRequested)
            {
                return;
            }

            members[(int)(sent % members.Count)].Send(due);
        }
    }

    private static void Pause(long ticks)
    {
        var micros = Math.Max(0, ticks) * MicrosPerSecond / Stopwatch.Frequency;
        if (OperatingSystem.IsLinux())
        {
            _ = Usleep((uint)Math.Clamp(micros, 1, MicrosPerSecond / 10));
        }
        else
        {
            using var never = new ManualResetEventSlim();
            never.Wait((int)Math.Clamp(micros / MillisPerMicros, 1, 100), CancellationToken.None);
        }
    }

    /// <summary>.NET's own pauses come in whole milliseconds, which is more than what is measured here.</summary>
    [LibraryImport("libc", EntryPoint = "usleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Usleep(uint micros);
}
