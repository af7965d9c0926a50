using System.Diagnostics;
using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;
using ChatPay.Tests.Cluster;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Realtime;

public sealed class SlowReaderTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>
{
    /// <summary>Far more than sockets and queues between server and client can hold.</summary>
    private const int Messages = 200;

    private const int MessageBytes = 60_000;

    private static readonly TimeSpan s_closedWithin = TimeSpan.FromSeconds(2);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_who_does_not_read_delays_nobody_and_is_closed()
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Realtime:OutboundBytes"] = "262144",
            ["Realtime:SlowReaderSeconds"] = "8",
            ["Realtime:ClientTimeoutSeconds"] = "600",
        };
        await using var server = await TestServer.StartAsync(database.ConnectionString, settings);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var deaf = await Person.SignUpAsync(server.Address);
        using var socket = await RawHub.ConnectAsync(server.Address, deaf.Client.Token!, receiveBufferBytes: 4096);
        await socket.HelloAsync(deaf.Device);
        var group = await TestGroup.GroupAsync(ada, ben, deaf);
        var registry = server.Services.GetRequiredService<ConnectionRegistry>();
        Assert.Single(registry.OfDevice(deaf.Device));

        var slowest = TimeSpan.Zero;
        for (var i = 0; i < Messages; i++)
        {
            var sent = await ada.Hub.SendAsync(group.Message(ada, null, MessageBytes), Cancellation);
            var acknowledged = Stopwatch.GetTimestamp();
            await ben.Events.FirstAsync(e => e.Seq == sent.Seq);
            var took = Stopwatch.GetElapsedTime(acknowledged);
            slowest = took > slowest ? took : slowest;
        }

        // Had anybody waited for the deaf socket, it would have been until it was closed.
        Assert.True(slowest < TimeSpan.FromSeconds(4), $"The slowest delivery took {slowest}.");
        await Eventually.TrueAsync(
            () => Task.FromResult(registry.OfDevice(deaf.Device).Count == 0), "the deaf connection is closed");

        // Nothing is lost for it either: the log has it all.
        var greeting = await deaf.ConnectAsync();
        Assert.Equal(Messages + 1, Assert.Single(greeting.Changed).Head);
    }

    [Fact]
    public async Task One_who_does_not_read_is_cut_off_in_time_when_its_session_ends()
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Realtime:SlowReaderSeconds"] = "300",
            ["Realtime:ClientTimeoutSeconds"] = "600",
        };
        await using var server = await TestServer.StartAsync(database.ConnectionString, settings);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var deaf = await Person.SignUpAsync(server.Address);
        using var socket = await RawHub.ConnectAsync(server.Address, deaf.Client.Token!, receiveBufferBytes: 4096);
        await socket.HelloAsync(deaf.Device);
        var group = await TestGroup.GroupAsync(ada, deaf);
        var registry = server.Services.GetRequiredService<ConnectionRegistry>();
        var connection = Assert.Single(registry.OfDevice(deaf.Device));
        while (connection.StuckFor < TimeSpan.FromMilliseconds(200))
        {
            await ada.Hub.SendAsync(group.Message(ada, null, MessageBytes), Cancellation);
        }

        await deaf.Client.SignOutAsync(Cancellation);
        var ended = Stopwatch.GetTimestamp();
        await Eventually.TrueAsync(
            () => Task.FromResult(registry.OfDevice(deaf.Device).Count == 0), "the deaf connection is closed");
        Assert.InRange(Stopwatch.GetElapsedTime(ended), TimeSpan.Zero, s_closedWithin);
    }

    /// <summary>What its queue had no room for may have been the news of a conversation, and nobody speaks there again.</summary>
    [Fact]
    public async Task One_who_is_told_to_resync_learns_of_a_conversation_whose_news_were_dropped()
    {
        await using var nodes = await TwoNodes.StartAsync(database.ConnectionString, redis: "", TwoNodes.Never);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        await ben.DisconnectAsync();
        await using var session = SessionWatcher.Start(ben);
        await session.CaughtUp.FirstAsync(_ => true);
        var group = await TestGroup.DirectAsync(ada, ben);
        var sent = await group.SendAsync(ada);
        Assert.Empty(session.Events.Items);

        nodes.B.Services.GetRequiredService<ConnectionRegistry>().ToDevice(
            ben.Device, Push.Of(new ControlSignal(ControlKind.Resync)));
        await session.LogUpToAsync(group.Id, sent.Seq);
        await session.DeviceMessages.FirstAsync(message => message.Conversation == group.Id);
    }
}
