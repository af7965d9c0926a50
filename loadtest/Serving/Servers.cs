using ChatPay.LoadTest.Baselines;
using ChatPay.LoadTest.Database;

namespace ChatPay.LoadTest.Serving;

/// <summary>ChatPay and its baselines, each in a process of its own; all run at once, one at a time is driven.</summary>
internal sealed class Servers : IAsyncDisposable
{
    public const string WebSocket = "raw_websocket";
    public const string SignalR = "signalr_relay";
    public const string ChatPay = "chatpay";

    private readonly Dictionary<string, ServedProcess> _processes = new(StringComparer.Ordinal);

    private Servers()
    {
    }

    /// <summary>In the order in which they are measured in every round.</summary>
    public static IReadOnlyList<string> Names { get; } = [WebSocket, SignalR, ChatPay];

    public ServedProcess this[string name] => _processes[name];

    public static async Task<Servers> StartAsync(
        DatabaseUnderTest database, IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken)
    {
        var servers = new Servers();
        try
        {
            servers._processes.Add(
                WebSocket, await ServedProcess.StartRelayAsync(RelayCommand.WebSocket, cancellationToken));
            servers._processes.Add(SignalR, await ServedProcess.StartRelayAsync(RelayCommand.SignalR, cancellationToken));
            servers._processes.Add(
                ChatPay, await ServedProcess.StartServerAsync(database, settings, cancellationToken));
            return servers;
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes.Values)
        {
            await process.DisposeAsync();
        }
    }
}
