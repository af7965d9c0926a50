using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Cluster;

/// <summary>What is told on one node reaches connections on another, by hints alone: checks come too late here.</summary>
public sealed class RelayTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_sent_on_one_node_arrives_at_the_other()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var nodes = await TwoNodes.OverRedisAsync(database.ConnectionString, redis);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        for (var i = 0; i < 20; i++)
        {
            await group.SendAsync(ada);
        }

        var events = await ben.Events.UntilAsync(events => events.Count >= 21);
        Assert.Equal(Enumerable.Range(1, 21).Select(seq => (long)seq), events.Select(e => e.Seq));
        await ben.Heads.FirstAsync(view => view.Id == group.Id);
        await ben.DeviceMessages.FirstAsync(message => message.Conversation == group.Id);

        await group.SendAsync(ben);
        await ada.Events.FirstAsync(e => e.Seq == 22);
    }

    [Fact]
    public async Task Receipts_typing_and_wallets_cross_over()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var nodes = await TwoNodes.OverRedisAsync(database.ConnectionString, redis);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await ben.Events.FirstAsync(e => e.Conversation == group.Id);

        await ada.Hub.TypingAsync(new(group.Id, true), Cancellation);
        Assert.Equal(ada.Id, (await ben.Ephemeral.FirstAsync(_ => true)).Account);
        await ben.Hub.MarkAsync(new([new(group.Id, 1, 1)]), Cancellation);
        Assert.Equal(ben.Device, (await ada.Receipts.FirstAsync(_ => true)).Device);
        Assert.Empty(ada.Ephemeral.Items);

        await TwoNodes.PayAsync(group, ada, ben, 1234);
        await ben.Wallet.FirstAsync(balance => balance.BalanceMinor == 101_234);
        await ada.Wallet.FirstAsync(balance => balance is { BalanceMinor: 98_766, HeldMinor: 0 });
    }

    [Fact]
    public async Task Who_is_added_on_one_node_hears_on_the_other_and_who_is_removed_hears_no_more()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var nodes = await TwoNodes.OverRedisAsync(database.ConnectionString, redis);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.A.Address);
        await using var eve = await Person.JoinAsync(nodes.B.Address);
        await using var joe = await Person.JoinAsync(nodes.B.Address);

        // Nobody at the other node hears it, then one does, then a second.
        var group = await TestGroup.GroupAsync(ada, ben);
        await group.SendAsync(ada);
        var added = await group.CommitAsync(ada, adds: [eve]);
        await group.SendAsync(ada);
        Assert.Equal([added.Seq, added.Seq + 1], (await eve.Events.UntilAsync(events => events.Count >= 2)).Select(e => e.Seq));
        await eve.Heads.FirstAsync(view => view.Id == group.Id && view.JoinedSeq == added.Seq);
        var second = await group.CommitAsync(ada, adds: [joe]);
        await joe.Events.FirstAsync(e => e.Seq == second.Seq);
        await joe.Heads.FirstAsync(view => view.Id == group.Id);

        var removed = await group.CommitAsync(ada, removes: [group.LeafOf(eve)]);
        await eve.Events.FirstAsync(e => e.Seq == removed.Seq);
        var after = await group.SendAsync(ada);
        await joe.Events.FirstAsync(e => e.Seq == after.Seq);
        Assert.DoesNotContain(eve.Events.Items, e => e.Seq > removed.Seq);
    }

    [Fact]
    public async Task The_end_of_a_session_on_one_node_closes_its_connection_on_the_other()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var nodes = await TwoNodes.OverRedisAsync(database.ConnectionString, redis);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var phone = await ada.OnAnotherDeviceAsync(nodes.B.Address);
        await using var tablet = await ada.OnAnotherDeviceAsync(nodes.B.Address);

        await ada.Client.RevokeDeviceAsync(phone.Device, Cancellation);
        await phone.Controls.FirstAsync(control => control.Kind == ControlKind.Revoked);
        await phone.Closed.FirstAsync(_ => true);
        Assert.Empty(tablet.Controls.Items);
    }
}
