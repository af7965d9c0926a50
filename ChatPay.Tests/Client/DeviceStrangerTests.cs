using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>An operator who makes up a device of somebody's account, with an identity key that the log does not have.</summary>
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

    private static async Task AssertSilentAsync(ChatPayDevice device, ConversationId chat)
    {
        var refused = await Assert.ThrowsAsync<ChatPayException>(
            () => device.Conversation(chat).SendTextAsync("a secret", Cancellation));
        Assert.Equal(ClientErrors.IdentityChanged, refused.Name);
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

    private static async Task JoinAsync(ChatPayClient spy, Key key, ConversationId chat)
    {
        var info = await spy.GroupInfoAsync(chat, Cancellation);
        Assert.True(TlsCodec.TryDecode<MlsMessage>(info.GroupInfo, out var message, out _));
        Assert.True(Group.TryJoinExternally(
            message.GroupInfo!, Member(spy, key), TestClient.NewServices(new Anybody()), null, out var commit, out _));
        using (commit)
        {
            await spy.SubmitCommitAsync(
                new(chat, TestGroup.NewClientId(), info.Epoch, commit.Message, commit.Welcome, commit.GroupInfo),
                Cancellation);
        }
    }

    /// <summary>The device's own key is what vouches for it.</summary>
    private static MlsMember Member(ChatPayClient spy, Key key) => new()
    {
        SignatureKey = key,
        Credential = DeviceCredential.Issue(
            new(spy.Account!.Id, spy.Device!.Id), TestMls.PublicKeyOf(key), key).ToCredential(),
        Capabilities = GroupKeeper.Capabilities,
    };

    private static string Hex(Key key) => Convert.ToHexStringLower(TestMls.PublicKeyOf(key));

    private sealed class Anybody : ICredentialValidator
    {
        public bool IsValid(Credential credential, ReadOnlySpan<byte> signatureKey) => true;

        public bool MayReplace(LeafNode current, LeafNode next) => true;
    }
}
