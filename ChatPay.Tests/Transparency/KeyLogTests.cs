using System.Text.Json;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Transparency;

/// <summary>The key log through its two doors: chains for those who may see them, and the log for everybody.</summary>
public sealed class KeyLogTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_first_device_begins_its_accounts_chain_which_is_in_the_log_as_a_hash_alone()
    {
        await using var server = await StartAsync();
        await using var person = await Person.SignUpAsync(server.Address);
        var view = await person.Client.KeyLogAsync(Cancellation);
        var reply = await person.BeginChainAsync();
        Assert.Equal((person.Id, 0, 2), (reply.Account, reply.From, reply.Length));
        var checkpoint = PublicLog.Check(reply, view);

        using var log = new PublicLog(server);
        Assert.Equal(checkpoint.ToText(), (await log.CheckpointAsync(view)).ToText());
        var (leaves, root) = await log.LeavesAsync(checkpoint.Size);
        Assert.Equal(checkpoint.Root, root);
        Assert.Equal(2, leaves.Count);
        Assert.All(leaves, leaf => Assert.Equal(32, leaf.Length));
        Assert.All(reply.Entries, logged => Assert.DoesNotContain(leaves, leaf => logged.Entry.AsSpan().IndexOf(leaf) >= 0));
        Assert.Equal(2, reply.Entries.Select(logged => Convert.ToHexString(logged.Salt)).Distinct().Count());
        Assert.Equal(
            LogRejection.None,
            KeyChain.Check(person.Id, [.. reply.Entries.Select(logged => new ReadOnlyMemory<byte>(logged.Entry))],
                out var chain, out _));
        Assert.True(chain!.HasDevice(person.Device, TestMls.PublicKeyOf(person.Key)));
        Assert.Equal(64, (await log.FileAsync("tile/0/000.p/2")).Length);
        Assert.Equal(404, await log.StatusAsync("tile/0/000.p/3"));
        Assert.Equal(404, await log.StatusAsync("tile/0/000"));
        Assert.Equal(404, await log.StatusAsync("tile/entries/001"));
        Assert.Equal(404, await log.StatusAsync("tile/0/0.p/2"));
    }

    [Fact]
    public async Task A_request_that_is_repeated_is_answered_alike_and_one_that_comes_late_is_stale()
    {
        await using var server = await StartAsync();
        await using var person = await Person.SignUpAsync(server.Address);
        var view = await person.Client.KeyLogAsync(Cancellation);
        var first = await person.BeginChainAsync();
        byte[][] entries = [.. first.Entries.Select(logged => logged.Entry)];
        var again = await person.Client.AppendKeysAsync(entries, Cancellation);
        Assert.Equal(first.Entries.Select(logged => logged.Index), again.Entries.Select(logged => logged.Index));
        PublicLog.Check(again, view);

        var other = KeyLogEntry.VaultConfigured(
            new KeyLogPlace(person.Id, 1, Hash(entries[0])), new byte[32], person.IdentityKey!);
        var stale = await Person.ErrorOf(person.Client.AppendKeysAsync([other.Encoding.ToArray()], Cancellation));
        Assert.Equal(ErrorCode.KeyChainStale, (ErrorCode)stale.Code);
        Assert.Equal("2", stale.Details!["length"].ToString());
    }

    [Fact]
    public async Task Entries_of_others_by_others_and_for_other_devices_are_refused_and_nothing_is_stored()
    {
        await using var server = await StartAsync();
        await using var person = await Person.SignUpAsync(server.Address);
        await using var stranger = await Person.SignUpAsync(server.Address);
        await person.BeginChainAsync();
        var place = await NextAsync(person);
        using var another = TestMls.NewSignatureKey();

        // By a key that is not the identity's.
        await RefusedAsync(
            ErrorCode.KeyEntryInvalid, person, KeyLogEntry.VaultConfigured(place, new byte[32], another));

        // A device that is not the caller's; the caller's with another key.
        await RefusedAsync(
            ErrorCode.WrongDevice, person,
            KeyLogEntry.DeviceAdded(place, stranger.Device, stranger.Key, person.IdentityKey!));
        await RefusedAsync(
            ErrorCode.WrongDevice, person, KeyLogEntry.DeviceAdded(place, person.Device, another, person.IdentityKey!));

        // Somebody else's chain, by that person's own key.
        await RefusedAsync(
            ErrorCode.KeyEntryInvalid, stranger, KeyLogEntry.VaultConfigured(place, new byte[32], person.IdentityKey!));

        // A chain that begins without a device, and one that would be left without any.
        await RefusedAsync(
            ErrorCode.DeviceNotApproved, stranger,
            KeyLogEntry.Identity(KeyLogPlace.First(stranger.Id), another, another));
        await RefusedAsync(
            ErrorCode.DeviceNotApproved, person, KeyLogEntry.DeviceRevoked(place, person.Device, person.IdentityKey!));
        Assert.Equal(
            ErrorCode.InvalidArgument,
            (ErrorCode)(await Person.ErrorOf(person.Client.AppendKeysAsync([], Cancellation))).Code);
        Assert.Equal(2, (await person.Client.KeyChainAsync(person.Id, 0, 0, Cancellation)).Length);
        Assert.Equal(0, (await stranger.Client.KeyChainAsync(stranger.Id, 0, 0, Cancellation)).Length);
    }

    [Fact]
    public async Task A_chain_is_shown_to_those_who_share_a_conversation_and_to_nobody_else()
    {
        await using var server = await StartAsync();
        await using var anna = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await anna.BeginChainAsync();
        await ben.BeginChainAsync();
        var hidden = await Person.ErrorOf(ben.Client.KeyChainAsync(anna.Id, 0, 0, Cancellation));
        Assert.Equal(ErrorCode.AccountUnknown, (ErrorCode)hidden.Code);
        await TestGroup.DirectAsync(anna, ben);
        var seen = await ben.Client.KeyChainAsync(anna.Id, 0, 0, Cancellation);
        Assert.Equal(2, seen.Length);
        PublicLog.Check(seen, await ben.Client.KeyLogAsync(Cancellation));
    }

    [Fact]
    public async Task A_device_in_a_chain_offers_key_packages_that_its_identity_key_vouches_for_and_no_others()
    {
        await using var server = await StartAsync();
        await using var person = await Person.JoinAsync(server.Address);
        await using var stranger = await Person.SignUpAsync(server.Address);
        await stranger.BeginChainAsync();

        // Nothing vouches for a device that is in no chain, so nothing may say so.
        person.Voucher = stranger.IdentityKey;
        await RefusedAsync(person.KeyPackage());
        await person.BeginChainAsync();
        await RefusedAsync(person.KeyPackage());
        person.Voucher = null;
        await person.Client.UploadKeyPackagesAsync(new([person.KeyPackage()], null), Cancellation);
        await RefusedAsync(TestMls.KeyPackage(person.Id, person.Device, person.Key));
        await using (var unapproved = await person.OnAnotherDeviceAsync())
        {
            Assert.Equal(
                ErrorCode.DeviceNotApproved,
                (ErrorCode)(await Person.ErrorOf(unapproved.Client.UploadKeyPackagesAsync(
                    new([unapproved.KeyPackage()], null), Cancellation))).Code);
            var group = await TestGroup.GroupAsync(person);
            var refused = await Person.ErrorOf(group.JoinAsync(unapproved));
            Assert.Equal(ErrorCode.CommitInvalid, (ErrorCode)refused.Code);
        }

        var flipped = person.KeyPackage();
        var at = flipped.AsSpan().IndexOf(TestMls.PublicKeyOf(person.IdentityKey!));
        flipped[at + 40] ^= 1;
        await RefusedAsync(flipped);

        async Task RefusedAsync(byte[] package) => Assert.Equal(
            ErrorCode.KeyPackageInvalid,
            (ErrorCode)(await Person.ErrorOf(
                person.Client.UploadKeyPackagesAsync(new([package], null), Cancellation))).Code);
    }

    [Fact]
    public async Task Nobody_brings_in_a_device_whose_certificate_is_not_its_accounts()
    {
        await using var server = await StartAsync();
        await using var anna = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await anna.BeginChainAsync();
        await ben.BeginChainAsync();
        ben.Voucher = anna.IdentityKey;
        var foreign = await Person.ErrorOf(TestGroup.GroupAsync(anna, ben));
        Assert.Equal(ErrorCode.CommitInvalid, (ErrorCode)foreign.Code);
        ben.Voucher = null;
        await TestGroup.GroupAsync(anna, ben);
    }

    [Fact]
    public async Task A_reset_brings_a_new_identity_and_revokes_every_other_device()
    {
        await using var server = await StartAsync();
        await using var old = await Person.JoinAsync(server.Address);
        await old.BeginChainAsync();
        await using var fresh = await old.OnAnotherDeviceAsync();
        using var identity = TestMls.NewSignatureKey();
        var place = await NextAsync(old);
        var reset = KeyLogEntry.IdentityReset(place, identity);
        var added = KeyLogEntry.DeviceAdded(
            new KeyLogPlace(old.Id, place.Sequence + 1, reset.Hash()), fresh.Device, fresh.Key, identity);
        await fresh.Client.AppendKeysAsync([reset.Encoding.ToArray(), added.Encoding.ToArray()], Cancellation);
        var devices = await fresh.Client.DevicesAsync(Cancellation);
        Assert.Equal([fresh.Device], devices.Select(device => device.Id));
        var gone = await Person.ErrorOf(old.Client.MeAsync(Cancellation));
        Assert.Contains((ErrorCode)gone.Code, new[] { ErrorCode.DeviceRevoked, ErrorCode.Unauthenticated });
    }

    /// <summary>As after a restored backup: the entries are signed, whoever brings them.</summary>
    [Fact]
    public async Task A_device_adds_others_of_its_account_with_the_keys_that_they_signed_in_with()
    {
        await using var server = await StartAsync();
        await using var person = await Person.JoinAsync(server.Address);
        await person.BeginChainAsync();
        await using var phone = await person.OnAnotherDeviceAsync();
        using var another = TestMls.NewSignatureKey();
        await RefusedAsync(
            ErrorCode.WrongDevice, person,
            KeyLogEntry.DeviceAdded(await NextAsync(person), phone.Device, another, person.IdentityKey!));
        var wrapped = new byte[Limits.WrappedKeysBytes];
        Assert.Equal(
            ErrorCode.DeviceNotApproved,
            (ErrorCode)(await Person.ErrorOf(phone.Client.StoreWrappedKeysAsync(new(0, wrapped), Cancellation))).Code);
        var added = KeyLogEntry.DeviceAdded(await NextAsync(person), phone.Device, phone.Key, person.IdentityKey!);
        await person.Client.AppendKeysAsync([added.Encoding.ToArray()], Cancellation);
        Assert.Equal(1, (await phone.Client.StoreWrappedKeysAsync(new(0, wrapped), Cancellation)).Revision);

        // One that the server knows nothing of: a chain may name it, and nobody is it.
        using var lost = TestMls.NewSignatureKey();
        var gone = KeyLogEntry.DeviceAdded(
            await NextAsync(person), new DeviceId(VaultPerson.NewId()), lost, person.IdentityKey!);
        Assert.Equal(4, (await person.Client.AppendKeysAsync([gone.Encoding.ToArray()], Cancellation)).Length);
    }

    [Fact]
    public async Task A_chain_grows_by_so_many_entries_a_day_and_not_more()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var server = await TestServer.StartAsync(database);
        await using var person = await Person.SignUpAsync(server.Address);
        await person.BeginChainAsync();
        var place = await NextAsync(person);
        var signer = person.IdentityKey!;
        var left = Limits.KeyEntriesPerDay - 1;
        while (left > 0)
        {
            var some = Math.Min(left, Limits.KeyEntriesPerRequest);
            place = await AddAsync(some);
            left -= some;
        }

        var refused = await Person.ErrorOf(AddAsync(1));
        Assert.Equal(ErrorCode.TooManyRequests, (ErrorCode)refused.Code);
        Assert.InRange(((JsonElement)refused.Details!["retryAfterMs"]).GetInt32(), 1, 24 * 3600 * 1000);
        Assert.Equal(
            Limits.KeyEntriesPerDay + 1, (await person.Client.KeyChainAsync(person.Id, 0, 0, Cancellation)).Length);

        // Whose device was stolen can still replace the key.
        using var next = TestMls.NewSignatureKey();
        var replaced = KeyLogEntry.Identity(place, next, person.IdentityKey!);
        await person.Client.AppendKeysAsync([replaced.Encoding.ToArray()], Cancellation);
        place = new KeyLogPlace(person.Id, replaced.Sequence + 1, replaced.Hash());
        signer = next;
        await ExecuteAsync(database, "update key_entry set added_at = now() - interval '1 day'");
        await AddAsync(1);

        async Task<KeyLogPlace> AddAsync(int count)
        {
            var at = place;
            var entries = new List<byte[]>();
            for (var i = 0; i < count; i++)
            {
                var entry = KeyLogEntry.VaultConfigured(at, new byte[32], signer);
                at = new KeyLogPlace(person.Id, at.Sequence + 1, entry.Hash());
                entries.Add(entry.Encoding.ToArray());
            }

            await person.Client.AppendKeysAsync(entries, Cancellation);
            return at;
        }
    }

    [Fact]
    public async Task An_identity_begins_anew_only_so_often_a_day()
    {
        await using var server = await StartAsync();
        await using var first = await Person.JoinAsync(server.Address);
        await first.BeginChainAsync();
        var place = await NextAsync(first);
        for (var reset = 1; reset <= Limits.IdentitiesPerDay + 1; reset++)
        {
            await using var fresh = await first.OnAnotherDeviceAsync();
            using var identity = TestMls.NewSignatureKey();
            var begin = KeyLogEntry.IdentityReset(place, identity);
            var added = KeyLogEntry.DeviceAdded(
                new KeyLogPlace(first.Id, place.Sequence + 1, begin.Hash()), fresh.Device, fresh.Key, identity);
            if (reset > Limits.IdentitiesPerDay)
            {
                await RefusedAsync(ErrorCode.TooManyRequests, fresh, begin, added);
                return;
            }

            await fresh.Client.AppendKeysAsync([begin.Encoding.ToArray(), added.Encoding.ToArray()], Cancellation);
            place = new KeyLogPlace(first.Id, added.Sequence + 1, added.Hash());
        }
    }

    /// <summary>Many at once, over two nodes: each entry is in the log once, and the log only grew.</summary>
    [Fact]
    public async Task Two_nodes_make_one_log_of_everything_that_comes_at_once()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var first = await TestServer.StartAsync(database);
        await using var second = await TestServer.StartAsync(database);
        await using var early = await Person.SignUpAsync(first.Address);
        var view = await early.Client.KeyLogAsync(Cancellation);
        var before = PublicLog.Check(await early.BeginChainAsync(), view);
        const int People = 150;
        var replies = await Task.WhenAll(Enumerable.Range(0, People).Select(async i =>
        {
            await using var person = await Person.SignUpAsync((i % 2 == 0 ? first : second).Address);
            return await person.BeginChainAsync();
        }));
        Assert.All(replies, reply => PublicLog.Check(reply, view));
        var indices = replies.SelectMany(reply => reply.Entries.Select(logged => logged.Index)).ToList();
        Assert.Equal(Enumerable.Range(2, 2 * People).Select(i => (long)i), indices.Order());

        using var log = new PublicLog(second);
        var checkpoint = await log.CheckpointAsync(view);
        Assert.Equal(2 + (2 * People), checkpoint.Size);
        var (_, root) = await log.LeavesAsync(checkpoint.Size);
        Assert.Equal(checkpoint.Root, root);
        var grown = await early.Client.KeyLogConsistencyAsync(before.Size, null, Cancellation);
        Assert.Equal(
            LogRejection.None,
            ConsistencyProof.Verify(before.Size, checkpoint.Size, before.Root, checkpoint.Root, grown.Proof));
        PublicLog.Check(await early.Client.KeyChainAsync(early.Id, 1, before.Size, Cancellation), view, before);
        var beyond = await Person.ErrorOf(early.Client.KeyChainAsync(early.Id, 0, checkpoint.Size + 1, Cancellation));
        Assert.Equal(ErrorCode.LogSizeUnknown, (ErrorCode)beyond.Code);

        // The tiles lead to the root by themselves, as a reader of C2SP's format goes.
        Assert.Equal(8192, (await log.FileAsync("tile/0/000")).Length);
        Assert.Equal(32, (await log.FileAsync("tile/1/000.p/1")).Length);
    }

    [Fact]
    public async Task A_restored_database_begins_another_log_with_everything_that_it_still_has()
    {
        var database = await postgres.CreateDatabaseAsync();
        KeyLogView view;
        await using (var server = await TestServer.StartAsync(database))
        {
            await using var person = await Person.SignUpAsync(server.Address);
            view = await person.Client.KeyLogAsync(Cancellation);
            await person.BeginChainAsync();
            await using var lost = await Person.SignUpAsync(server.Address);
            await lost.BeginChainAsync();
        }

        // As a backup of before the second person would be.
        await KeyLogBackup.RestoreAsync(database, 2);
        await using var restored = await TestServer.StartAsync(database);
        Assert.Contains("another log begins", restored.Log, StringComparison.Ordinal);
        await using var next = await Person.SignUpAsync(restored.Address);
        var renewed = await next.Client.KeyLogAsync(Cancellation);
        Assert.Equal(view.Origin + "/2", renewed.Origin);
        var checkpoint = PublicLog.Check(await next.BeginChainAsync(), renewed);
        Assert.Equal(4, checkpoint.Size);
        using var log = new PublicLog(restored);
        var (_, root) = await log.LeavesAsync(4);
        Assert.Equal(checkpoint.Root, root);
    }

    /// <summary>Same size, another root: a history that was rewritten in the database is not signed.</summary>
    [Fact]
    public async Task A_database_whose_log_was_changed_begins_another_one()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using (var server = await TestServer.StartAsync(database))
        {
            await using var person = await Person.SignUpAsync(server.Address);
            await person.BeginChainAsync();
        }

        await ExecuteAsync(database, "update key_log set root = decode(repeat('07', 32), 'hex')");
        await using var changed = await TestServer.StartAsync(database);
        await using var other = await Person.SignUpAsync(changed.Address);
        Assert.EndsWith("/keys/2", (await other.Client.KeyLogAsync(Cancellation)).Origin, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrapped_keys_are_replaced_by_who_has_seen_them()
    {
        await using var server = await StartAsync();
        await using var person = await Person.SignUpAsync(server.Address);
        var nothing = await person.Client.WrappedKeysAsync(Cancellation);
        Assert.Equal((0, null), (nothing.Revision, nothing.Wrapped));
        var first = Wrapped(1);
        var unapproved = await Person.ErrorOf(person.Client.StoreWrappedKeysAsync(new(0, first), Cancellation));
        Assert.Equal(ErrorCode.DeviceNotApproved, (ErrorCode)unapproved.Code);
        await person.BeginChainAsync();
        Assert.Equal(1, (await person.Client.StoreWrappedKeysAsync(new(0, first), Cancellation)).Revision);
        Assert.Equal(1, (await person.Client.StoreWrappedKeysAsync(new(0, first), Cancellation)).Revision);
        Assert.Equal(2, (await person.Client.StoreWrappedKeysAsync(new(1, Wrapped(2)), Cancellation)).Revision);
        foreach (var revision in new[] { 0L, 1L, 3L })
        {
            var stale = await Person.ErrorOf(person.Client.StoreWrappedKeysAsync(new(revision, Wrapped(3)), Cancellation));
            Assert.Equal(ErrorCode.WrappedKeysStale, (ErrorCode)stale.Code);
        }

        Assert.Equal(
            ErrorCode.InvalidArgument,
            (ErrorCode)(await Person.ErrorOf(
                person.Client.StoreWrappedKeysAsync(new(2, new byte[93]), Cancellation))).Code);
        Assert.Equal(Wrapped(2), (await person.Client.WrappedKeysAsync(Cancellation)).Wrapped);

        static byte[] Wrapped(byte value) => [.. Enumerable.Repeat(value, Limits.WrappedKeysBytes)];
    }

    private static byte[] Hash(byte[] encoding) =>
        KeyLogEntry.TryRead(encoding, out var entry, out _) ? entry.Hash() : throw new InvalidOperationException();

    /// <summary>Where the next entry of a person's chain goes.</summary>
    private static async Task<KeyLogPlace> NextAsync(Person person)
    {
        var reply = await person.Client.KeyChainAsync(person.Id, 0, 0, Cancellation);
        return new KeyLogPlace(person.Id, reply.Length, Hash(reply.Entries[^1].Entry));
    }

    private static async Task RefusedAsync(ErrorCode code, Person person, params IReadOnlyList<KeyLogEntry> entries) =>
        Assert.Equal(code, (ErrorCode)(await Person.ErrorOf(person.Client.AppendKeysAsync(
            [.. entries.Select(entry => entry.Encoding.ToArray())], Cancellation))).Code);

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private async Task<TestServer> StartAsync() => await TestServer.StartAsync(await postgres.CreateDatabaseAsync());
}
