using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Archive;

/// <summary>The archive as the server keeps it, through HTTP: bytes that mean nothing to it, in order, within a bound.</summary>
public sealed class ArchiveTests(PostgresFixture postgres)
{
    private static readonly ArchiveId s_archive = new(TestVault.IdOf("archive"));

    private string _database = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_is_turned_on_once_and_off_with_everything_in_it()
    {
        await using var server = await StartAsync();
        await using var ada = await BeginAsync(server);
        var before = await ada.Client.ArchiveAsync(Cancellation);
        Assert.Equal((null, 0L, 268_435_456L, 0), (before.Archive, before.Bytes, before.MaximumBytes, before.Streams.Count));

        Assert.Equal(s_archive, (await ada.Client.TurnOnArchiveAsync(s_archive, Cancellation)).Archive);
        Assert.Equal(s_archive, (await ada.Client.TurnOnArchiveAsync(s_archive, Cancellation)).Archive);
        await ada.Client.StoreArchiveChunkAsync(s_archive, 0, Chunk(0), Cancellation);
        await ada.Client.StoreArchiveChunkAsync(s_archive, 1, Chunk(1), Cancellation);
        var other = new ArchiveId(TestVault.IdOf("other archive"));
        var exists = await RefusedAsync(ErrorCode.ArchiveExists, ada.Client.TurnOnArchiveAsync(other, Cancellation));
        Assert.Equal(s_archive.ToString(), exists.Details!["archive"].ToString());
        var view = await ada.Client.ArchiveAsync(Cancellation);
        Assert.Equal((s_archive, 2L * Chunk(0).Length), (view.Archive, view.Bytes));
        Assert.Equal([new ArchiveStreamView(ada.Device, 2)], view.Streams);

        // Of another id it is not the one that is on.
        await ada.Client.TurnOffArchiveAsync(other, Cancellation);
        Assert.Equal(2, await CountAsync("archive_chunk"));
        await ada.Client.TurnOffArchiveAsync(s_archive, Cancellation);
        await ada.Client.TurnOffArchiveAsync(s_archive, Cancellation);
        Assert.Equal(0, await CountAsync("archive") + await CountAsync("archive_stream") + await CountAsync("archive_chunk"));
        Assert.Null((await ada.Client.ArchiveAsync(Cancellation)).Archive);
        await RefusedAsync(
            ErrorCode.ArchiveUnknown, ada.Client.StoreArchiveChunkAsync(s_archive, 2, Chunk(2), Cancellation));
        await RefusedAsync(
            ErrorCode.ArchiveUnknown, ada.Client.ArchivePageAsync(s_archive, ada.Device, 0, Cancellation));

        // It begins anew.
        Assert.Equal(other, (await ada.Client.TurnOnArchiveAsync(other, Cancellation)).Archive);
        await ada.Client.StoreArchiveChunkAsync(other, 0, Chunk(7), Cancellation);
        Assert.Equal(Chunk(7), Assert.Single((await ada.Client.ArchivePageAsync(other, ada.Device, 0, Cancellation)).Chunks));
    }

    [Fact]
    public async Task A_chunk_comes_once_in_its_place_and_the_same_again_changes_nothing()
    {
        await using var server = await StartAsync();
        await using var ada = await BeginAsync(server);
        await ada.Client.TurnOnArchiveAsync(s_archive, Cancellation);
        await ConflictAsync(ada, 1, Chunk(1), next: 0);
        await ada.Client.StoreArchiveChunkAsync(s_archive, 0, Chunk(0), Cancellation);
        await ada.Client.StoreArchiveChunkAsync(s_archive, 0, Chunk(0), Cancellation);
        await ConflictAsync(ada, 0, Chunk(1), next: 1);
        await ConflictAsync(ada, 2, Chunk(2), next: 1);
        await ada.Client.StoreArchiveChunkAsync(s_archive, 1, Chunk(1), Cancellation);
        await ada.Client.StoreArchiveChunkAsync(s_archive, 0, Chunk(0), Cancellation);
        Assert.Equal(2L * Chunk(0).Length, (await ada.Client.ArchiveAsync(Cancellation)).Bytes);
        await RefusedAsync(
            ErrorCode.InvalidArgument, ada.Client.StoreArchiveChunkAsync(s_archive, -1, Chunk(2), Cancellation));

        await RefusedAsync(
            ErrorCode.InvalidArgument, ada.Client.ArchivePageAsync(s_archive, ada.Device, -1, Cancellation));
    }

    [Fact]
    public async Task A_chunk_has_one_of_the_sizes_that_are_sealed_and_no_other_one_comes_into_the_database_either()
    {
        await using var server = await StartAsync();
        await using var ada = await BeginAsync(server);
        await ada.Client.TurnOnArchiveAsync(s_archive, Cancellation);
        int[] sizes = [1053, 2077, 4125, 8221, 16_413, 32_797, 65_565];
        foreach (var bytes in sizes.SelectMany(size => new[] { size - 29, size - 1, size + 1 }).Concat([0, 1, 541, 3101]))
        {
            await RefusedAsync(
                ErrorCode.InvalidArgument, ada.Client.StoreArchiveChunkAsync(s_archive, 0, new byte[bytes], Cancellation));
        }

        for (var number = 0; number < sizes.Length; number++)
        {
            await ada.Client.StoreArchiveChunkAsync(s_archive, number, Chunk(number, sizes[number]), Cancellation);
        }

        Assert.Equal(sizes.Sum(), (await ada.Client.ArchiveAsync(Cancellation)).Bytes);
        await using var source = NpgsqlDataSource.Create(_database);
        foreach (var bytes in new[] { 1, 1052, 1054, 65_566 })
        {
            await using var command = source.CreateCommand(
                $"update archive_chunk set sealed = decode(repeat('00', {bytes}), 'hex') where number = 0");
            var refused = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Cancellation));
            Assert.Equal(PostgresErrorCodes.CheckViolation, refused.SqlState);
        }
    }

    [Fact]
    public async Task A_stream_is_read_in_pages_that_bytes_and_number_bound()
    {
        await using var server = await StartAsync();
        await using var ada = await BeginAsync(server);
        await ada.Client.TurnOnArchiveAsync(s_archive, Cancellation);
        for (var number = 0; number < 20; number++)
        {
            await ada.Client.StoreArchiveChunkAsync(s_archive, number, Chunk(number), Cancellation);
        }

        for (var number = 20; number < 30; number++)
        {
            await ada.Client.StoreArchiveChunkAsync(s_archive, number, Chunk(number, 65_565), Cancellation);
        }

        // Sixteen, then twelve up to 512 KiB beyond the first, then the rest.
        Assert.Equal((16, 16L), await PageAsync(0));
        Assert.Equal((12, 28L), await PageAsync(16));
        Assert.Equal((2, null), await PageAsync(28));
        Assert.Equal((8, 28L), await PageAsync(20));
        Assert.Equal((0, null), await PageAsync(30));
        Assert.Equal((0, null), await PageAsync(long.MaxValue));
        var stranger = await ada.Client.ArchivePageAsync(s_archive, new DeviceId(Guid.Empty), 0, Cancellation);
        Assert.Equal((0, null), (stranger.Chunks.Count, stranger.Next));

        async Task<(int, long?)> PageAsync(long from)
        {
            var page = await ada.Client.ArchivePageAsync(s_archive, ada.Device, from, Cancellation);
            Assert.Equal(
                Enumerable.Range(0, page.Chunks.Count).Select(i => (byte)(from + i)), page.Chunks.Select(chunk => chunk[0]));
            return (page.Chunks.Count, page.Next);
        }
    }

    [Fact]
    public async Task Nobody_else_reads_or_writes_it()
    {
        await using var server = await StartAsync();
        await using var ada = await BeginAsync(server);
        await using var ben = await BeginAsync(server);
        await ada.Client.TurnOnArchiveAsync(s_archive, Cancellation);
        await ada.Client.StoreArchiveChunkAsync(s_archive, 0, Chunk(0), Cancellation);
        await RefusedAsync(
            ErrorCode.ArchiveUnknown, ben.Client.ArchivePageAsync(s_archive, ada.Device, 0, Cancellation));
        await RefusedAsync(
            ErrorCode.ArchiveUnknown, ben.Client.StoreArchiveChunkAsync(s_archive, 0, Chunk(0), Cancellation));
        await ben.Client.TurnOffArchiveAsync(s_archive, Cancellation);
        Assert.Equal(1, await CountAsync("archive_chunk"));

        // The same id in another account is another archive.
        await ben.Client.TurnOnArchiveAsync(s_archive, Cancellation);
        await ben.Client.StoreArchiveChunkAsync(s_archive, 0, Chunk(9), Cancellation);
        Assert.Equal([new ArchiveStreamView(ben.Device, 1)], (await ben.Client.ArchiveAsync(Cancellation)).Streams);
        Assert.Empty((await ben.Client.ArchivePageAsync(s_archive, ada.Device, 0, Cancellation)).Chunks);
        await ben.Client.TurnOffArchiveAsync(s_archive, Cancellation);
        Assert.Equal(
            Chunk(0), Assert.Single((await ada.Client.ArchivePageAsync(s_archive, ada.Device, 0, Cancellation)).Chunks));
    }

    [Fact]
    public async Task A_device_that_is_not_approved_changes_nothing_of_it()
    {
        await using var server = await StartAsync();
        await using var ada = await BeginAsync(server);
        await ada.Client.TurnOnArchiveAsync(s_archive, Cancellation);
        await ada.Client.StoreArchiveChunkAsync(s_archive, 0, Chunk(0), Cancellation);
        await using var thief = await ada.OnAnotherDeviceAsync();
        var other = new ArchiveId(TestVault.IdOf("other archive"));
        await RefusedAsync(ErrorCode.DeviceNotApproved, thief.Client.TurnOnArchiveAsync(other, Cancellation));
        await RefusedAsync(
            ErrorCode.DeviceNotApproved, thief.Client.StoreArchiveChunkAsync(s_archive, 0, Chunk(0), Cancellation));
        await RefusedAsync(ErrorCode.DeviceNotApproved, thief.Client.TurnOffArchiveAsync(s_archive, Cancellation));
        Assert.Single((await thief.Client.ArchivePageAsync(s_archive, ada.Device, 0, Cancellation)).Chunks);

        await ApproveAsync(ada, thief);
        await thief.Client.StoreArchiveChunkAsync(s_archive, 0, Chunk(1), Cancellation);
        Assert.Equal(
            new[] { (ada.Device, 1L), (thief.Device, 1L) }.OrderBy(stream => stream.Device.ToString(), StringComparer.Ordinal),
            (await ada.Client.ArchiveAsync(Cancellation)).Streams.Select(stream => (stream.Device, stream.Chunks)));
    }

    [Fact]
    public async Task What_an_account_may_keep_is_kept_to_by_devices_that_write_at_the_same_moment()
    {
        const int Room = 65_565 * 2;
        await using var server = await StartAsync(new() { ["Archive:MaximumBytes"] = $"{Room}" });
        await using var ada = await BeginAsync(server);
        await using var elsewhere = await ada.OnAnotherDeviceAsync();
        await ApproveAsync(ada, elsewhere);
        await ada.Client.TurnOnArchiveAsync(s_archive, Cancellation);
        var stored = await Task.WhenAll(new[] { ada, elsewhere }.Select(async person =>
        {
            for (var number = 0; ; number++)
            {
                try
                {
                    await person.Client.StoreArchiveChunkAsync(s_archive, number, Chunk(number, 1053), Cancellation);
                }
                catch (ChatPayException full) when (full.Code == ErrorCode.ArchiveFull)
                {
                    Assert.Equal($"{Room}", full.Error.Details!["maximumBytes"].ToString());
                    return number;
                }
            }
        }));
        Assert.Equal(Room / 1053, stored.Sum());
        Assert.True(stored.All(count => count > 0));
        var view = await ada.Client.ArchiveAsync(Cancellation);
        Assert.Equal((stored.Sum() * 1053L, (long)Room), (view.Bytes, view.MaximumBytes));
        Assert.Equal(view.Bytes, await CountAsync("archive_chunk", "sum(octet_length(sealed))"));
        Assert.Equal(stored.Order(), view.Streams.Select(stream => (int)stream.Chunks).Order());

        // What is there already can be sent again all the same.
        await ada.Client.StoreArchiveChunkAsync(s_archive, 0, Chunk(0, 1053), Cancellation);
    }

    [Fact]
    public async Task Turned_off_while_devices_write_it_leaves_nothing_behind()
    {
        await using var server = await StartAsync();
        await using var ada = await BeginAsync(server);
        await using var elsewhere = await ada.OnAnotherDeviceAsync();
        await ApproveAsync(ada, elsewhere);
        await ada.Client.TurnOnArchiveAsync(s_archive, Cancellation);
        var begun = new TaskCompletionSource();
        var writing = new[] { ada, elsewhere }.Select(async person =>
        {
            for (var number = 0; ; number++)
            {
                try
                {
                    await person.Client.StoreArchiveChunkAsync(s_archive, number, Chunk(number), Cancellation);
                }
                catch (ChatPayException unknown) when (unknown.Code == ErrorCode.ArchiveUnknown)
                {
                    return;
                }

                if (number == 5)
                {
                    begun.TrySetResult();
                }
            }
        }).ToList();
        await begun.Task.WaitAsync(Cancellation);
        await elsewhere.Client.TurnOffArchiveAsync(s_archive, Cancellation);
        await Task.WhenAll(writing);
        Assert.Equal(0, await CountAsync("archive") + await CountAsync("archive_stream") + await CountAsync("archive_chunk"));
    }

    [Fact]
    public async Task On_and_off_is_told_to_all_devices_of_the_account_and_to_nobody_else()
    {
        await using var server = await StartAsync();
        await using var ada = await BeginAsync(server);
        await using var ben = await BeginAsync(server);
        await using var elsewhere = await ada.OnAnotherDeviceAsync();
        await ApproveAsync(ada, elsewhere);
        await ada.Client.TurnOnArchiveAsync(s_archive, Cancellation);
        await elsewhere.Keys.UntilAsync(signals => Told(signals) == 1);
        await ada.Keys.UntilAsync(signals => Told(signals) == 1);

        // Nothing new is no news.
        await ada.Client.TurnOnArchiveAsync(s_archive, Cancellation);
        await elsewhere.Client.TurnOffArchiveAsync(s_archive, Cancellation);
        await ada.Keys.UntilAsync(signals => Told(signals) == 2);
        await ada.Client.TurnOffArchiveAsync(s_archive, Cancellation);
        await ben.Client.TurnOnArchiveAsync(s_archive, Cancellation);
        await ben.Keys.UntilAsync(signals => Told(signals) == 1);
        Assert.All(ada.Keys.Items, signal => Assert.Equal(ada.Id, signal.Account));
        Assert.Equal((2, 1), (Told(ada.Keys.Items), Told(ben.Keys.Items)));

        static int Told(IReadOnlyList<KeysSignal> signals) =>
            signals.Count(signal => signal is { Length: 0, Attempt: null, Wait: null });
    }

    [Fact]
    public async Task A_server_that_keeps_none_says_so_and_still_deletes()
    {
        string token;
        DeviceId device;
        await using (var server = await StartAsync())
        {
            await using var before = await BeginAsync(server);
            await before.Client.TurnOnArchiveAsync(s_archive, Cancellation);
            await before.Client.StoreArchiveChunkAsync(s_archive, 0, Chunk(0), Cancellation);
            (token, device) = (before.Client.Token!, before.Device);
        }

        await using var off = await TestServer.StartAsync(
            _database, new Dictionary<string, string?>(StringComparer.Ordinal) { ["Archive:Enabled"] = "false" });
        using var ada = new ChatPayClient(off.Address, token);
        await RefusedAsync(ErrorCode.ArchiveOff, ada.ArchiveAsync(Cancellation));
        await RefusedAsync(ErrorCode.ArchiveOff, ada.TurnOnArchiveAsync(s_archive, Cancellation));
        await RefusedAsync(ErrorCode.ArchiveOff, ada.StoreArchiveChunkAsync(s_archive, 1, Chunk(1), Cancellation));
        await RefusedAsync(ErrorCode.ArchiveOff, ada.ArchivePageAsync(s_archive, device, 0, Cancellation));
        Assert.Equal(1, await CountAsync("archive_chunk"));
        await ada.TurnOffArchiveAsync(s_archive, Cancellation);
        Assert.Equal(0, await CountAsync("archive") + await CountAsync("archive_stream") + await CountAsync("archive_chunk"));
    }

    private static byte[] Chunk(int number, int bytes = 2077)
    {
        var chunk = new byte[bytes];
        chunk[0] = (byte)number;
        return chunk;
    }

    private static async Task<Person> BeginAsync(TestServer server)
    {
        var person = await Person.JoinAsync(server.Address);
        await person.BeginChainAsync();
        return person;
    }

    private static async Task ApproveAsync(Person approved, Person device)
    {
        var chain = await approved.Client.KeyChainAsync(approved.Id, 0, 0, Cancellation);
        Assert.True(KeyLogEntry.TryRead(chain.Entries[^1].Entry, out var last, out _));
        var entry = KeyLogEntry.DeviceAdded(
            new KeyLogPlace(approved.Id, chain.Length, last.Hash()), device.Device, device.Key, approved.IdentityKey!);
        await device.Client.AppendKeysAsync([entry.Encoding.ToArray()], Cancellation);
    }

    private static async Task ConflictAsync(Person person, long number, byte[] chunk, long next)
    {
        var conflict = await RefusedAsync(
            ErrorCode.ArchiveChunkConflict, person.Client.StoreArchiveChunkAsync(s_archive, number, chunk, Cancellation));
        Assert.Equal($"{next}", conflict.Details!["next"].ToString());
    }

    private static async Task<ErrorBody> RefusedAsync(ErrorCode code, Task call)
    {
        var error = await Person.ErrorOf(call);
        Assert.Equal(code, (ErrorCode)error.Code);
        return error;
    }

    private async Task<long> CountAsync(string table, string what = "count(*)")
    {
        await using var source = NpgsqlDataSource.Create(_database);
        await using var command = source.CreateCommand($"select {what} from {table}");
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private async Task<TestServer> StartAsync(Dictionary<string, string?>? settings = null) =>
        await TestServer.StartAsync(_database = await postgres.CreateDatabaseAsync(), settings);
}
