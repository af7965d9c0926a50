using ChatPay.Client;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Identity;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Identity keys between people: who may come into an account, and what happens when a key is another one.</summary>
public sealed class DeviceKeysTests(ServerFixture server, PostgresFixture postgres) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_second_device_takes_part_once_the_first_has_approved_it()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var chat = await ben.Device.StartDirectAsync(ada.Id, Cancellation);
        await ada.SeesAsync(chat.Id);
        await using var phone = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        var code = await phone.ApprovalCodeAsync(Cancellation);
        Assert.False(phone.IsApproved);
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => phone.OnlineAsync(Cancellation));
        Assert.Equal(ErrorCode.DeviceNotApproved, refused.Code);
        Assert.Equal(0, (await phone.Client.CountKeyPackagesAsync(Cancellation)).OneTime);

        Assert.Equal(phone.Id, (await ada.Device.ApproveAsync(code!, Cancellation)).Id);
        await Eventually.TrueAsync(() => Task.FromResult(phone.IsApproved), "the phone is approved");
        Assert.Null(await phone.ApprovalCodeAsync(Cancellation));
        await Eventually.TrueAsync(
            () => Task.FromResult(phone.Conversations.Any(one => one.Id == chat.Id && one.IsReadable)), "it is in");
        await phone.Conversation(chat.Id).SendTextAsync("from the phone", Cancellation);
        await ben.ReadsAsync("from the phone");

        // What one has approved oneself is no surprise, and to the others nothing has changed.
        Assert.Empty(await ada.Device.KeyAlarmsAsync(Cancellation));
        var seen = await ben.Device.PersonKeysAsync(ada.Id, Cancellation);
        Assert.True(seen is { IsAccepted: true, IsLogged: true, IsVerified: false });
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Codes_of_others_altered_ones_and_those_that_are_none_approve_nothing()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await using var phone = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        var text = (await phone.ApprovalCodeAsync(Cancellation))!;
        Assert.True(ApprovalCode.TryParse(text, out var code));
        using var other = TestMls.NewSignatureKey();
        var codes = new Dictionary<string, ChatPayDevice>(StringComparer.Ordinal)
        {
            ["chatpay:approve:1:nonsense"] = ada.Device,
            [text[..^1]] = ada.Device,
            [text + " again"] = ada.Device,
            [(code with { SignatureKey = TestMls.PublicKeyOf(other) }).ToString()] = ada.Device,
            [(code with { Device = ada.Device.Id }).ToString()] = ada.Device,
            [(code with { Device = ben.Device.Id }).ToString()] = ada.Device,
            [(code with { SealingKey = new byte[32] }).ToString()] = ada.Device,
            [text] = ben.Device,
        };
        foreach (var (tried, device) in codes)
        {
            var refused = await Assert.ThrowsAsync<ChatPayException>(() => device.ApproveAsync(tried, Cancellation));
            Assert.Equal(ClientErrors.CodeInvalid, refused.Name);
        }

        // Sealed for the phone, but with somebody else's keys in it, by somebody who may write to it.
        var chat = await ben.Device.StartDirectAsync(ada.Id, Cancellation);
        await ada.SeesAsync(chat.Id);
        using var foreign = AccountKeys.Of(new byte[32], default);
        var sealedKeys = SealedApproval.Seal(code, foreign, default, System.Security.Cryptography.RandomNumberGenerator.Fill)!;
        await using var wire = await ben.Device.Client.ConnectAsync(new(), Cancellation);
        await wire.HelloAsync(new(ben.Device.Id, Limits.ProtocolVersion, [], null, []), Cancellation);
        await wire.SendToDevicesAsync(
            new([new(phone.Id, sealedKeys)], TestGroup.NewClientId()), Cancellation);
        Assert.NotNull(await phone.ApprovalCodeAsync(Cancellation));
        await ada.Device.ApproveAsync(text, Cancellation);
        await Eventually.TrueAsync(() => Task.FromResult(phone.IsApproved), "the right keys are taken");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_changed_identity_stops_messages_and_money_until_it_is_accepted()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await ben.SeesAsync(chat.Id);
        var before = await ada.Device.PersonKeysAsync(ben.Id, Cancellation);
        Assert.True(await ada.Device.VerifyIdentityAsync(ben.Id, before.SafetyNumber!, Cancellation));
        var request = await ben.Device.Conversation(chat.Id).RequestMoneyAsync(
            ada.Id, Money.Of(100, AssetCode.Parse("EUR")), "Tea", cancellationToken: Cancellation);
        await ada.Items.FirstAsync(item => item is CardPosted);

        await using var phone = await SdkPerson.NewDeviceAsync(server.Address, ben.Handle);
        Assert.NotNull(await phone.ApprovalCodeAsync(Cancellation));
        await phone.ResetIdentityAsync(Cancellation);
        await Eventually.TrueAsync(
            () => Task.FromResult(phone.Conversations.Any(one => one.Id == chat.Id && one.IsReadable)), "it is in");
        await ada.Signals.FirstAsync(signal => signal is IdentityChangedSignal changed && changed.Account == ben.Id);

        var balance = await ada.AvailableAsync();
        foreach (var act in new Func<Task>[]
        {
            () => chat.SendTextAsync("a secret", Cancellation),
            () => ada.Device.PayAsync(request.Id, Cancellation),
            () => chat.SendMoneyAsync(
                ben.Id, Money.Of(1, AssetCode.Parse("EUR")), "Tip", cancellationToken: Cancellation),
        })
        {
            var blocked = await Assert.ThrowsAsync<ChatPayException>(act);
            Assert.Equal(ClientErrors.IdentityChanged, blocked.Name);
            Assert.Contains(ben.Handle, blocked.Message, StringComparison.Ordinal);
        }

        Assert.Equal(balance, await ada.AvailableAsync());
        var after = await ada.Device.PersonKeysAsync(ben.Id, Cancellation);
        Assert.True(after is { IsAccepted: false, IsVerified: false, IsLogged: true });
        Assert.NotEqual(before.SafetyNumber, after.SafetyNumber);
        Assert.Empty(await ada.Device.KeyAlarmsAsync(Cancellation));
        await ada.Device.AcceptIdentityAsync(ben.Id, Cancellation);
        Assert.True(await ada.Device.PersonKeysAsync(ben.Id, Cancellation) is { IsAccepted: true, IsVerified: false });
        await chat.SendTextAsync("hello again", Cancellation);
        await ada.Device.PayAsync(request.Id, Cancellation);
        Assert.True(ben.Device.State == ChatSessionState.Ended || !ben.Device.IsSignedIn);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Both_sides_see_one_safety_number_and_verify_by_it_or_by_its_code()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await using var eve = await SdkPerson.JoinAsync(server.Address);
        var group = await ada.Device.CreateGroupAsync("Three", [ben.Id, eve.Id], Cancellation);
        await ben.SeesAsync(group.Id);
        await eve.SeesAsync(group.Id);
        var adasView = await ada.Device.PersonKeysAsync(ben.Id, Cancellation);
        var bensView = await ben.Device.PersonKeysAsync(ada.Id, Cancellation);
        Assert.Equal(60, adasView.SafetyNumber!.Length);
        Assert.Equal(adasView.SafetyNumber, bensView.SafetyNumber);
        Assert.NotEqual(adasView.SafetyNumber, (await eve.Device.PersonKeysAsync(ada.Id, Cancellation)).SafetyNumber);

        Assert.False(await ada.Device.VerifyIdentityAsync(ben.Id, adasView.SafetyCode!, Cancellation));
        Assert.False(await ada.Device.VerifyIdentityAsync(ben.Id, new string('1', 60), Cancellation));
        await Assert.ThrowsAsync<ChatPayException>(
            () => ada.Device.VerifyIdentityAsync(ben.Id, "no code", Cancellation));
        Assert.False((await ada.Device.PersonKeysAsync(ben.Id, Cancellation)).IsVerified);
        Assert.True(await ada.Device.VerifyIdentityAsync(ben.Id, bensView.SafetyCode!, Cancellation));
        Assert.True((await ada.Device.PersonKeysAsync(ben.Id, Cancellation)).IsVerified);
        Assert.True(await ben.Device.VerifyIdentityAsync(
            ada.Id, string.Join(' ', adasView.SafetyNumber.Chunk(5).Select(group => new string(group))), Cancellation));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_new_device_comes_into_its_account_by_the_PIN_and_contacts_see_no_change()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var chat = await ben.Device.StartDirectAsync(ada.Id, Cancellation);
        await ada.SeesAsync(chat.Id);
        var before = await ben.Device.PersonKeysAsync(ada.Id, Cancellation);
        foreach (var (weak, reason) in new[] { ("123456", "Sequential"), ("777777", "Repeated"), ("12", "TooShort") })
        {
            var refused = await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.SetPinAsync(weak, Cancellation));
            Assert.Equal((ClientErrors.PinRefused, reason), (refused.Name, refused.Error.Details!["reason"]));
        }

        await ada.Device.SetPinAsync("480279", Cancellation);
        await ada.Device.DisposeAsync();
        await using var phone = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        var wrong = await Assert.ThrowsAsync<ChatPayException>(() => phone.RecoverAsync("480278", Cancellation));
        Assert.Equal((ClientErrors.WrongPin, "9"), (wrong.Name, wrong.Error.Details!["guessesLeft"].ToString()));
        Assert.False(phone.IsApproved);
        await phone.RecoverAsync("480279", Cancellation);
        Assert.True(phone.IsApproved);
        await Eventually.TrueAsync(
            () => Task.FromResult(phone.Conversations.Any(one => one.Id == chat.Id && one.IsReadable)), "it is in");
        await phone.Conversation(chat.Id).SendTextAsync("by the PIN", Cancellation);
        await ben.ReadsAsync("by the PIN");
        var after = await ben.Device.PersonKeysAsync(ada.Id, Cancellation);
        Assert.True(after.IsAccepted);
        Assert.Equal(before.SafetyNumber, after.SafetyNumber);

        // The failed guess is forgiven, a changed PIN replaces the old one, and a removed one helps nobody.
        await phone.SetPinAsync("a passphrase that nobody guesses", Cancellation);
        await using var tablet = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        var old = await Assert.ThrowsAsync<ChatPayException>(() => tablet.RecoverAsync("480279", Cancellation));
        Assert.Equal((ClientErrors.WrongPin, "9"), (old.Name, old.Error.Details!["guessesLeft"].ToString()));
        await phone.RemovePinAsync(Cancellation);
        var gone = await Assert.ThrowsAsync<ChatPayException>(
            () => tablet.RecoverAsync("a passphrase that nobody guesses", Cancellation));
        Assert.Equal(ClientErrors.VaultNotRegistered, gone.Name);
        await phone.SetPinAsync("902741", Cancellation);
        await tablet.RecoverAsync("902741", Cancellation);
        Assert.True(tablet.IsApproved);
    }

    /// <summary>
    /// The operator vouches for a device of somebody's account with a key of its own: those who talk to that person are
    /// warned, and nothing goes there.
    /// </summary>
    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_device_that_the_server_made_up_gets_nothing_said()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await ben.SeesAsync(chat.Id);
        await ada.Device.PersonKeysAsync(ben.Id, Cancellation);
        using var key = TestMls.NewSignatureKey();
        using var identity = TestMls.NewSignatureKey();
        using var spy = new ChatPayClient(server.Address);
        await spy.SignInAsync(
            new(ben.Handle, Person.Password, new("Spy", TestMls.PublicKeyOf(key))), Cancellation);
        await ExecuteAsync(
            $"""
            update key_chain set identity_keys = identity_keys || decode('{Hex(identity)}', 'hex')
            where account_id = '{ben.Id}';
            update device set approved_at = now() where id = '{spy.Device!.Id}'
            """);
        var package = TestMls.KeyPackage(ben.Id, spy.Device.Id, key, new()
        {
            Credential = ChatPay.Core.Mls.DeviceCredential.Issue(
                new(ben.Id, spy.Device.Id), TestMls.PublicKeyOf(key), identity).ToCredential(),
        });
        await spy.UploadKeyPackagesAsync(new([package], package), Cancellation);
        await ada.Device.Conversation(chat.Id).SendTextAsync("before", Cancellation);
        var group = await Assert.ThrowsAsync<ChatPayException>(
            () => ada.Device.CreateGroupAsync("With a spy", [ben.Id], Cancellation));
        Assert.Equal(ClientErrors.IdentityChanged, group.Name);
        await Eventually.TrueAsync(
            async () => (await ada.Device.KeyAlarmsAsync(Cancellation)).Any(
                alarm => alarm.Kind == KeyAlarmKind.IdentityUnlogged && alarm.Account == ben.Id),
            "the key that is not in the log raises an alarm");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task An_entry_of_the_own_chain_that_nobody_here_made_raises_an_alarm()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        Assert.Empty(await ada.Device.KeyAlarmsAsync(Cancellation));
        await using var tablet = await phone.OnAnotherDeviceAsync();
        await ada.Device.DisposeAsync();
        await using var again = await SdkPerson.OpenAsync(server.Address, ada.Store, ada.Handle);
        await Eventually.TrueAsync(
            async () => (await again.Device.KeyAlarmsAsync(Cancellation)).Any(
                alarm => alarm.Kind == KeyAlarmKind.OwnKeysChanged),
            "a device that another one approved is announced");
        var alarm = Assert.Single(await again.Device.KeyAlarmsAsync(Cancellation));
        await again.Device.DismissKeyAlarmAsync(alarm.Number, Cancellation);
        Assert.Empty(await again.Device.KeyAlarmsAsync(Cancellation));
    }

    /// <summary>
    /// An operator rewrites the log, signs it, and hides from its own server that it did: who had seen the other history
    /// finds out, and so does everybody to whom that person writes.
    /// </summary>
    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_server_that_shows_two_histories_is_found_out_by_both_who_see_them()
    {
        var database = await postgres.CreateDatabaseAsync();
        var (adasStore, bensStore) = (new MemoryStore(), new MemoryStore());
        string ada, ben;
        ConversationId chat;
        await using (var honest = await TestServer.StartAsync(database))
        {
            await using var one = await SdkPerson.JoinAsync(honest.Address, adasStore);
            await using var other = await SdkPerson.JoinAsync(honest.Address, bensStore);
            (ada, ben) = (one.Handle, other.Handle);
            chat = (await one.Device.StartDirectAsync(other.Id, Cancellation)).Id;
            await other.SeesAsync(chat);
            await one.Device.PersonKeysAsync(other.Id, Cancellation);
            await other.Device.PersonKeysAsync(one.Id, Cancellation);
        }

        var folder = await TestServer.KeyFolderAsync(database);
        await ForgeAsync(database, folder);
        await using var forked = await TestServer.StartAsync(database);
        Assert.DoesNotContain("another log begins", forked.Log, StringComparison.Ordinal);

        // Ada looks at the log and sees the fork herself. Ben has the old history and has not looked yet: she tells him.
        await using var adaAgain = await SdkPerson.OpenAsync(forked.Address, adasStore, ada);
        await Eventually.TrueAsync(() => HasForkAsync(adaAgain), "ada sees that the log is another");
        var alarm = (await adaAgain.Device.KeyAlarmsAsync(Cancellation))[0];
        Assert.True(alarm.Evidence.Count >= 2, "both checkpoints are kept");
        Assert.NotEqual(alarm.Evidence[0], alarm.Evidence[1]);

        // Somebody new knows only the forged history, and Ada tells of the true one inside a message.
        await using var late = await SdkPerson.JoinAsync(forked.Address);
        var talk = await adaAgain.Device.StartDirectAsync(late.Id, Cancellation);
        await late.SeesAsync(talk.Id);
        await talk.SendTextAsync("can you hear me?", Cancellation);
        await late.ReadsAsync("can you hear me?");
        await Eventually.TrueAsync(() => HasForkAsync(late), "the newcomer hears of it in an encrypted message");
    }

    private static async Task<bool> HasForkAsync(SdkPerson person) =>
        (await person.Device.KeyAlarmsAsync(Cancellation)).Any(alarm => alarm.Kind == KeyAlarmKind.LogForked);

    /// <summary>Another first leaf, with all hashes and the signature as they then are, and no mark of what was signed.</summary>
    private static async Task ForgeAsync(string database, string folder)
    {
        await using var source = NpgsqlDataSource.Create(database);
        var leaves = new List<byte[]>();
        await using (var command = source.CreateCommand("select leaf from key_log_leaf order by index"))
        await using (var row = await command.ExecuteReaderAsync(Cancellation))
        {
            while (await row.ReadAsync(Cancellation))
            {
                leaves.Add(await row.GetFieldValueAsync<byte[]>(0, Cancellation));
            }
        }

        leaves[0] = [.. leaves[0].Select(value => (byte)(value ^ 1))];
        var tree = new MerkleFrontier();
        var hashes = new List<byte>();
        foreach (var leaf in leaves)
        {
            hashes.AddRange(MerkleHash.Leaf(leaf));
            tree.Append(MerkleHash.Leaf(leaf));
        }

        var lines = await File.ReadAllLinesAsync(Path.Combine(folder, "key-log.key"), Cancellation);
        using var key = Key.Import(
            SignatureAlgorithm.Ed25519, System.Buffers.Text.Base64Url.DecodeFromChars(lines[1]), KeyBlobFormat.RawPrivateKey);
        await using var note = source.CreateCommand("select note from key_log");
        var origin = ((string)(await note.ExecuteScalarAsync(Cancellation))!).Split('\n')[0];
        var forged = new Checkpoint(origin, leaves.Count, tree.Root()).Sign(new NoteSigner(origin, key)).ToString();
        await using var update = source.CreateCommand(
            """
            with leaf as (update key_log_leaf set leaf = $1 where index = 0),
                tile as (update key_log_tile set hashes = $2 where level = 0 and index = 0)
            update key_log set root = $3, note = $4
            """);
        update.Parameters.Add(new() { Value = leaves[0] });
        update.Parameters.Add(new() { Value = hashes.ToArray() });
        update.Parameters.Add(new() { Value = tree.Root() });
        update.Parameters.Add(new() { Value = forged });
        await update.ExecuteNonQueryAsync(Cancellation);
        File.Delete(Path.Combine(folder, "key-log.mark"));
    }

    private static string Hex(Key key) => Convert.ToHexStringLower(TestMls.PublicKeyOf(key));

    private async Task ExecuteAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
