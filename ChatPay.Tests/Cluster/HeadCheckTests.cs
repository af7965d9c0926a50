using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Cluster;

/// <summary>Without hints everything still arrives, by the check of the heads.</summary>
public sealed class HeadCheckTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>
{
    [Theory]
    [InlineData("")]
    [InlineData("127.0.0.1:1")]
    public async Task Two_nodes_without_a_redis_deliver_by_checking(string redis)
    {
        await using var nodes = await TwoNodes.StartAsync(database.ConnectionString, redis);
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
}
