using System.Diagnostics;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Cluster;

/// <summary>Without hints everything still arrives, by checking.</summary>
public sealed class HeadCheckTests(DatabaseFixture database, PostgresFixture postgres) : IClassFixture<DatabaseFixture>
{
    private const int OftenMs = 200;

    /// <summary>As promised: a check begins every two seconds.</summary>
    private static readonly TimeSpan s_between = TimeSpan.FromSeconds(2);

    /// <summary>What the check itself may take: to ask for the heads, to read the page, and to push it.</summary>
    private static readonly TimeSpan s_check = TimeSpan.FromMilliseconds(300);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("127.0.0.1:1")]
    public async Task Two_nodes_without_a_redis_deliver_by_checking(string redis)
    {
        await using var nodes = await TwoNodes.StartAsync(database.ConnectionString, redis);
        Assert.Equal(redis.Length > 0 ? "degraded" : "ready", await TwoNodes.HealthAsync(nodes.A));
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await ben.Heads.FirstAsync(view => view.Id == group.Id);
        for (var i = 0; i < 250; i++)
        {
            await group.SendAsync(ada);
        }

        var events = await ben.Events.UntilAsync(events => events.Count >= 251);
        Assert.Equal(Enumerable.Range(1, 251).Select(seq => (long)seq), events.Select(e => e.Seq));
    }

    [Fact]
    public async Task What_no_hint_tells_of_arrives_within_the_two_seconds_between_two_checks()
    {
        await using var nodes = await TwoNodes.StartAsync(database.ConnectionString, redis: "");
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await ben.Heads.FirstAsync(view => view.Id == group.Id);
        for (var i = 0; i < 3; i++)
        {
            var sent = await group.SendAsync(ada);
            var acknowledged = Stopwatch.GetTimestamp();
            await using var lost = new LostTime();
            await ben.Events.FirstAsync(e => e.Seq == sent.Seq);
            Assert.InRange(Stopwatch.GetElapsedTime(acknowledged), TimeSpan.Zero, s_between + s_check + lost.Total);
        }
    }

    [Fact]
    public async Task Who_is_added_elsewhere_begins_to_hear_and_who_is_removed_ceases()
    {
        await using var nodes = await TwoNodes.StartAsync(database.ConnectionString, redis: "", OftenMs);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        await using var eve = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.GroupAsync(ada);
        await group.SendAsync(ada);

        // Ben is the first there who hears it, Eve the second.
        var ben1 = await group.CommitAsync(ada, adds: [ben]);
        await ben.Heads.FirstAsync(view => view.Id == group.Id);
        var eve1 = await group.CommitAsync(ada, adds: [eve]);
        await eve.Heads.FirstAsync(view => view.Id == group.Id);
        await eve.DeviceMessages.FirstAsync(message => message.Conversation == group.Id);
        var removed = await group.CommitAsync(ada, removes: [group.LeafOf(ben)]);
        var after = await group.SendAsync(ada);
        await eve.Events.FirstAsync(e => e.Seq == after.Seq);
        await ben.Events.FirstAsync(e => e.Seq == removed.Seq);

        Assert.Equal([ben1.Seq, eve1.Seq, removed.Seq], ben.Events.Items.Select(e => e.Seq));
        Assert.Equal([eve1.Seq, removed.Seq, after.Seq], eve.Events.Items.Select(e => e.Seq));
        Assert.Single(ben.Heads.Items);
    }

    [Fact]
    public async Task Receipts_and_wallets_are_found_and_each_is_told_once()
    {
        await using var nodes = await TwoNodes.StartAsync(database.ConnectionString, redis: "", OftenMs);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await ben.Events.FirstAsync(e => e.Conversation == group.Id);
        await ben.Hub.MarkAsync(new([new(group.Id, 1, 0)]), Cancellation);
        await ada.Receipts.FirstAsync(receipt => receipt.Delivered == 1);
        await ben.Hub.MarkAsync(new([new(group.Id, 1, 1)]), Cancellation);
        await ada.Receipts.FirstAsync(receipt => receipt.Read == 1);

        for (var times = 1; times <= 2; times++)
        {
            await TwoNodes.PayAsync(group, ada, ben, 1000);
            await ben.Wallet.FirstAsync(balance => balance.BalanceMinor == 100_000 + (times * 1000));
            await ada.Wallet.FirstAsync(
                balance => balance.BalanceMinor == 100_000 - (times * 1000) && balance.HeldMinor == 0);
        }

        Assert.Equal([(1L, 0L), (1L, 1L)], ada.Receipts.Items.Select(receipt => (receipt.Delivered, receipt.Read)));
        Assert.Equal(ada.Wallet.Items.Distinct(), ada.Wallet.Items);
    }

    [Fact]
    public async Task A_connection_that_was_away_hears_only_what_comes_after_its_hello()
    {
        await using var nodes = await TwoNodes.StartAsync(database.ConnectionString, redis: "", OftenMs);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await ben.Events.FirstAsync(e => e.Seq == 1);
        await ben.DisconnectAsync();
        await group.SendAsync(ada);
        await ben.ConnectAsync(cursors: [new(group.Id, 1)]);
        Assert.Equal(2, Assert.Single(ben.Greeting.Changed).Head);

        var next = await group.SendAsync(ada);
        await ben.Events.FirstAsync(e => e.Seq == next.Seq);
        Assert.Equal([1L, 3L], ben.Events.Items.Select(e => e.Seq));
    }

    [Fact]
    public async Task A_lineage_that_one_node_has_renewed_is_the_others_too()
    {
        await using var nodes = await TwoNodes.StartAsync(database.ConnectionString, redis: "", OftenMs);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        var before = ada.Greeting.Lineage;
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var renew = source.CreateCommand("update lineage set id = gen_random_uuid() returning id");
        var renewed = (Guid)(await renew.ExecuteScalarAsync(Cancellation))!;

        Assert.NotEqual(before, renewed);
        await Eventually.TrueAsync(
            async () => (await ada.ConnectAsync()).Lineage == renewed, "the node that was running says so too");
    }

    [Fact]
    public async Task What_a_check_cannot_read_stops_neither_the_next_nor_the_node()
    {
        var connectionString = await postgres.CreateDatabaseAsync();
        await using var nodes = await TwoNodes.StartAsync(connectionString, redis: "", OftenMs);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var unreadable = source.CreateCommand(
            """
            insert into receipt_round (node_id, conversation_ids, account_ids, device_ids, delivered, read)
            values (gen_random_uuid(), array[gen_random_uuid()], '{}', '{}', '{}', '{}')
            """);
        await unreadable.ExecuteNonQueryAsync(Cancellation);
        await Eventually.TrueAsync(
            () => Task.FromResult(nodes.B.Log.Contains("ClusterWatch[4120]", StringComparison.Ordinal)), "it was met");
        var sent = await group.SendAsync(ada);
        await ben.Events.FirstAsync(e => e.Seq == sent.Seq);

        Assert.False(nodes.B.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested);
    }
}
