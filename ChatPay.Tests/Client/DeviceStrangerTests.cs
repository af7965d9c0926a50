using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Client.Internal.Keys;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>
/// An operator who makes up a device of somebody's account: with an identity key that the log does not have, or one that was
/// stolen.
/// </summary>
public sealed class DeviceStrangerTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_stranger_in_the_own_account_is_told_nothing_until_it_is_gone()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await ben.SeesAsync(chat.Id);
        await ben.Device.PersonKeysAsync(ada.Id, Cancellation);
        using var key = TestMls.NewSignatureKey();
        using var spy = await SpyAsync(ada.Handle, key);
        await JoinAsync(spy, key, chat.Id);

        await Eventually.TrueAsync(() => HasAlarmAsync(ada.Device, ada.Id), "ada sees the stranger");
        await AssertSilentAsync(ada.Device, chat.Id);
        await Eventually.TrueAsync(() => HasAlarmAsync(ben.Device, ada.Id), "ben sees it too");
        await AssertSilentAsync(ben.Device, chat.Id);

        // Opened again it is as it was, and another device of the account does not come in beside the stranger.
        await ada.Device.DisposeAsync();
        await using var again = await SdkPerson.OpenAsync(server.Address, ada.Store, ada.Handle);
        await AssertSilentAsync(again.Device, chat.Id);
        await using var phone = await again.OnAnotherDeviceAsync();
        await Eventually.TrueAsync(() => HasAlarmAsync(phone.Device, ada.Id), "the phone sees the stranger");
        Assert.False(phone.Device.Conversation(chat.Id).IsReadable);

        // That the chain has grown by a device explains nothing to ben.
        Assert.True(await ben.Device.PersonKeysAsync(ada.Id, Cancellation) is { IsAccepted: false, IsLogged: false });

        await again.Device.RevokeAsync(spy.Device!.Id, Cancellation);
        await phone.SeesAsync(chat.Id);
        await Eventually.TrueAsync(
            async () => await Record.ExceptionAsync(
                () => again.Device.Conversation(chat.Id).SendTextAsync("it is gone", Cancellation)) is null,
            "ada has read that it is gone");
        await ben.ReadsAsync("it is gone");
        await ben.Device.AcceptIdentityAsync(ada.Id, Cancellation);
        Assert.True(await ben.Device.PersonKeysAsync(ada.Id, Cancellation) is { IsAccepted: true, IsLogged: true });
        await ben.Device.Conversation(chat.Id).SendTextAsync("good", Cancellation);
        await phone.ReadsAsync("good");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_stranger_in_the_own_account_is_not_added_to_a_conversation()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        using var key = TestMls.NewSignatureKey();
        using var spy = await SpyAsync(ada.Handle, key);
        var package = TestMls.KeyPackage(
            ada.Id, spy.Device!.Id, key, new() { Credential = Member(spy, key).Credential });
        await spy.UploadKeyPackagesAsync(new([package], package), Cancellation);
        var refused = await Assert.ThrowsAsync<ChatPayException>(
            () => ada.Device.StartDirectAsync(ben.Id, Cancellation));
        Assert.Equal(ClientErrors.IdentityChanged, refused.Name);
        Assert.True(await HasAlarmAsync(ada.Device, ada.Id));
    }

    /// <summary>Whoever has stolen an identity key vouches for a device with it, without an entry in the log.</summary>
    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stranger_under_a_stolen_key_is_told_nothing_though_the_chain_has_or_had_the_key(bool isReplaced)
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await ben.SeesAsync(chat.Id);
        await ben.Device.PersonKeysAsync(ada.Id, Cancellation);
        using var stolen = await IdentityKeyAsync(ada);
        if (isReplaced)
        {
            await ada.Device.RotateIdentityAsync(Cancellation);
            var next = (await ben.Device.PersonKeysAsync(ada.Id, Cancellation)).IdentityKey!;
            await ben.ShowsAsync(chat.Id, ada.Device.Id, next);
            await ben.Device.AcceptIdentityAsync(ada.Id, Cancellation);
        }

        await ben.Device.Conversation(chat.Id).SendTextAsync("all is well", Cancellation);
        await ada.ReadsAsync("all is well");
        using var key = TestMls.NewSignatureKey();
        using var spy = await SpyAsync(ada.Handle, key);
        await JoinAsync(spy, key, chat.Id, stolen);

        await Eventually.TrueAsync(() => HasAlarmAsync(ada.Device, ada.Id), "ada sees the stranger");
        await AssertSilentAsync(ada.Device, chat.Id);
        await Eventually.TrueAsync(() => HasAlarmAsync(ben.Device, ada.Id), "ben sees it too");
        await AssertSilentAsync(ben.Device, chat.Id);
        Assert.False((await ben.Device.PersonKeysAsync(ada.Id, Cancellation)).IsAccepted);

        // Opened again ben is as careful, and a device of ada's that the chain has is no stranger beside it.
        await ben.Device.DisposeAsync();
        await using var again = await SdkPerson.OpenAsync(server.Address, ben.Store, ben.Handle);
        await AssertSilentAsync(again.Device, chat.Id);

        // Nor where ada is accepted as she is: the stranger is no more hers for it, and only she can put it out.
        await Eventually.TrueAsync(
            async () =>
            {
                await again.Device.AcceptIdentityAsync(ada.Id, Cancellation);
                return (await AssertSilentAsync(again.Device, chat.Id)).Error.Message.Contains(
                    "until they have removed it", StringComparison.Ordinal);
            },
            "the stranger alone is in the way");
        await ada.Device.RevokeAsync(spy.Device!.Id, Cancellation);
        await Eventually.TrueAsync(
            async () => await Record.ExceptionAsync(
                () => ada.Device.Conversation(chat.Id).SendTextAsync("it is gone", Cancellation)) is null,
            "ada has read that it is gone");
        await again.ReadsAsync("it is gone");
        await again.Device.AcceptIdentityAsync(ada.Id, Cancellation);
        await using var phone = await ada.OnAnotherDeviceAsync();
        await phone.SeesAsync(chat.Id);
        await phone.Device.Conversation(chat.Id).SendTextAsync("from the phone", Cancellation);
        await again.ReadsAsync("from the phone");
        await again.Device.Conversation(chat.Id).SendTextAsync("good", Cancellation);
        await phone.ReadsAsync("good");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_stranger_under_a_stolen_key_is_added_by_nobody()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await ben.SeesAsync(chat.Id);
        await ben.Device.PersonKeysAsync(ada.Id, Cancellation);
        using var stolen = await IdentityKeyAsync(ada);
        using var key = TestMls.NewSignatureKey();
        using var spy = await SpyAsync(ada.Handle, key);
        var package = TestMls.KeyPackage(
            ada.Id, spy.Device!.Id, key, new() { Credential = Member(spy, key, stolen).Credential });
        await spy.UploadKeyPackagesAsync(new([package], package), Cancellation);
        foreach (var person in new[] { ada, ben })
        {
            var others = person == ada ? ben.Id : ada.Id;
            var refused = await Assert.ThrowsAsync<ChatPayException>(
                () => person.Device.CreateGroupAsync("With a spy", [others], Cancellation));
            Assert.Equal(ClientErrors.IdentityChanged, refused.Name);
            Assert.True(await HasAlarmAsync(person.Device, ada.Id));
        }
    }

    private static async Task<Key> IdentityKeyAsync(SdkPerson person)
    {
        var own = DeviceCore.Decode<OwnKeysRecord>((await person.Store.ReadAsync(StoreKeys.OwnKeys, Cancellation))!);
        return Key.Import(SignatureAlgorithm.Ed25519, own.IdentitySeed, KeyBlobFormat.RawPrivateKey);
    }

    private static async Task<ChatPayException> AssertSilentAsync(ChatPayDevice device, ConversationId chat)
    {
        var refused = await Assert.ThrowsAsync<ChatPayException>(
            () => device.Conversation(chat).SendTextAsync("a secret", Cancellation));
        Assert.Equal(ClientErrors.IdentityChanged, refused.Name);
        return refused;
    }

    private static async Task<bool> HasAlarmAsync(ChatPayDevice device, AccountId account) =>
        (await device.KeyAlarmsAsync(Cancellation)).Any(
            alarm => alarm.Kind == KeyAlarmKind.IdentityUnlogged && alarm.Account == account);

    /// <summary>Signed in with the password, and made one of the account's devices by whoever runs the server.</summary>
    private async Task<ChatPayClient> SpyAsync(string handle, Key key)
    {
        var spy = new ChatPayClient(server.Address);
        await spy.SignInAsync(new(handle, Person.Password, new("Spy", TestMls.PublicKeyOf(key))), Cancellation);
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = source.CreateCommand(
            $"""
            update key_chain set identity_keys = identity_keys || decode('{Hex(key)}', 'hex')
            where account_id = '{spy.Account!.Id}';
            update device set approved_at = now() where id = '{spy.Device!.Id}'
            """);
        await command.ExecuteNonQueryAsync(Cancellation);
        return spy;
    }

    private static async Task JoinAsync(ChatPayClient spy, Key key, ConversationId chat, Key? identityKey = null)
    {
        var info = await spy.GroupInfoAsync(chat, Cancellation);
        Assert.True(TlsCodec.TryDecode<MlsMessage>(info.GroupInfo, out var message, out _));
        Assert.True(Group.TryJoinExternally(
            message.GroupInfo!, Member(spy, key, identityKey), TestClient.NewServices(new Anybody()), null, out var commit,
            out _));
        using (commit)
        {
            await spy.SubmitCommitAsync(
                new(chat, TestGroup.NewClientId(), info.Epoch, commit.Message, commit.Welcome, commit.GroupInfo),
                Cancellation);
        }
    }

    /// <param name="identityKey">What vouches for it; the device's own key where there is none.</param>
    private static MlsMember Member(ChatPayClient spy, Key key, Key? identityKey = null) => new()
    {
        SignatureKey = key,
        Credential = DeviceCredential.Issue(
            new(spy.Account!.Id, spy.Device!.Id), TestMls.PublicKeyOf(key), identityKey ?? key).ToCredential(),
        Capabilities = GroupKeeper.Capabilities,
    };

    private static string Hex(Key key) => Convert.ToHexStringLower(TestMls.PublicKeyOf(key));

    private sealed class Anybody : ICredentialValidator
    {
        public bool IsValid(Credential credential, ReadOnlySpan<byte> signatureKey) => true;

        public bool MayReplace(LeafNode current, LeafNode next) => true;
    }
}
