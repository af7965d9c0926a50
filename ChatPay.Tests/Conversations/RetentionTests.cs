using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Server.Conversations;
using ChatPay.Server.Database;
using ChatPay.Tests.Realtime;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Conversations;

/// <summary>Logs that are kept for a time: their beginning goes, and nothing that depends on them breaks.</summary>
public sealed class RetentionTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private RetentionSweeper Sweeper => server.Server.Services.GetRequiredService<RetentionSweeper>();

    [Fact]
    public async Task Old_events_go_and_reading_begins_after_them()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await SendAsync(group, ada, 4);
        await ben.Client.SetRetentionAsync(group.Id, 7, Cancellation);
        await AgeAsync(group, 5, days: 8);
        await Sweeper.SweepAsync(Cancellation);

        var view = await ada.Client.ConversationAsync(group.Id, Cancellation);
        Assert.Equal((6, 6, 7), (view.FirstSeq, view.Head, view.RetentionDays));
        var page = Assert.Single((await ada.Hub.SyncAsync(new([new(group.Id, 2)]), Cancellation)).Pages);
        Assert.Equal([6], page.Events.Select(e => e.Seq));
        Assert.Equal((6, false), (page.Conversation.FirstSeq, page.More));
        Assert.Equal([6], (await ada.Client.EventsAsync(group.Id, null, 100, null, Cancellation)).Select(e => e.Seq));
        Assert.Empty(await ada.Client.EventsAsync(group.Id, null, 6, null, Cancellation));
        Assert.Equal(7, (await group.SendAsync(ada)).Seq);
    }

    [Fact]
    public async Task The_newest_event_stays_however_old_it_is_and_others_follow_it()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await ada.Client.SetRetentionAsync(group.Id, 1, Cancellation);
        await AgeAsync(group, 2, days: 5);
        await Sweeper.SweepAsync(Cancellation);
        Assert.Equal(2, (await ada.Client.ConversationAsync(group.Id, Cancellation)).FirstSeq);

        // It goes once it is no longer the newest, at the latest a day after.
        await group.SendAsync(ben);
        await AgeLookAsync(group, days: 5);
        await Sweeper.SweepAsync(Cancellation);
        Assert.Equal(3, (await ada.Client.ConversationAsync(group.Id, Cancellation)).FirstSeq);
    }

    [Fact]
    public async Task A_long_log_goes_in_small_transactions_until_nothing_is_due()
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal) { ["Conversations:RetentionBatch"] = "10" };
        await using var patient = await TestServer.StartAsync(server.ConnectionString, settings);
        await using var ada = await Person.JoinAsync(patient.Address);
        await using var ben = await Person.JoinAsync(patient.Address);
        var (one, other) = (await TestGroup.DirectAsync(ada, ben), await TestGroup.GroupAsync(ada, ben));
        foreach (var group in new[] { one, other })
        {
            await SendAsync(group, ada, 43);
            await ada.Client.SetRetentionAsync(group.Id, 30, Cancellation);
            await AgeAsync(group, 40, days: 31);
        }

        Assert.Equal(80, await patient.Services.GetRequiredService<RetentionSweeper>().SweepAsync(Cancellation));
        foreach (var group in new[] { one, other })
        {
            var kept = await ben.Client.EventsAsync(group.Id, 0, null, null, Cancellation);
            Assert.Equal([41, 42, 43, 44, 45], kept.Select(e => e.Seq));
        }
    }

    [Fact]
    public async Task What_the_operator_sets_is_for_conversations_without_a_setting_of_their_own()
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal) { ["Conversations:RetentionDays"] = "30" };
        await using var tidy = await TestServer.StartAsync(server.ConnectionString, settings);
        await using var ada = await Person.JoinAsync(tidy.Address);
        await using var ben = await Person.JoinAsync(tidy.Address);
        var (usual, longer) = (await TestGroup.DirectAsync(ada, ben), await TestGroup.GroupAsync(ada, ben));
        await longer.SendAsync(ada);
        await usual.SendAsync(ada);
        await ada.Client.SetRetentionAsync(longer.Id, 365, Cancellation);
        await AgeAsync(usual, 1, days: 31);
        await AgeAsync(longer, 1, days: 31);
        await tidy.Services.GetRequiredService<RetentionSweeper>().SweepAsync(Cancellation);

        var views = (await ada.Client.ConversationsAsync(Cancellation)).ToDictionary(view => view.Id);
        Assert.Equal((2, 30), (views[usual.Id].FirstSeq, views[usual.Id].RetentionDays));
        Assert.Equal((1, 365), (views[longer.Id].FirstSeq, views[longer.Id].RetentionDays));
        await ada.Client.SetRetentionAsync(longer.Id, null, Cancellation);
        Assert.Equal(30, (await ada.Client.ConversationAsync(longer.Id, Cancellation)).RetentionDays);
    }

    [Fact]
    public async Task Off_by_default_nothing_ever_goes()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await group.SendAsync(ada);
        await AgeAsync(group, 2, days: 4000);
        await Sweeper.SweepAsync(Cancellation);
        var view = await ada.Client.ConversationAsync(group.Id, Cancellation);
        Assert.Equal((1, (int?)null), (view.FirstSeq, view.RetentionDays));
    }

    [Fact]
    public async Task Everybody_learns_of_a_new_setting_from_the_log_and_once()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await ada.Client.SetRetentionAsync(group.Id, 90, Cancellation);
        await ada.Client.SetRetentionAsync(group.Id, 90, Cancellation);
        await ada.Client.SetRetentionAsync(group.Id, null, Cancellation);
        var told = await ben.Events.FirstAsync(e => e.Seq == 3);
        Assert.Equal((EventKind.Members, ada.Id), (told.Kind, told.Account!.Value));
        var log = await ben.Client.EventsAsync(group.Id, 1, null, null, Cancellation);
        Assert.Equal([90, null], log.Select(e => e.Members!.Retention!.Days));
    }

    [Fact]
    public async Task Owners_say_how_long_a_group_is_kept_and_strangers_nothing()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var eve = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben);
        Assert.Equal(ErrorCode.NotOwner, await CodeOf(ben.Client.SetRetentionAsync(group.Id, 7, Cancellation)));
        Assert.Equal(ErrorCode.ConversationUnknown, await CodeOf(eve.Client.SetRetentionAsync(group.Id, 7, Cancellation)));
        foreach (var days in new[] { 0, -1, Limits.RetentionMaxDays + 1 })
        {
            Assert.Equal(ErrorCode.RetentionInvalid, await CodeOf(ada.Client.SetRetentionAsync(group.Id, days, Cancellation)));
        }
    }

    [Fact]
    public async Task A_repeated_send_is_known_for_a_day_under_the_shortest_setting()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await ada.Client.SetRetentionAsync(group.Id, Limits.RetentionMinDays, Cancellation);
        var message = group.Message(ada);
        var first = await ada.Hub.SendAsync(message, Cancellation);
        await group.SendAsync(ben);
        await AgeAsync(group, 4, hours: 23);
        await Sweeper.SweepAsync(Cancellation);
        Assert.Equal(first.Seq, (await ada.Hub.SendAsync(message, Cancellation)).Seq);
    }

    [Fact]
    public async Task Who_was_away_for_long_comes_back_by_an_external_commit()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await ben.DisconnectAsync();
        await group.CommitAsync(ada);
        await group.CommitAsync(ada);
        await ada.Client.SetRetentionAsync(group.Id, 1, Cancellation);
        await AgeAsync(group, 3, days: 2);
        await Sweeper.SweepAsync(Cancellation);

        var greeting = await ben.ConnectAsync(null, new Cursor(group.Id, 1));
        Assert.Equal(4, Assert.Single(greeting.Changed).FirstSeq);
        var stale = await Person.ErrorOf(ben.Hub.SendAsync(group.Message(ben) with { Epoch = 1 }, Cancellation));
        Assert.Equal((int)ErrorCode.StaleEpoch, stale.Code);
        Assert.False(stale.Details!.ContainsKey("commit"));
        Assert.Equal(3, (await ben.Client.GroupInfoAsync(group.Id, Cancellation)).Epoch);
        await group.JoinAsync(ben);
        Assert.Equal(6, (await group.SendAsync(ben)).Seq);
    }

    [Fact]
    public async Task A_session_goes_on_at_the_new_beginning_and_says_what_it_missed()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await SendAsync(group, ada, 6);
        await ada.Client.SetRetentionAsync(group.Id, 1, Cancellation);
        await AgeAsync(group, 7, days: 2);
        await Sweeper.SweepAsync(Cancellation);
        var position = new ChatPosition(ben.Greeting.Lineage, [new Cursor(group.Id, 3)]);
        await using var watcher = SessionWatcher.Start(ben, from: position);
        Assert.Equal((group.Id, 4, 7), await watcher.Missed.FirstAsync(_ => true));
        await group.SendAsync(ada);
        await watcher.LogUpToAsync(group.Id, 9, first: 8);
    }

    [Fact]
    public async Task A_card_whose_events_are_gone_keeps_its_state_and_its_money()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var post = TestCards.Post(CardKind.Transfer, group.Id, group.Epoch, ada.Id, ben.Id, 1234);
        var posted = await ada.CardActAsync(post, Cancellation);
        await ada.Client.SetRetentionAsync(group.Id, 1, Cancellation);
        await AgeAsync(group, 2, days: 2);
        await Sweeper.SweepAsync(Cancellation);
        Assert.Equal(3, (await ben.Client.ConversationAsync(group.Id, Cancellation)).FirstSeq);

        Assert.Equal(posted.Seq, (await ada.CardActAsync(post, Cancellation)).Seq);
        var card = await ben.Client.CardAsync(post.Card, Cancellation);
        await ben.CardActAsync(TestCards.Act(card, CardActionKind.Accept), Cancellation);
        Assert.Equal(101_234, Assert.Single((await ben.Client.WalletAsync(Cancellation)).Balances).BalanceMinor);
    }

    [Fact]
    public async Task A_former_member_whose_part_is_gone_reads_nothing_more()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben);
        await ben.Client.LeaveAsync(group.Id, Cancellation);
        await group.CommitAsync(ada, removes: [group.LeafOf(ben)]);
        await ada.Client.SetRetentionAsync(group.Id, 1, Cancellation);
        await AgeAsync(group, 3, days: 2);
        await Sweeper.SweepAsync(Cancellation);
        var page = Assert.Single((await ben.Hub.SyncAsync(new([new(group.Id, 0)]), Cancellation)).Pages);
        Assert.Empty(page.Events);
        Assert.False(page.More);
        Assert.Equal(2, page.Conversation.Head);
    }

    [Fact]
    public async Task The_database_refuses_a_hole_and_a_beginning_above_the_head()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await group.SendAsync(ada);
        var hole = await Assert.ThrowsAsync<PostgresException>(
            () => ExecuteAsync("delete from event where conversation_id = $1 and seq = 1", group.Id.Value));
        Assert.Equal(PostgresErrorCodes.RestrictViolation, hole.SqlState);
        var above = await Assert.ThrowsAsync<PostgresException>(
            () => ExecuteAsync("update conversation set first_seq = 3 where id = $1", group.Id.Value));
        Assert.Equal(PostgresErrorCodes.CheckViolation, above.SqlState);
    }

    [Fact]
    public async Task A_sweeper_passes_over_a_log_that_is_being_written_to()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await ada.Client.SetRetentionAsync(group.Id, 2, Cancellation);
        await AgeAsync(group, 1, days: 3);
        await using (var connection = await server.DataSource.OpenConnectionAsync(Cancellation))
        await using (var writing = await connection.BeginTransactionAsync(Cancellation))
        {
            await using var hold = new NpgsqlCommand("select from conversation where id = $1 for update", connection);
            hold.Add(group.Id.Value);
            await hold.ExecuteNonQueryAsync(Cancellation);
            await Sweeper.SweepAsync(Cancellation);
            Assert.Equal(1, (await ada.Client.ConversationAsync(group.Id, Cancellation)).FirstSeq);
        }

        await Sweeper.SweepAsync(Cancellation);
        Assert.Equal(2, (await ada.Client.ConversationAsync(group.Id, Cancellation)).FirstSeq);
    }

    private static async Task<ErrorCode> CodeOf(Task call) => (ErrorCode)(await Person.ErrorOf(call)).Code;

    private static async Task SendAsync(TestGroup group, Person sender, int messages)
    {
        for (var i = 0; i < messages; i++)
        {
            await group.SendAsync(sender);
        }
    }

    /// <summary>As if the events up to a seq had been appended that long ago.</summary>
    private async Task AgeAsync(TestGroup group, long upTo, int days = 0, int hours = 0)
    {
        await ExecuteAsync(
            """
            update event set created_at = created_at - make_interval(days => $3, hours => $4)
            where conversation_id = $1 and seq <= $2
            """,
            group.Id.Value, upTo, days, hours);
        await AgeLookAsync(group, days, hours);
    }

    private Task AgeLookAsync(TestGroup group, int days = 0, int hours = 0) => ExecuteAsync(
        "update conversation set oldest_at = oldest_at - make_interval(days => $2, hours => $3) where id = $1",
        group.Id.Value, days, hours);

    private async Task ExecuteAsync(string sql, params object[] values)
    {
        await using var command = server.DataSource.CreateCommand(sql, values);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
