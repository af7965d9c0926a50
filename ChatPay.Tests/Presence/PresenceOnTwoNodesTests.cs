using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Presence;

/// <summary>Somebody is there wherever one of its devices is connected.</summary>
public sealed class PresenceOnTwoNodesTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Coming_going_and_hiding_on_one_node_is_seen_on_the_other()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var a = await PresenceNodes.StartAsync(database, redis: redis.Address);
        await using var b = await PresenceNodes.StartAsync(database, redis: redis.Address);
        await PresenceNodes.HearingRedisAsync(a, b);
        await using var ada = await Person.JoinAsync(a.Address);
        await using var ben = await Person.JoinAsync(b.Address);
        await TestGroup.DirectAsync(ada, ben);
        await SeesAsync(ada, ben, online: true);
        await SeesAsync(ben, ada, online: true);

        await ben.DisconnectAsync();
        var gone = await ada.Presence.FirstAsync(view => view.Account == ben.Id && !view.Online);
        Assert.NotNull(gone.LastSeen);
        var told = ada.Presence.Items.Count;
        await ben.ConnectAsync();
        await ada.Presence.UntilAsync(views => views.Skip(told).Contains(new(ben.Id, Online: true)));
        await SeesAsync(ben, ada, online: true);

        told = ada.Presence.Items.Count;
        await ben.Client.ChangePresenceAsync(PresenceVisibility.Nobody, Cancellation);
        await ada.Presence.UntilAsync(views => views.Skip(told).Contains(new(ben.Id, Online: false)));
        await SeesAsync(ada, ben, online: false);
        await ben.Presence.FirstAsync(view => view == new PresenceView(ada.Id, Online: false));
    }

    [Fact]
    public async Task Who_moves_from_one_node_to_the_other_was_never_away()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var a = await PresenceNodes.StartAsync(database, redis: redis.Address, offlineAfterSeconds: 1);
        await using var b = await PresenceNodes.StartAsync(database, redis: redis.Address, offlineAfterSeconds: 1);
        await PresenceNodes.HearingRedisAsync(a, b);
        await using var ada = await Person.JoinAsync(a.Address);
        await using var ben = await Person.JoinAsync(a.Address);
        await using var phone = await ben.OnAnotherDeviceAsync(b.Address);
        await using var cai = await Person.JoinAsync(a.Address);
        await TestGroup.GroupAsync(ada, ben, cai);
        await SeesAsync(ada, ben, online: true);
        await ada.Hub.WatchPresenceAsync(new([ben.Id, cai.Id]), Cancellation);

        await ben.DisconnectAsync();
        await cai.DisconnectAsync();
        await ada.Presence.FirstAsync(view => view.Account == cai.Id && !view.Online);
        Assert.DoesNotContain(ada.Presence.Items, view => view.Account == ben.Id && !view.Online);
        await phone.DisconnectAsync();
        await ada.Presence.FirstAsync(view => view.Account == ben.Id && !view.Online);
    }

    [Fact]
    public async Task The_people_of_a_dead_node_are_gone_when_its_time_is_up()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var a = await PresenceNodes.StartAsync(database, PresenceNodes.Never, redis.Address, nodeTtlSeconds: 1);
        await using var b = await PresenceNodes.StartAsync(database, PresenceNodes.Never, redis.Address, nodeTtlSeconds: 1);
        await PresenceNodes.HearingRedisAsync(a, b);
        await using var ada = await Person.JoinAsync(a.Address);
        await using var ben = await Person.JoinAsync(b.Address);
        await TestGroup.DirectAsync(ada, ben);
        await SeesAsync(ada, ben, online: true);

        await b.DisposeAsync();
        var gone = await ada.Presence.FirstAsync(view => view.Account == ben.Id && !view.Online);
        Assert.NotNull(gone.LastSeen);
    }

    [Fact]
    public async Task A_redis_that_has_forgotten_everything_is_told_again()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var a = await PresenceNodes.StartAsync(database, redis: redis.Address, nodeTtlSeconds: 1);
        await using var b = await PresenceNodes.StartAsync(database, redis: redis.Address, nodeTtlSeconds: 1);
        await PresenceNodes.HearingRedisAsync(a, b);
        await using var ada = await Person.JoinAsync(a.Address);
        await using var ben = await Person.JoinAsync(b.Address);
        await TestGroup.DirectAsync(ada, ben);
        await SeesAsync(ada, ben, online: true);

        await redis.KillAsync();
        await ada.Presence.FirstAsync(view => view.Account == ben.Id && !view.Online);
        await SeesAsync(ada, ben, online: false);
        var told = ada.Presence.Items.Count;
        await redis.StartAsync();
        await ada.Presence.UntilAsync(views => views.Skip(told).Contains(new(ben.Id, Online: true)));
    }

    [Fact]
    public async Task Without_a_redis_each_node_knows_its_own_people()
    {
        await using var a = await PresenceNodes.StartAsync(database);
        await using var b = await PresenceNodes.StartAsync(database);
        await using var ada = await Person.JoinAsync(a.Address);
        await using var ben = await Person.JoinAsync(b.Address);
        await using var cai = await Person.JoinAsync(a.Address);
        await TestGroup.GroupAsync(ada, ben, cai);
        await SeesAsync(ada, cai, online: true);
        await SeesAsync(ada, ben, online: false);
    }

    private static Task SeesAsync(Person watcher, Person watched, bool online) => Eventually.TrueAsync(
        async () => (await watcher.Hub.WatchPresenceAsync(new([watched.Id]), Cancellation)).Accounts is [var view]
            && view.Online == online,
        $"online is {online}");
}
