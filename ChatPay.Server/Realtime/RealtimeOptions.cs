using System.ComponentModel.DataAnnotations;

namespace ChatPay.Server.Realtime;

/// <summary>Configuration section <c>Realtime</c>.</summary>
internal sealed class RealtimeOptions
{
    public const string Section = "Realtime";

    /// <summary>Pushes waiting for one connection at most, 16 to 65,536. Default 2,048.</summary>
    [Range(16, 65_536)]
    public int OutboundPushes { get; set; } = 2048;

    /// <summary>Bytes waiting for one connection at most, 65,536 to 67,108,864. Default 2 MiB.</summary>
    [Range(65_536, 67_108_864)]
    public int OutboundBytes { get; set; } = 2 * 1024 * 1024;

    /// <summary>Bytes joined into one frame before it is sent, 1,024 to 1,048,576. Default 64 KiB.</summary>
    [Range(1024, 1_048_576)]
    public int FrameBytes { get; set; } = 64 * 1024;

    /// <summary>A connection that takes nothing for this long is closed, 1 to 300 seconds. Default 15.</summary>
    [Range(1, 300)]
    public int SlowReaderSeconds { get; set; } = 15;

    /// <summary>
    /// Committed batches waiting for fan-out at most, 16 to 65,536; beyond it everybody resyncs. Default 1,024.
    /// </summary>
    [Range(16, 65_536)]
    public int FanoutBatches { get; set; } = 1024;

    /// <summary>Live connections of one device at most, 1 to 100; the oldest gives way. Default 8.</summary>
    [Range(1, 100)]
    public int ConnectionsPerDevice { get; set; } = 8;

    /// <summary>Seconds between the server's pings, 1 to 300. Default 15.</summary>
    [Range(1, 300)]
    public int KeepAliveSeconds { get; set; } = 15;

    /// <summary>A client that says nothing for this long is gone, 2 to 600 seconds. Default 30.</summary>
    [Range(2, 600)]
    public int ClientTimeoutSeconds { get; set; } = 30;

    /// <summary>
    /// Whether plain messages and card actions pass SignalR's dispatcher by, as long as nobody traces calls. Default true; false
    /// costs about a sixth of a message and lets hub filters see every call.
    /// </summary>
    public bool CallLane { get; set; } = true;

    /// <summary>A client must have shaken hands after this long, 1 to 60 seconds. Default 10.</summary>
    [Range(1, 60)]
    public int HandshakeSeconds { get; set; } = 10;

    /// <summary>
    /// Connections being authenticated at once, 1 to 10,000, so that a storm of them leaves the database to others.
    /// Default 32.
    /// </summary>
    [Range(1, 10_000)]
    public int HandshakesAtOnce { get; set; } = 32;

    /// <summary>
    /// Connections waiting for that at most, 0 to 1,000,000; beyond it they get overloaded. Default 8,192.
    /// </summary>
    [Range(0, 1_000_000)]
    public int HandshakesWaiting { get; set; } = 8192;

    /// <summary>Hellos being answered at once, 1 to 1,000. Default 16.</summary>
    [Range(1, 1000)]
    public int HellosAtOnce { get; set; } = 16;

    /// <summary>
    /// Hellos waiting at most, 0 to 1,000,000; beyond it they get overloaded, with the time when there will be room.
    /// Default 512.
    /// </summary>
    [Range(0, 1_000_000)]
    public int HellosWaiting { get; set; } = 512;

    /// <summary>
    /// The longest that a refused Hello is told to stay away, 100 to 600,000 milliseconds. Default 30,000.
    /// </summary>
    [Range(100, 600_000)]
    public int HelloRetryMaxMs { get; set; } = 30_000;

    /// <summary>
    /// A node that stops tells its clients to come back over this long, each at another time, 0 to 600,000
    /// milliseconds. Default 5,000.
    /// </summary>
    [Range(0, 600_000)]
    public int DrainSpreadMs { get; set; } = 5000;

    /// <summary>Sends of any kind, commits and card actions per second and connection, 1 to 10,000. Default 20.</summary>
    [Range(1, 10_000)]
    public int WritesPerSecond { get; set; } = 20;

    /// <summary>Sends of any kind, commits and card actions at once after a pause, 1 to 100,000. Default 60.</summary>
    [Range(1, 100_000)]
    public int WriteBurst { get; set; } = 60;

    /// <summary>
    /// Hello, Sync, PullDevice, AckDevice and WatchPresence per second and connection, 1 to 10,000. Default 10.
    /// </summary>
    [Range(1, 10_000)]
    public int ReadsPerSecond { get; set; } = 10;

    /// <summary>
    /// Hello, Sync, PullDevice, AckDevice and WatchPresence at once after a pause, 1 to 100,000. Default 60.
    /// </summary>
    [Range(1, 100_000)]
    public int ReadBurst { get; set; } = 60;

    /// <summary>Marks and typing signals per second and connection, 1 to 10,000. Default 20.</summary>
    [Range(1, 10_000)]
    public int SignalsPerSecond { get; set; } = 20;

    /// <summary>Marks and typing signals at once after a pause, 1 to 100,000. Default 40.</summary>
    [Range(1, 100_000)]
    public int SignalBurst { get; set; } = 40;

    /// <summary>
    /// A typing signal is void after this long unless renewed, 1,000 to 60,000 milliseconds. Default 6,000.
    /// </summary>
    [Range(1000, 60_000)]
    public int TypingTtlMs { get; set; } = 6000;

    /// <summary>Receipts are written and pushed this often, 10 to 10,000 milliseconds. Default 100.</summary>
    [Range(10, 10_000)]
    public int ReceiptFlushMs { get; set; } = 100;

    /// <summary>Changed receipts held in memory at most, 100 to 1,000,000. Default 100,000.</summary>
    [Range(100, 1_000_000)]
    public int ReceiptsPending { get; set; } = 100_000;
}
