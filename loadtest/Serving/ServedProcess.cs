using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using ChatPay.LoadTest.Baselines;
using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Measuring;

namespace ChatPay.LoadTest.Serving;

/// <summary>A server in a process of its own: ChatPay's program as anybody runs it, or a baseline.</summary>
internal sealed class ServedProcess : IAsyncDisposable
{
    private const string ServerProgram = "ChatPay.Server.dll";
    private const string ServerReady = "ChatPay is ready: open ";
    private const int LinesKept = 200;
    private static readonly TimeSpan s_deadline = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly TaskCompletionSource<Uri> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _readyPrefix;

    private ServedProcess(ProcessStartInfo start, string readyPrefix)
    {
        _readyPrefix = readyPrefix;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => Take(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = new("http://127.0.0.1");

    public int Id => _process.Id;

    /// <summary>What it wrote last.</summary>
    public string Output => string.Join('\n', _lines);

    /// <summary>The server over a database that runs already.</summary>
    /// <param name="settings">Configuration keys such as Realtime:WritesPerSecond.</param>
    public static Task<ServedProcess> StartServerAsync(
        DatabaseUnderTest database, IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken) =>
        StartAsync(ServerStartOf(["serve", "--port", "0"], database, settings), ServerReady, cancellationToken);

    /// <summary>Has the server's program check the books of a database, as its operator does.</summary>
    /// <returns>Whether they are clean, and what it wrote.</returns>
    public static async Task<(bool Clean, string Output)> VerifyLedgerAsync(
        DatabaseUnderTest database, IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken)
    {
        var verify = new ServedProcess(ServerStartOf(["ledger", "verify"], database, settings), ServerReady);
        try
        {
            await verify._process.WaitForExitAsync(cancellationToken);
            return (verify._process.ExitCode == 0, verify.Output);
        }
        finally
        {
            await verify.DisposeAsync();
        }
    }

    /// <param name="kind">As <see cref="RelayCommand"/> takes it.</param>
    public static Task<ServedProcess> StartRelayAsync(string kind, CancellationToken cancellationToken) => StartAsync(
        StartOf(Path.GetFileName(typeof(RelayCommand).Assembly.Location), [RelayCommand.Name, kind]),
        RelayCommand.Ready, cancellationToken);

    /// <summary>CPU time it has taken so far; zero once it is gone, or where there is no /proc.</summary>
    public TimeSpan Cpu => ProcessTimes.Read(Id)?.Own ?? TimeSpan.Zero;

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>Fails with what it wrote if it has ended by itself.</summary>
    public void RequireAlive()
    {
        if (_process.HasExited)
        {
            throw new InvalidOperationException($"A server ended in the middle of the run:\n{Output}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using (var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]))
            {
                await kill.WaitForExitAsync();
            }

            try
            {
                await _process.WaitForExitAsync().WaitAsync(s_deadline);
            }
            catch (TimeoutException)
            {
                await KillAsync();
            }
        }

        _process.Dispose();
    }

    private static ProcessStartInfo ServerStartOf(
        IReadOnlyList<string> arguments, DatabaseUnderTest database, IReadOnlyDictionary<string, string> settings)
    {
        var start = StartOf(ServerProgram, arguments);
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        start.Environment["Logging__LogLevel__Default"] = "Warning";
        foreach (var (key, value) in database.ServerSettings.Select(pair => (pair.Key, pair.Value ?? ""))
            .Concat(settings.Select(pair => (pair.Key, pair.Value))))
        {
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        return start;
    }

    private static ProcessStartInfo StartOf(string program, IReadOnlyList<string> arguments) => new(
        Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
        [Path.Combine(AppContext.BaseDirectory, program), .. arguments])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        UseShellExecute = false,
    };

    private static async Task<ServedProcess> StartAsync(
        ProcessStartInfo start, string readyPrefix, CancellationToken cancellationToken)
    {
        var served = new ServedProcess(start, readyPrefix);
        try
        {
            var ended = served._process.WaitForExitAsync(cancellationToken);
            await Task.WhenAny(served._ready.Task, ended, Task.Delay(s_deadline, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
            served.Address = served._ready.Task.IsCompletedSuccessfully
                ? await served._ready.Task
                : throw new InvalidOperationException($"A server did not get ready:\n{served.Output}");
            return served;
        }
        catch
        {
            await served.DisposeAsync();
            throw;
        }
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        _lines.Enqueue(line);
        while (_lines.Count > LinesKept)
        {
            _lines.TryDequeue(out _);
        }

        if (line.StartsWith(_readyPrefix, StringComparison.Ordinal))
        {
            _ready.TrySetResult(new Uri(line[_readyPrefix.Length..]));
        }
    }
}
