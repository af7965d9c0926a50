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
}
