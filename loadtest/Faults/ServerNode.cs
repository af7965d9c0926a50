using System.Globalization;

namespace ChatPay.LoadTest.Faults;

/// <summary>One ChatPay server of several, on one port for its whole life, however often it dies.</summary>
/// <param name="log">Where to append what it writes; null for nowhere.</param>
internal sealed class ServerNode(string name, string folder, Dictionary<string, string> settings, FileInfo? log)
    : IAsyncDisposable
{
    private const string Ready = "ChatPay is ready: open ";
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(2);

    private readonly Lock _lock = new();
    private ChildProcess? _process;

    public string Name => name;

    public int Port { get; } = ChildProcess.FreePort();

    public Uri Address => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}/"));

    /// <summary>What it wrote last.</summary>
    public string Output => _process?.Output ?? "";

    public bool IsRunning => _process is { HasExited: false };

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        var ready = false;
        _process = ChildProcess.Start(
            Host,
            [
                Program, "serve", "--urls", Address.GetLeftPart(UriPartial.Authority), "--data",
                Path.Combine(folder, name),
            ],
            folder,
            line =>
            {
                ready |= line.StartsWith(Ready, StringComparison.Ordinal);
                Append(line);
            },
            Environment());
        await _process.UntilAsync(_ => Task.FromResult(Volatile.Read(ref ready)), s_timeout, cancellationToken);
    }

    public Task KillAsync() => _process!.KillAsync();

    public Task PauseAsync() => _process!.SignalAsync("STOP");

    public Task ResumeAsync() => _process!.SignalAsync("CONT");

    /// <summary>SIGTERM; says whether it drained and ended in time, with exit code 0.</summary>
    public async Task<bool> DrainAsync() => await _process!.StopAsync() && _process.ExitCode == 0;

    /// <summary>Runs another command of the program beside it.</summary>
    public async Task<(int ExitCode, string Output)> RunAsync(
        IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        await using var command = ChildProcess.Start(Host, [Program, .. arguments], folder, null, Environment());
        await command.WaitForExitAsync(cancellationToken);
        return (command.ExitCode, command.Output);
    }

    public ValueTask DisposeAsync() => _process?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static string Host => System.Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    private static string Program => Path.Combine(AppContext.BaseDirectory, "ChatPay.Server.dll");

    private void Append(string line)
    {
        if (log is not null)
        {
            lock (_lock)
            {
                File.AppendAllText(log.FullName, line + "\n");
            }
        }
    }

    private Dictionary<string, string> Environment() => settings.ToDictionary(
        setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => setting.Value,
        StringComparer.Ordinal);
}
