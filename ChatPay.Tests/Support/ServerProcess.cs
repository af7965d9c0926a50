using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace ChatPay.Tests.Support;

/// <summary>
/// The built program as a process of its own on a data folder of its own, to be killed and started again.
/// </summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private const string ReadyPrefix = "ChatPay is ready: open ";
    private const string RealmReady = " is ready at ";
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();
    private readonly StringBuilder _output = new();
    private readonly Dictionary<string, string> _environment;
    private Process? _process;

    /// <param name="environment">Environment variables, such as <c>RateLimits__SignInPerMinute</c>.</param>
    public ServerProcess(IReadOnlyDictionary<string, string>? environment = null)
    {
        _environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["RateLimits__SignInPerMinute"] = "1000000",
            ["RateLimits__WritesPerMinute"] = "1000000",
            ["RateLimits__ReadsPerMinute"] = "1000000",
            ["RateLimits__ExportsPerMinute"] = "1000000",
            ["KeyPackages__ClaimsPerPairBurst"] = "1000000",
            ["KeyPackages__ClaimsBurst"] = "1000000",
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            _environment[name] = value;
        }
    }

    public string DataFolder => Path.Combine(_folder.Path, "data");

    /// <summary>Where it listens since the last start.</summary>
    public Uri Address { get; private set; } = new("http://127.0.0.1");

    /// <summary>Everything it has written since it was first started.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>Starts it and waits until it is ready.</summary>
    public async Task StartAsync(int port = 0)
    {
        var ready = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = Launch(["--data", DataFolder, "--port", port.ToString(CultureInfo.InvariantCulture)], line =>
        {
            if (line.StartsWith(ReadyPrefix, StringComparison.Ordinal))
            {
                ready.TrySetResult(line[ReadyPrefix.Length..]);
            }
            else if (line.StartsWith("ChatPay's realm ", StringComparison.Ordinal))
            {
                ready.TrySetResult(line[(line.IndexOf(RealmReady, StringComparison.Ordinal) + RealmReady.Length)..]);
            }
        });
        _process = process;
        var ended = process.WaitForExitAsync();
        await Task.WhenAny(ready.Task, ended, Task.Delay(s_deadline));
        Address = ready.Task.IsCompletedSuccessfully
            ? new Uri(await ready.Task)
            : throw new InvalidOperationException("The server did not get ready:\n" + Output);
    }

    /// <summary>SIGKILL, for the server alone: its PostgreSQL is left behind.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGKILL for the server and every process of its PostgreSQL, as when the machine loses power.</summary>
    public async Task KillWithDatabaseAsync()
    {
        var postmaster = PostmasterId();
        await KillAsync();
        using var group = Process.Start("/bin/sh", ["-c", $"pkill -KILL -P {postmaster}; kill -KILL {postmaster}"]);
        await group.WaitForExitAsync();
    }

    /// <summary>SIGTERM, as Ctrl-C or a service manager would; returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        await SignalAsync();
        await _process!.WaitForExitAsync().WaitAsync(s_deadline);
        return _process.ExitCode;
    }

    /// <summary>SIGTERM, without waiting for what comes of it.</summary>
    public async Task SignalAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Runs another command of the program, on the same data folder; returns exit code and output.</summary>
    public async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        var output = new StringBuilder();
        using var process = Launch([.. arguments, "--data", DataFolder], line =>
        {
            lock (output)
            {
                output.AppendLine(line);
            }
        });
        await process.WaitForExitAsync().WaitAsync(s_deadline);
        return (process.ExitCode, output.ToString());
    }

    /// <summary>The process number of the running PostgreSQL; null where none has a file.</summary>
    public int? PostmasterId()
    {
        var file = Path.Combine(DataFolder, "postgres", "cluster", "postmaster.pid");
        return File.Exists(file) ? int.Parse(File.ReadLines(file).First(), CultureInfo.InvariantCulture) : null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await KillAsync();
        }

        _process?.Dispose();
        _folder.Dispose();
    }

    private Process Launch(string[] arguments, Action<string> onLine)
    {
        // The tests' reference to the server brings the whole program into their own folder.
        var program = Path.Combine(AppContext.BaseDirectory, "ChatPay.Server.dll");
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = _folder.Path,
        };
        start.ArgumentList.Add(program);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in _environment)
        {
            start.Environment[name] = value;
        }

        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Take(line.Data, onLine);
        process.ErrorDataReceived += (_, line) => Take(line.Data, onLine);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private void Take(string? line, Action<string> onLine)
    {
        if (line is not null)
        {
            lock (_output)
            {
                _output.AppendLine(line);
            }

            onLine(line);
        }
    }
}
