using ChatPay.Core.Protocol;

namespace ChatPay.LoadTest.Faults;

/// <summary>Clients that do not read, and clients that all come back at once.</summary>
internal static class ClientFaults
{
    private const int NeverReaders = 6;
    private const int ReceiveBufferBytes = 2048;
    private const int Storms = 3;

    /// <summary>Connections that hear everything and take in nothing, beside those that do.</summary>
    public static async Task NeverReadAsync(FaultRun run, CancellationToken cancellationToken)
    {
        var hubs = new List<RawHub>();
        try
        {
            for (var index = 0; index < NeverReaders; index++)
            {
                var device = run.Bench.Crowd.Devices[run.Bench.Below(run.Bench.Crowd.Devices.Count)];
                var front = run.Bench.Front[index % run.Bench.Front.Count];
                var hub = await RawHub.ConnectAsync(front, device.Client.Token!, ReceiveBufferBytes, cancellationToken);
                hubs.Add(hub);
                await hub.SendAsync(
                    $$"""
                    {"type":1,"invocationId":"1","target":"Hello","arguments":[{"device":"{{device.Device}}",
                    "protocol":{{Limits.ProtocolVersion}},"capabilities":[],"cursors":[]}]}
                    """,
                    cancellationToken);
            }

            await Task.Delay(run.Bench.Options.Pause, cancellationToken);
            await run.RequireWorkAsync("beside clients that do not read", cancellationToken);
        }
        finally
        {
            hubs.ForEach(hub => hub.Dispose());
        }
    }

    /// <summary>Everybody loses the connection at the same moment, and again before all are back.</summary>
    public static async Task StormAsync(FaultRun run, CancellationToken cancellationToken)
    {
        for (var storm = 0; storm < Storms; storm++)
        {
            var cut = run.Bench.Proxies.Sum(proxy => proxy.CutAll());
            if (storm == 0 && cut == 0)
            {
                run.Bench.Book.Violate(Rules.FaultsEffective, "nobody was connected when everybody was to be cut off");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(run.Bench.Below(500)), cancellationToken);
        }
    }
}
