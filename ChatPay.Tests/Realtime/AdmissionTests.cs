using System.Net;
using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using ChatPay.Server.Realtime;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Realtime;

/// <summary>Thousands come at once, or the node wants to go: who is let in, and what the others are told.</summary>
public sealed class AdmissionTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Beyond_those_answered_and_those_waiting_a_hello_is_told_when_to_come_back()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var server = await TestServer.StartAsync(database, new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Realtime:HellosAtOnce"] = "1",
            ["Realtime:HellosWaiting"] = "1",
            ["Realtime:HandshakesAtOnce"] = "1",
            ["Realtime:HandshakesWaiting"] = "0",
        });
        await using var ada = await Person.SignUpAsync(server.Address);
        var connections = new List<ChatConnection>();
        for (var i = 0; i < 4; i++)
        {
            // The place at the door was given back each time, or the next would not come in.
            connections.Add(await ada.Client.ConnectAsync(new(), Cancellation));
        }

        var hello = new HelloRequest(ada.Device, Limits.ProtocolVersion, [], null, []);
        Task<HelloReply> answered, waiting;
        await using (var locked = NpgsqlDataSource.Create(database))
        await using (var connection = await locked.OpenConnectionAsync(Cancellation))
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await using var command = new NpgsqlCommand("lock table member in access exclusive mode", connection, transaction);
            await command.ExecuteNonQueryAsync(Cancellation);
            answered = connections[0].HelloAsync(hello, Cancellation);
            await UntilLockedAsync(locked);
            waiting = connections[1].HelloAsync(hello, Cancellation);

            // One of the two waits here and the other is refused at once, whichever came first.
            var third = connections[2].HelloAsync(hello, Cancellation);
            var first = await Task.WhenAny(waiting, third).WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
            waiting = first == waiting ? third : waiting;
            var one = await Person.ErrorOf(first);
            var two = await Person.ErrorOf(connections[3].HelloAsync(hello, Cancellation));

            Assert.All([one, two], refused => Assert.Equal("overloaded", refused.Name));
            Assert.InRange(RetryAfterMs(one), 20, 30_000);
            Assert.True(RetryAfterMs(two) >= RetryAfterMs(one), "Two that were refused got the same place.");
            Assert.False(answered.IsCompleted || waiting.IsCompleted);
        }

        await answered;
        await waiting;
        await connections[3].HelloAsync(hello, Cancellation);
        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_node_on_its_way_out_says_so_everywhere()
    {
        await using var server = await TestServer.StartAsync(await postgres.CreateDatabaseAsync());
        await using var ada = await Person.SignUpAsync(server.Address);
        await ada.OpenAsync();
        using var http = server.CreateClient();
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("health/ready", Cancellation)).StatusCode);

        server.Services.GetRequiredService<Draining>().Begin();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync("health/ready", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("health/live", Cancellation)).StatusCode);
        var hello = await Person.ErrorOf(
            ada.Hub.HelloAsync(new(ada.Device, Limits.ProtocolVersion, [], null, []), Cancellation));
        var door = await Person.ErrorOf(ada.Client.ConnectAsync(new(), Cancellation));
        Assert.All([hello, door], refused => Assert.Equal((int)ErrorCode.Unavailable, refused.Code));
        Assert.All([hello, door], refused => Assert.InRange(RetryAfterMs(refused), 1, 2000));
    }

    [Fact]
    public async Task Draining_spreads_the_clients_finishes_what_runs_and_then_closes()
    {
        const int SpreadMs = 1000;
        var database = await postgres.CreateDatabaseAsync();
        var server = await TestServer.StartAsync(database, new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Realtime:DrainSpreadMs"] = SpreadMs.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["Hosting:ShutdownTimeoutSeconds"] = "60",
        });
        var people = new List<Person>();
        for (var i = 0; i < 5; i++)
        {
            people.Add(await Person.JoinAsync(server.Address));
        }

        var group = await TestGroup.DirectAsync(people[0], people[1]);
        Task stopping;
        Task<SendReply> running;
        await using (var locked = NpgsqlDataSource.Create(database))
        await using (var connection = await locked.OpenConnectionAsync(Cancellation))
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await using var command = new NpgsqlCommand(
                "select id from conversation for update", connection, transaction);
            await command.ExecuteNonQueryAsync(Cancellation);
            running = people[0].Hub.SendAsync(group.Message(people[0]), Cancellation);
            await UntilLockedAsync(locked);
            stopping = server.DisposeAsync().AsTask();
            foreach (var person in people)
            {
                await person.Controls.FirstAsync(signal => signal.Kind == ControlKind.Reconnect);
            }

            // Those who have nothing to say are closed; the one whose call runs is waited for.
            foreach (var person in people.Skip(1))
            {
                await person.Closed.FirstAsync(_ => true);
            }

            Assert.False(running.IsCompleted || stopping.IsCompleted);
        }

        Assert.Equal(2, (await running).Seq);
        await stopping.WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
        var delays = people.Select(person => person.Controls.Items.Single().ReconnectAfterMs!.Value).Order().ToList();
        Assert.Equal([200, 400, 600, 800, 1000], delays);
        foreach (var person in people)
        {
            await person.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_drain_under_traffic_loses_nothing()
    {
        const int Messages = 120;
        var database = await postgres.CreateDatabaseAsync();
        await using var staying = await TestServer.StartAsync(database);
        var leaving = await TestServer.StartAsync(database, new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Realtime:DrainSpreadMs"] = "100",
        });
        await using var ada = await Person.SignUpAsync(leaving.Address);
        await using var ben = await Person.SignUpAsync(leaving.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var options = SessionWatcher.Quick with { Addresses = [leaving.Address, staying.Address], Random = () => 0.25 };
        await using var sender = SessionWatcher.Start(ada, options);
        await using var receiver = SessionWatcher.Start(ben, options);
        await receiver.Session.OnlineAsync(Cancellation);

        var acknowledged = new List<(ClientMessageId Id, long Seq)>();
        Task stopping = Task.CompletedTask;
        for (var i = 0; i < Messages; i++)
        {
            var message = group.Message(ada);
            acknowledged.Add((message.ClientId, (await sender.Session.SendAsync(message, Cancellation)).Seq));
            stopping = i == Messages / 3 ? leaving.DisposeAsync().AsTask() : stopping;
        }

        await stopping;
        var log = await receiver.LogUpToAsync(group.Id, Messages + 1);
        Assert.Equal(acknowledged, log.Skip(1).Select(e => (e.ClientId!.Value, e.Seq)));
        Assert.True(sender.Session.Counts.Connections >= 2, "The sender never had to go over.");
    }

    [Fact]
    public async Task What_was_pushed_while_a_hello_was_reading_is_named_by_it()
    {
        await using var server = await TestServer.StartAsync(await postgres.CreateDatabaseAsync());
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.SignUpAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await ben.OpenAsync();
        var registry = server.Services.GetRequiredService<ConnectionRegistry>();
        var connection = Assert.Single(registry.OfDevice(ben.Device));

        // It reads head 1; then an event comes that it cannot be given, because it hears nothing yet.
        registry.BeginHello(connection);
        await group.SendAsync(ada);
        await ada.Events.FirstAsync(e => e.Seq == 2);

        Assert.Equal([group.Id], registry.EndHello(connection, [new(group.Id, ben.Id, 1, null, Head: 1)]));
    }

    /// <summary>Until some statement waits for a lock.</summary>
    private static Task UntilLockedAsync(NpgsqlDataSource database) => Eventually.TrueAsync(
        async () =>
        {
            await using var command = database.CreateCommand(
                "select exists (select from pg_locks l join pg_stat_activity a using (pid) "
                + "where not l.granted and a.datname = current_database())");
            return (bool)(await command.ExecuteScalarAsync(Cancellation))!;
        },
        "a statement waits for the lock");

    private static int RetryAfterMs(ErrorBody error) =>
        Convert.ToInt32(error.Details!["retryAfterMs"].ToString(), System.Globalization.CultureInfo.InvariantCulture);
}
