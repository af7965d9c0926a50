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

    public IEnumerable<string> Running => _processes.Keys;

    public ServedProcess this[string name] => _processes[name];

    public static async Task<Servers> StartAsync(
        IReadOnlyList<string> names, DatabaseUnderTest database, IReadOnlyDictionary<string, string> settings,
        CancellationToken cancellationToken)
    {
        var servers = new Servers();
        try
        {
            foreach (var name in names)
            {
                servers._processes.Add(name, await (name switch
                {
                    WebSocket => ServedProcess.StartRelayAsync(RelayCommand.WebSocket, cancellationToken),
                    SignalR => ServedProcess.StartRelayAsync(RelayCommand.SignalR, cancellationToken),
                    _ => ServedProcess.StartServerAsync(database, settings, cancellationToken),
                }));
            }

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
