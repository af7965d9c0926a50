using System.Diagnostics;

namespace ChatPay.Tests.Support;

/// <summary>
/// A folder that is gone after the test, however the test run ends: a small shell waits on a pipe from this process and
/// cleans up when the pipe closes, also after a kill -9. A PostgreSQL that still runs in the folder is stopped first.
/// </summary>
public sealed class TemporaryFolder : IDisposable
{
    private const string CleanUp =
        """
        cat > /dev/null
        for f in "$1"/postgres/cluster/postmaster.pid "$1"/*/postgres/cluster/postmaster.pid; do
          [ -f "$f" ] && kill -QUIT "$(head -n 1 "$f")" 2> /dev/null
        done
        for i in 1 2 3 4 5; do rm -rf "$1" 2> /dev/null && break; sleep 0.2; done
        """;

    private readonly Process _janitor;

    public TemporaryFolder()
    {
        Path = Directory.CreateTempSubdirectory("chatpay-test-").FullName;
        if (!OperatingSystem.IsWindows())
        {
            // Reachable by the unprivileged user that PostgreSQL runs as when the tests run as root.
            File.SetUnixFileMode(
                Path,
                File.GetUnixFileMode(Path) | UnixFileMode.OtherExecute | UnixFileMode.GroupExecute);
        }

        _janitor = Process.Start(
            new ProcessStartInfo("/bin/sh", ["-c", CleanUp, "janitor", Path])
            {
                RedirectStandardInput = true,
                UseShellExecute = false,
            })!;
    }

    public string Path { get; }

    public void Dispose()
    {
        _janitor.StandardInput.Close();
        _janitor.WaitForExit(TimeSpan.FromSeconds(30));
        _janitor.Dispose();
    }
}
