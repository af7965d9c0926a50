using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>
/// A server that drops, exchanges and changes what it keeps: it is told, ends that one stream, and what another device has
/// archived is read all the same.
/// </summary>
public sealed class ArchiveDamageTests(ServerFixture server, PostgresFixture postgres) : IClassFixture<ServerFixture>
{
    private ArchiveDesk Desk => new(server.Address, server.DataSource);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task What_the_server_drops_or_exchanges_is_told_and_the_other_stream_is_read()
    {
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await using var ada = await Desk.KeepAsync();
        await using var phone = await ada.OnAnotherDeviceAsync();
        var chat = await ben.Device.StartDirectAsync(ada.Id, Cancellation);
        await ada.SeesAsync(chat.Id);
        await phone.SeesAsync(chat.Id);
        string[] said = ["one", "two", "three"];
        for (var i = 0; i < said.Length; i++)
        {
            await chat.SendTextAsync(said[i], Cancellation);
            await ArchiveDesk.HasChunksAsync(ada.Device, i + 1);
            await ArchiveDesk.HasChunksAsync(phone.Device, i + 1);
        }

        await using var reader = await Desk.RecoverAsync(ada.Handle);
        Assert.Equal(said, await ArchiveDesk.TextsAsync(reader));
        var (mine, other) = ($"device_id = '{ada.Device.Id}'", $"device_id = '{phone.Device.Id}'");
        await Desk.ExecuteAsync($"create table kept as select * from archive_chunk where {mine}");
        foreach (var (number, sql) in new[]
        {
            // The middle one dropped.
            (1, $"""
                delete from archive_chunk where {mine} and number = 1;
                update archive_chunk set number = number - 1 where {mine} and number > 1;
                update archive_stream set chunks = chunks - 1 where {mine}
                """),

            // Two exchanged.
            (1, $"""
                update archive_chunk c set sealed = o.sealed from archive_chunk o
                where c.{mine} and o.{mine} and c.number in (1, 2) and o.number = 3 - c.number
                """),

            // Another device's in its place, here and at the very beginning.
            (1, $"""
                update archive_chunk c set sealed = o.sealed from archive_chunk o
                where c.{mine} and o.{other} and c.number = 1 and o.number = 1
                """),
            (0, $"""
                update archive_chunk c set sealed = o.sealed from archive_chunk o
                where c.{mine} and o.{other} and o.number = c.number
                """),

            // A bit of the last one.
            (2, $"""
                update archive_chunk set sealed = set_byte(sealed, 500, get_byte(sealed, 500) # 1)
                where {mine} and number = 2
                """),
        })
        {
            await Desk.ExecuteAsync(sql);
            var entries = await ArchiveDesk.ReadAsync(reader);
            Assert.Equal(
                new ArchiveDamage(ada.Device.Id, number, ArchiveDamageKind.Unreadable),
                Assert.Single(entries.OfType<ArchiveDamage>()));
            Assert.Equal(said, entries.OfType<ArchivedText>().OrderBy(text => text.Seq).Select(text => text.Text));
            await Desk.ExecuteAsync(
                $"""
                delete from archive_chunk where {mine};
                insert into archive_chunk select * from kept;
                update archive_stream set chunks = 3 where {mine}
                """);
        }

        // The end of a stream can be left out, but not so that the device itself does not see it.
        await Desk.ExecuteAsync(
            $"""
            delete from archive_chunk where {mine} and number = 2;
            update archive_stream set chunks = 2 where {mine}
            """);
        Assert.Equal(
            new ArchiveDamage(ada.Device.Id, 2, ArchiveDamageKind.Missing),
            Assert.Single((await ArchiveDesk.ReadAsync(ada.Device)).OfType<ArchiveDamage>()));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_device_goes_on_where_a_server_that_lost_the_end_is_and_sends_its_history_again()
    {
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await using var ada = await Desk.KeepAsync();
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        string[] said = ["one", "two", "three"];
        for (var i = 0; i < said.Length; i++)
        {
            await chat.SendTextAsync(said[i], Cancellation);
            await ArchiveDesk.HasChunksAsync(ada.Device, i + 1);
        }

        await Desk.ExecuteAsync(
            $"""
            delete from archive_chunk where account_id = '{ada.Id}' and number > 0;
            update archive_stream set chunks = 1 where account_id = '{ada.Id}'
            """);
        await chat.SendTextAsync("four", Cancellation);
        await ArchiveDesk.HasChunksAsync(ada.Device, 3);
        await using var phone = await Desk.RecoverAsync(ada.Handle);
        await ArchiveDesk.ArchivedAsync(phone, [.. said, "four"]);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task An_archive_that_is_full_says_so_and_the_conversation_goes_on()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var small = await TestServer.StartAsync(
            database, new Dictionary<string, string?>(StringComparer.Ordinal) { ["Archive:MaximumBytes"] = "65565" });
        await using var source = NpgsqlDataSource.Create(database);
        var desk = new ArchiveDesk(small.Address, source);
        await using var ben = await SdkPerson.JoinAsync(small.Address);
        await using var ada = await desk.KeepAsync();
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        for (var i = 0; i < 12; i++)
        {
            await chat.SendTextAsync(new string((char)('a' + i), Limits.TextMaxChars), Cancellation);
        }

        await Eventually.TrueAsync(
            async () => (await ada.Device.ArchiveStateAsync(Cancellation)).IsFull, "it is full");
        await chat.SendTextAsync("on and on", Cancellation);
        await ben.ReadsAsync("on and on");
        var state = await ada.Device.ArchiveStateAsync(Cancellation);
        Assert.InRange(state.Bytes, 1, state.MaximumBytes);
        Assert.DoesNotContain("on and on", await ArchiveDesk.TextsAsync(ada.Device));
    }
}
