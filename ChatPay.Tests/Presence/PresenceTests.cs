using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Presence;

public sealed class PresenceTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Watchers_are_told_who_is_there_who_goes_and_who_comes_back()
    {
        await using var server = await PresenceNodes.StartAsync(database);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await TestGroup.DirectAsync(ada, ben);
        await SeesAsync(ada, ben, online: true);

        await ben.DisconnectAsync();
        var gone = await ada.Presence.FirstAsync(view => view.Account == ben.Id && !view.Online);
        Assert.NotNull(gone.LastSeen);
        Assert.Equal(0, gone.LastSeen.Value.ToUnixTimeSeconds() % (Limits.LastSeenMinutes * 60));
        var again = Assert.Single((await ada.Hub.WatchPresenceAsync(new([ben.Id]), Cancellation)).Accounts);
        Assert.Equal(new PresenceView(ben.Id, Online: false, gone.LastSeen), again);

        await ben.ConnectAsync();
        await ada.Presence.FirstAsync(view => view == new PresenceView(ben.Id, Online: true));
    }

    [Fact]
    public async Task Reconnecting_at_once_is_no_coming_and_going()
    {
        await using var server = await PresenceNodes.StartAsync(database, offlineAfterSeconds: PresenceNodes.Never);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var cai = await Person.SignUpAsync(server.Address);
        await TestGroup.GroupAsync(ada, ben, cai);
        await SeesAsync(ada, ben, online: true);
        await ada.Hub.WatchPresenceAsync(new([ben.Id, cai.Id]), Cancellation);

        await ben.DisconnectAsync();
        await ben.ConnectAsync();
        await cai.ConnectAsync();
        await ada.Presence.FirstAsync(view => view.Account == cai.Id && view.Online);
        Assert.DoesNotContain(ada.Presence.Items, view => view.Account == ben.Id && !view.Online);
        Assert.Null(await LastSeenAsync(ben));
    }

    [Fact]
    public async Task One_of_two_devices_going_is_nobody_going()
    {
        await using var server = await PresenceNodes.StartAsync(database);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var phone = await ben.OnAnotherDeviceAsync();
        await using var cai = await Person.JoinAsync(server.Address);
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
    public async Task Strangers_are_left_out_and_so_is_the_caller()
    {
        await using var server = await PresenceNodes.StartAsync(database);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var stranger = await Person.JoinAsync(server.Address);
        await TestGroup.DirectAsync(ada, ben);
        await SeesAsync(ada, ben, online: true);
        var nobody = new AccountId(Guid.Parse("0190a000-0000-7000-8000-000000000099"));
        var reply = await ada.Hub.WatchPresenceAsync(new([stranger.Id, ada.Id, nobody, ben.Id, ben.Id]), Cancellation);
        Assert.Equal([new(ben.Id, Online: true)], reply.Accounts);

        await stranger.DisconnectAsync();
        await ben.DisconnectAsync();
        await ada.Presence.FirstAsync(view => view.Account == ben.Id && !view.Online);
        Assert.DoesNotContain(ada.Presence.Items, view => view.Account == stranger.Id);
    }

    [Fact]
    public async Task Who_leaves_the_last_common_conversation_is_seen_no_longer_and_sees_nobody()
    {
        await using var server = await PresenceNodes.StartAsync(database);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var cai = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben, cai);
        await SeesAsync(ada, ben, online: true);
        await SeesAsync(ben, ada, online: true);
        await ben.Client.LeaveAsync(group.Id, Cancellation);

        await ada.Presence.FirstAsync(view => view == new PresenceView(ben.Id, Online: false));
        await ben.Presence.FirstAsync(view => view == new PresenceView(ada.Id, Online: false));
        Assert.Empty((await ben.Hub.WatchPresenceAsync(new([ada.Id]), Cancellation)).Accounts);
    }

    [Fact]
    public async Task Who_hides_is_not_seen_and_sees_nobody_until_it_shows_itself_again()
    {
        await using var server = await PresenceNodes.StartAsync(database);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await TestGroup.DirectAsync(ada, ben);
        await SeesAsync(ada, ben, online: true);
        await SeesAsync(ben, ada, online: true);
        await ben.DisconnectAsync();
        await ada.Presence.FirstAsync(view => view.LastSeen is not null);
        await ben.ConnectAsync();
        await SeesAsync(ben, ada, online: true);
        Assert.Equal(PresenceVisibility.Contacts, (await ben.Client.MeAsync(Cancellation)).Presence);

        await ben.Client.ChangePresenceAsync(PresenceVisibility.Nobody, Cancellation);
        Assert.Equal(PresenceVisibility.Nobody, (await ben.Client.MeAsync(Cancellation)).Presence);
        await ada.Presence.FirstAsync(view => view == new PresenceView(ben.Id, Online: false));
        await ben.Presence.FirstAsync(view => view == new PresenceView(ada.Id, Online: false));
        Assert.Equal(
            [new(ben.Id, Online: false)], (await ada.Hub.WatchPresenceAsync(new([ben.Id]), Cancellation)).Accounts);
        Assert.Equal(
            [new(ada.Id, Online: false)], (await ben.Hub.WatchPresenceAsync(new([ada.Id]), Cancellation)).Accounts);
        Assert.Null(await LastSeenAsync(ben));
        var told = ada.Presence.Items.Count;
        await ben.DisconnectAsync();
        await ben.ConnectAsync();
        await ben.Hub.WatchPresenceAsync(new([ada.Id]), Cancellation);

        await ben.Client.ChangePresenceAsync(PresenceVisibility.Contacts, Cancellation);
        await ada.Presence.UntilAsync(views => views.Count > told);
        Assert.Equal([new(ben.Id, Online: true)], ada.Presence.Items.Skip(told));
        await ben.Presence.FirstAsync(view => view == new PresenceView(ada.Id, Online: true));
    }

    [Fact]
    public async Task Another_list_replaces_the_first_and_is_bounded()
    {
        await using var server = await PresenceNodes.StartAsync(database);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var cai = await Person.JoinAsync(server.Address);
        await TestGroup.GroupAsync(ada, ben, cai);
        await SeesAsync(ada, ben, online: true);
        await SeesAsync(ada, cai, online: true);
        await ben.DisconnectAsync();
        await cai.DisconnectAsync();
        await ada.Presence.FirstAsync(view => view.Account == cai.Id && !view.Online);
        Assert.DoesNotContain(ada.Presence.Items, view => view.Account == ben.Id && !view.Online);

        AccountId[] many = [.. Enumerable.Repeat(ben.Id, Limits.PresenceWatched + 1)];
        var error = await Person.ErrorOf(ada.Hub.WatchPresenceAsync(new(many), Cancellation));
        Assert.Equal((int)ErrorCode.InvalidArgument, error.Code);
    }

    /// <summary>Watches one person alone until it is as wanted.</summary>
    private static Task SeesAsync(Person watcher, Person watched, bool online) => Eventually.TrueAsync(
        async () => (await watcher.Hub.WatchPresenceAsync(new([watched.Id]), Cancellation)).Accounts is [var view]
            && view.Online == online,
        $"online is {online}");

    private async Task<DateTime?> LastSeenAsync(Person person)
    {
        await using var command = database.DataSource.CreateCommand("select last_seen_at from account where id = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = person.Id.Value });
        return await command.ExecuteScalarAsync(Cancellation) as DateTime?;
    }
}
