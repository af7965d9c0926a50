using System.Diagnostics;
using System.Globalization;
using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Realtime;

/// <summary>Two nodes on one database, without Redis: what becomes of clients when one dies or a client does.</summary>
public sealed class NodeLossTests(PostgresFixture postgres)
{
    /// <summary>As promised, from the answer to whoever ends the session.</summary>
    private static readonly TimeSpan s_revokedWithin = TimeSpan.FromSeconds(2);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_storm_from_a_killed_node_is_absorbed_by_another()
    {
        const int People = 6;
        const int SessionsEach = 50;
        var database = await postgres.CreateDatabaseAsync();
        await using var other = await TestServer.StartAsync(database, new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Realtime:ConnectionsPerDevice"] = "100",
            ["Realtime:HellosAtOnce"] = "2",
            ["Realtime:HellosWaiting"] = "10",
            ["Realtime:HandshakesAtOnce"] = "4",
        });
        await using var doomed = await NodeAsync(database);
        await doomed.StartAsync();
        var people = new List<Person>();
        for (var i = 0; i < People; i++)
        {
            people.Add(await Person.SignUpAsync(other.Address));
        }

        var group = await TestGroup.GroupAsync(people[0], [.. people.Skip(1)]);
        List<SessionWatcher> all =
        [
            .. people.SelectMany(person => Enumerable.Range(0, SessionsEach).Select(_ => SessionWatcher.Start(
                person, new()
                {
                    Addresses = [doomed.Address, other.Address],
                    Random = FirstZero(),
                    BaseDelay = TimeSpan.FromMilliseconds(200),
                }))),
        ];
        await UntilAsync(() => all.All(one => one.CaughtUp.Items.Count > 0), "all are in sync with the first node");
        Assert.All(all, one => Assert.Equal(1, one.Session.Counts.Connections));

        // Acknowledged by the one, a moment before it dies; and one more while everybody is away.
        var last = await all[0].Session.SendAsync(group.Message(people[0]), Cancellation);
        await doomed.KillAsync();
        var next = await all[1].Session.SendAsync(group.Message(people[0]), Cancellation);
        await UntilAsync(() => all.All(one => one.Events.Items.Any(e => e.Seq == next.Seq)), "everybody has the message");

        Assert.Equal((2, 3), (last.Seq, next.Seq));
        foreach (var one in all)
        {
            Assert.Equal([1, 2, 3], one.Events.Items.Select(e => e.Seq));
        }

        Assert.True(all.Sum(one => one.Session.Counts.HellosRefused) > 0, "The limit was never met.");
        Assert.All(all, one => Assert.InRange(one.Session.Counts.Attempts, 2, 40));
        await Task.WhenAll(all.Select(one => one.DisposeAsync().AsTask()));
        foreach (var person in people)
        {
            await person.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_second_signal_ends_a_drain_at_once()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var node = await NodeAsync(database, ("Hosting__ShutdownTimeoutSeconds", "120"));
        await node.StartAsync();
        await using var ada = await Person.JoinAsync(node.Address);
        await using var ben = await Person.JoinAsync(node.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await using var locked = Npgsql.NpgsqlDataSource.Create(database);
        await using var connection = await locked.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using var command = new Npgsql.NpgsqlCommand("select id from conversation for update", connection, transaction);
        await command.ExecuteNonQueryAsync(Cancellation);
        var running = ada.Hub.SendAsync(group.Message(ada), Cancellation);

        await node.SignalAsync();
        await ada.Controls.FirstAsync(signal => signal.Kind == ControlKind.Reconnect);
        var second = Stopwatch.GetTimestamp();
        Assert.Equal(0, await node.StopAsync());

        // Without the second it would have waited for the call for more than a minute.
        Assert.True(Stopwatch.GetElapsedTime(second) < TimeSpan.FromSeconds(40));
        await Assert.ThrowsAnyAsync<Exception>(() => running);
    }

    [Fact]
    public async Task Revoking_and_signing_out_close_connections_on_other_nodes_in_time()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var here = await TestServer.StartAsync(database);
        await using var there = await TestServer.StartAsync(database);
        await using var ada = await Person.SignUpAsync(here.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        await using var tablet = await ada.OnAnotherDeviceAsync();
        var registry = there.Services.GetRequiredService<ConnectionRegistry>();
        foreach (var (person, end) in new (Person, Func<Task>)[]
        {
            (phone, () => ada.Client.RevokeDeviceAsync(phone.Device, Cancellation)),
            (tablet, () => tablet.Client.SignOutAsync(Cancellation)),
        })
        {
            await using var session = SessionWatcher.Start(person, SessionWatcher.Quick with { Addresses = [there.Address] });
            await session.Session.OnlineAsync(Cancellation);

            // One that takes no notice of anything is closed in the same time.
            using var deaf = await RawHub.ConnectAsync(there.Address, person.Client.Token!, receiveBufferBytes: 4096);
            await deaf.HelloAsync(person.Device);
            Assert.Equal(2, registry.OfDevice(person.Device).Count);

            await end();
            var ended = Stopwatch.GetTimestamp();
            await using var lost = new LostTime();

            var why = await session.Session.Completion.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
            Assert.Equal(ChatSessionEnd.Revoked, why);
            Assert.InRange(Stopwatch.GetElapsedTime(ended), TimeSpan.Zero, s_revokedWithin + lost.Total);
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
            while (registry.OfDevice(person.Device).Count > 0)
            {
                Assert.InRange(Stopwatch.GetElapsedTime(ended), TimeSpan.Zero, s_revokedWithin + lost.Total);
                await timer.WaitForNextTickAsync(Cancellation);
            }
        }
    }

    [Fact]
    public async Task A_client_whose_network_vanished_is_closed_and_costs_others_nothing()
    {
        await using var server = await TestServer.StartAsync(
            await postgres.CreateDatabaseAsync(), new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["Realtime:KeepAliveSeconds"] = "1",
                ["Realtime:ClientTimeoutSeconds"] = "5",
            });
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var gone = await Person.SignUpAsync(server.Address);
        using var silent = await RawHub.ConnectAsync(server.Address, gone.Client.Token!, receiveBufferBytes: 4096);
        await silent.HelloAsync(gone.Device);
        var group = await TestGroup.GroupAsync(ada, ben, gone);
        var registry = server.Services.GetRequiredService<ConnectionRegistry>();
        var slowest = TimeSpan.Zero;
        var sends = 0;

        // From here on it neither reads nor pings, and has not pinged before, which SignalR would wait for for ever.
        // The others go on, which keeps them alive.
        await Eventually.TrueAsync(
            async () =>
            {
                var sent = await group.SendAsync(ada);
                var acknowledged = Stopwatch.GetTimestamp();
                await ben.Events.FirstAsync(e => e.Seq == sent.Seq);
                var took = Stopwatch.GetElapsedTime(acknowledged);
                slowest = took > slowest ? took : slowest;
                await ben.Hub.MarkAsync(new([new(group.Id, sent.Seq, sent.Seq)]), Cancellation);
                sends++;
                return registry.OfDevice(gone.Device).Count == 0;
            },
            "the silent connection is closed");

        Assert.True(slowest < TimeSpan.FromSeconds(4), $"The slowest delivery took {slowest}.");
        Assert.Equal(sends + 1, Assert.Single((await gone.ConnectAsync()).Changed).Head);
    }

    private static async Task<ServerProcess> NodeAsync(string database, params (string Name, string Value)[] more) => new(
        new Dictionary<string, string>(
            more.Select(one => KeyValuePair.Create(one.Name, one.Value)), StringComparer.Ordinal)
        {
            ["Database__ConnectionString"] = database,
            ["Vault__KeyFolder"] = await TestServer.KeyFolderAsync(database),
            ["Realtime__ConnectionsPerDevice"] = "100",
            ["Accounts__PasswordMemoryKib"] = "8192",
            ["Accounts__PasswordPasses"] = "1",
        });

    /// <summary>Chooses the first address first, and is as random as any after that.</summary>
    private static Func<double> FirstZero()
    {
        var usual = new ChatSessionOptions().Random;
        var calls = 0;
        return () => Interlocked.Increment(ref calls) == 1 ? 0 : usual();
    }

    private static async Task UntilAsync(Func<bool> condition, string what)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!condition())
        {
            Assert.False(deadline.IsCancellationRequested, string.Create(CultureInfo.InvariantCulture, $"Not so: {what}"));
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }
}
