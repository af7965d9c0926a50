using System.Diagnostics;
using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Driving;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Serving;
using Npgsql;

namespace ChatPay.LoadTest.Chatting;

/// <summary>One of a conversation's two who reads by the SDK: what it reads is parsed as any client would.</summary>
/// <param name="Head">Where the log ended when it connected.</param>
internal sealed record GrowthReader(ChatRoom Room, ChatPayClient Client, ChatConnection Connection, long Head);

/// <summary>Two who talk in each conversation of a row, and a reader beside them.</summary>
internal sealed class GrowthCrowds : IAsyncDisposable
{
    private const int CallsAtOnce = 4;
    private static readonly TimeSpan s_drive = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(2);

    private readonly ServedProcess _server;
    private readonly IReadOnlyList<ChatRoom> _rooms;
    private readonly List<Crowd> _crowds = [];
    private readonly List<GrowthReader> _readers = [];

    private GrowthCrowds(ServedProcess server, IReadOnlyList<ChatRoom> rooms) => (_server, _rooms) = (server, rooms);

    /// <summary>In the order of the conversations; the last one is for warming up.</summary>
    public IReadOnlyList<Crowd> Crowds => _crowds;

    public IReadOnlyList<GrowthReader> Readers => _readers;

    public static async Task<GrowthCrowds> OpenAsync(
        Servers servers, IReadOnlyList<ChatRoom> rooms, int payloadBytes, CancellationToken cancellationToken)
    {
        var server = servers[Servers.ChatPay];
        var opened = new GrowthCrowds(server, rooms);
        try
        {
            foreach (var room in rooms)
            {
                var crowd = Chatting.Crowds.Create(Servers.ChatPay, server, [room], payloadBytes);
                opened._crowds.Add(crowd);
                await crowd.OpenAsync(cancellationToken);
                opened._readers.Add(await ReaderAsync(server, room, cancellationToken));
            }

            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends in the last conversation until so many have come.</summary>
    public async Task<bool> WarmUpAsync(ServingProbe probe, int messages, CancellationToken cancellationToken)
    {
        var crowd = _crowds[^1];
        var settled = true;
        var begun = Stopwatch.GetTimestamp();
        while (settled && crowd.Delivered < messages && Stopwatch.GetElapsedTime(begun) < s_longest)
        {
            await crowd.LoopAsync(probe, TimeSpan.Zero, s_drive, cancellationToken);
            settled = await crowd.SettleAsync(1, cancellationToken);
        }

        return settled;
    }

    /// <summary>A few callers ask for the same again and again for so long.</summary>
    public Task<SectionResult> CallAsync(
        Func<ulong, CancellationToken, Task> call, ServingProbe probe, TimeSpan window,
        CancellationToken cancellationToken) =>
        CallAsync(call, probe, (_, elapsed) => elapsed < window, cancellationToken);

    /// <summary>A few callers ask so many times.</summary>
    public Task<SectionResult> CallAsync(
        Func<ulong, CancellationToken, Task> call, ServingProbe probe, long calls,
        CancellationToken cancellationToken) =>
        CallAsync(call, probe, (count, _) => count < calls, cancellationToken);

    public async Task<Dictionary<string, bool>> InvariantsAsync(
        bool settled, NpgsqlDataSource owner, CancellationToken cancellationToken)
    {
        var logged = await ChatStore.CountMessagesAsync(owner, [.. _rooms.Select(room => room.Id)], cancellationToken);
        return new(StringComparer.Ordinal)
        {
            ["chatpay_delivered_exactly_once_in_order"] = _crowds.TrueForAll(crowd => crowd.Violation is null),
            ["everything_acknowledged_and_delivered"] = settled,
            ["logs_are_without_gaps"] = logged > 0,
        };
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var crowd in _crowds)
        {
            await crowd.DisposeAsync();
        }

        foreach (var reader in _readers)
        {
            await reader.Connection.DisposeAsync();
            reader.Client.Dispose();
        }
    }

    private static async Task<GrowthReader> ReaderAsync(
        ServedProcess server, ChatRoom room, CancellationToken cancellationToken)
    {
        var client = new ChatPayClient(server.Address, room.Members[0].Token);
        await client.MeAsync(cancellationToken);
        var connection = await client.ConnectAsync(new ChatHandlers(), cancellationToken);
        var hello = await connection.HelloAsync(
            new(room.Members[0].Device, Limits.ProtocolVersion, [], null, []), cancellationToken);
        return new(room, client, connection, hello.Changed[0].Head);
    }

    private async Task<SectionResult> CallAsync(
        Func<ulong, CancellationToken, Task> call, ServingProbe probe, Func<long, TimeSpan, bool> goesOn,
        CancellationToken cancellationToken)
    {
        var latencies = new LatencyHistogram();
        var count = 0L;
        var before = await probe.ReadAsync(_server, cancellationToken);
        var begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, CallsAtOnce).Select(async _ =>
        {
            while (goesOn(Interlocked.Read(ref count), Stopwatch.GetElapsedTime(begun)))
            {
                var started = Stopwatch.GetTimestamp();
                await call((ulong)started, cancellationToken);
                latencies.Record(Stopwatch.GetTimestamp() - started);
                Interlocked.Increment(ref count);
            }
        }));
        var elapsed = Stopwatch.GetElapsedTime(begun);
        var used = await probe.ReadAsync(_server, cancellationToken) - before;
        return new SectionResult(
            count / elapsed.TotalSeconds, latencies.Percentile(0.5), latencies.Percentile(0.99),
            used.Server.TotalMicroseconds / count, used.Postgres?.TotalMicroseconds / count, null, null, null)
        {
            DriverCpuMicros = used.Driver.TotalMicroseconds / count,
        };
    }
}
