using System.Diagnostics;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Cluster;

/// <summary>What happens to Redis costs nobody a message. Regular checks come too late here to help.</summary>
public sealed class RedisFaultTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>
{
    /// <summary>Just below the shortest timeout of the library for Redis.</summary>
    private static readonly TimeSpan s_redisTimeout = TimeSpan.FromMilliseconds(900);

    [Fact]
    public async Task After_a_redis_has_died_and_come_back_everything_missed_is_delivered_and_hints_work_again()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var nodes = await TwoNodes.OverRedisAsync(database.ConnectionString, redis);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await ben.Events.FirstAsync(e => e.Seq == 1);
        for (var round = 0; round < 2; round++)
        {
            await redis.KillAsync();
            await Eventually.TrueAsync(async () => await TwoNodes.HealthAsync(nodes.B) == "degraded", "B is degraded");
            var missed = await group.SendAsync(ada);
            await redis.StartAsync();
            await nodes.HearEachOtherAsync();
            await ben.Events.FirstAsync(e => e.Seq == missed.Seq);
            Assert.Equal("ready", await TwoNodes.HealthAsync(nodes.B));

            // Both checks that follow a silence may still be due; what comes after them has come by a hint.
            for (var i = 0; i < 5; i++)
            {
                var sent = await group.SendAsync(ada);
                await ben.Events.FirstAsync(e => e.Seq == sent.Seq);
            }
        }

        var seqs = ben.Events.Items.Select(e => e.Seq).ToArray();
        Assert.Equal(Enumerable.Range(1, seqs.Length).Select(seq => (long)seq), seqs);
    }

    [Fact]
    public async Task A_redis_that_comes_late_is_found()
    {
        await using var redis = new RedisProcess();
        await using var nodes = await TwoNodes.StartAsync(database.ConnectionString, redis.Address, TwoNodes.Never);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await redis.StartAsync();
        await nodes.HearEachOtherAsync();
        await ben.Events.FirstAsync(e => e.Seq == 1);
        var sent = await group.SendAsync(ada);
        await ben.Events.FirstAsync(e => e.Seq == sent.Seq);
    }

    [Fact]
    public async Task A_redis_that_has_stopped_holds_nobody_up()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var nodes = await TwoNodes.OverRedisAsync(database.ConnectionString, redis);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ann = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.GroupAsync(ada, ann, ben);
        await ben.Events.FirstAsync(e => e.Seq == 1);
        await redis.PauseAsync();

        var slow = 0;
        for (var i = 0; i < 300; i++)
        {
            var started = Stopwatch.GetTimestamp();
            var sent = await group.SendAsync(ada);
            await ann.Events.FirstAsync(e => e.Seq == sent.Seq);
            slow += Stopwatch.GetElapsedTime(started) > s_redisTimeout ? 1 : 0;
        }

        // Whoever waits for Redis does so with each message. A machine with much to do holds up one or another of them.
        Assert.InRange(slow, 0, 10);
        await Eventually.TrueAsync(() => Task.FromResult(!TwoNodes.IsUp(nodes.A)), "A has noticed");
        await redis.ResumeAsync();
        await nodes.HearEachOtherAsync();
        var events = await ben.Events.UntilAsync(events => events.Count >= 301);
        Assert.Equal(Enumerable.Range(1, 301).Select(seq => (long)seq), events.Select(e => e.Seq));
    }
}
