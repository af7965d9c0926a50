using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Realtime;

public sealed class SignalTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Receipts_only_rise_and_never_beyond_the_head()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        for (var i = 0; i < 9; i++)
        {
            await group.SendAsync(ada);
        }

        await ben.Hub.MarkAsync(new([new(group.Id, 8, 5)]), Cancellation);
        await ada.Receipts.FirstAsync(r => r is { Delivered: 8, Read: 5 });
        await ben.Hub.MarkAsync(new([new(group.Id, 3, 6)]), Cancellation);
        await ada.Receipts.FirstAsync(r => r is { Delivered: 8, Read: 6 });
        await ben.Hub.MarkAsync(new([new(group.Id, 2, 1)]), Cancellation);
        await ben.Hub.MarkAsync(new([new(group.Id, 0, 1_000_000)]), Cancellation);
        await ada.Receipts.FirstAsync(r => r is { Delivered: 10, Read: 10 });

        var stored = Assert.Single((await ada.Client.ConversationAsync(group.Id, Cancellation)).Receipts);
        Assert.Equal(new Receipt(group.Id, ben.Id, ben.Device, 10, 10), stored);
        Assert.Equal([(8L, 5L), (8L, 6L), (10L, 10L)], ada.Receipts.Items.Select(r => (r.Delivered, r.Read)));
    }

    [Fact]
    public async Task Typing_reaches_the_others_and_is_stored_nowhere()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var before = await RowsAsync();
        await ada.Hub.TypingAsync(new(group.Id, true), Cancellation);

        var signal = await ben.Ephemeral.FirstAsync(_ => true);
        Assert.Equal((group.Id, ada.Id, true), (signal.Conversation, signal.Account, signal.Active));
        Assert.InRange(signal.TtlMs, 1, 60_000);
        Assert.Empty(ada.Ephemeral.Items);
        Assert.Equal(before, await RowsAsync());
    }

    [Fact]
    public async Task Too_many_calls_are_refused_with_the_time_to_wait()
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Realtime:WriteBurst"] = "3",
            ["Realtime:WritesPerSecond"] = "1",
        };
        await using var strict = await TestServer.StartAsync(server.ConnectionString, settings);
        await using var ada = await Person.JoinAsync(strict.Address);
        await using var ben = await Person.JoinAsync(strict.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var message = group.Message(ada);
        for (var i = 0; i < 3; i++)
        {
            await ada.Hub.SendAsync(message, Cancellation);
        }

        var error = await Person.ErrorOf(ada.Hub.SendAsync(message, Cancellation));
        Assert.Equal((ErrorCode.TooManyRequests, true), ((ErrorCode)error.Code, error.Retryable));
        Assert.True(error.Details!.ContainsKey("retryAfterMs"));

        // Another class of calls, and another connection, have budgets of their own.
        await ada.Hub.PullDeviceAsync(Cancellation);
        await ben.Hub.SendAsync(group.Message(ben), Cancellation);
    }

    [Fact]
    public async Task A_connection_hears_of_the_end_of_its_own_session_only()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var tablet = await ada.OnAnotherDeviceAsync();
        await tablet.Client.SignOutAsync(Cancellation);

        Assert.Equal(ControlKind.Revoked, (await tablet.Controls.FirstAsync(_ => true)).Kind);
        await tablet.Closed.FirstAsync(_ => true);
        var group = await TestGroup.DirectAsync(ada, ben);
        await group.SendAsync(ada);
        Assert.Empty(ada.Controls.Items);
    }

    [Fact]
    public async Task A_connection_closes_when_another_node_ends_its_session_though_its_device_has_another()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        using var again = new ChatPayClient(server.Address);
        await again.SignInAsync(
            new(ada.Client.Account!.Handle, Person.Password, new("Again", TestMls.PublicKeyOf(ada.Key))), Cancellation);
        Assert.Equal(ada.Device, again.Device!.Id);
        var heard = new Inbox<ControlSignal>();
        await using var other = await again.ConnectAsync(
            new() { Control = signal => heard.Add([signal]) }, Cancellation);

        await using (var command = server.DataSource.CreateCommand(
            """
            update session set revoked_at = now() where token_hash = (
                select token_hash from session where device_id = $1 order by created_at limit 1)
            """))
        {
            command.Parameters.Add(new() { Value = ada.Device.Value });
            Assert.Equal(1, await command.ExecuteNonQueryAsync(Cancellation));
        }

        Assert.Equal(ControlKind.Revoked, (await ada.Controls.FirstAsync(_ => true)).Kind);
        await ada.Closed.FirstAsync(_ => true);
        Assert.Empty(heard.Items);
    }

    /// <summary>What writing anything would change: the counts that PostgreSQL keeps of every table.</summary>
    private async Task<string> RowsAsync()
    {
        await using var connection = await server.DataSource.OpenConnectionAsync(Cancellation);
        await using var command = new NpgsqlCommand(
            """
            select concat_ws(' ', (select count(*) from event), (select count(*) from receipt),
                (select count(*) from device_message), (select sum(head) from conversation))
            """,
            connection);
        return (string)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
