using System.Security.Cryptography;
using System.Text.Json;
using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Client.Internal.Keys;
using ChatPay.Client.Internal.Vault;
using ChatPay.Core.Identity;
using ChatPay.Core.Transparency;
using ChatPay.Core.Vault;
using ChatPay.LoadTest.Baselines;
using ChatPay.Tests.Client;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>
/// The SDK and the web client's own modules, which run under Node, at one server: a PIN that one of them sets brings the same
/// root secret and the same keys back to the other.
/// </summary>
public sealed class WebPinInteropTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData("480279", "４８０２ 79")]
    [InlineData("Café au lait 26", " Cafe\u0301 au lait 26 ")]
    public async Task A_PIN_that_the_web_client_sets_opens_with_the_SDK(string set, string typed)
    {
        SkipWithoutNode();
        await using var driver = NodeDriver.Start("pins");
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        var seed = (await OwnAsync(ada)).IdentitySeed!;
        var root = RandomNumberGenerator.GetBytes(AccountKeys.RootSecretSize);
        var archive = RandomNumberGenerator.GetBytes(AccountKeys.KeySize);
        var registered = await driver.AskAsync(
            Ask("register", ada.Device, set, seed, root, archive), Cancellation);
        Assert.Equal((int)VaultRejection.None, registered.GetProperty("rejection").GetInt32());

        // The digest is what the SDK takes for this very registration.
        await using var phone = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        var vault = new PinVault(phone.Client, RandomNumberGenerator.Fill);
        Assert.True(Pin.TryRead(typed, out var pin, out _));
        using (pin)
        {
            var recovered = new byte[AccountKeys.RootSecretSize];
            var digest = NodeDriver.BytesOf(registered.GetProperty("digest"));
            var step = await vault.RecoverAsync(pin, recovered, digest, Cancellation);
            Assert.True(step.IsOk, step.Rejection.ToString());
            Assert.Equal(root, recovered);
            digest[0] ^= 1;
            Assert.Equal(
                VaultRejection.RealmsDisagree, (await vault.RecoverAsync(pin, recovered, digest, Cancellation)).Rejection);
        }

        // And a device gets the account's keys by it, wrapped by the web client.
        await phone.RecoverAsync(typed, Cancellation);
        Assert.True(phone.IsApproved);
        var stored = await phone.Client.WrappedKeysAsync(Cancellation);
        Assert.True(AccountKeys.TryUnwrap(stored.Wrapped, ada.Id, root, out var keys));
        using (keys)
        {
            Assert.Equal(seed, keys.IdentitySeed.ToArray());
            Assert.Equal(archive, keys.ArchiveKey.ToArray());
        }

        // Each can remove what the other has set.
        await ada.Device.RemovePinAsync(Cancellation);
        Assert.Equal(
            (int)VaultRejection.NotRegistered,
            (await driver.AskAsync(Ask("recover", ada.Device, set, digest: new byte[32]), Cancellation))
                .GetProperty("rejection").GetInt32());
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData("480279", "４８０２ 79")]
    [InlineData("Café au lait 26", " Cafe\u0301 au lait 26 ")]
    public async Task A_PIN_that_the_SDK_sets_opens_with_the_web_client(string set, string typed)
    {
        SkipWithoutNode();
        await using var driver = NodeDriver.Start("pins");
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await ada.Device.SetPinAsync(set, Cancellation);
        var own = await OwnAsync(ada);
        await using var phone = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        var digest = await DigestAsync(ada);
        var wrong = await driver.AskAsync(Ask("recover", phone, "736104", digest: digest), Cancellation);
        Assert.Equal((int)VaultRejection.WrongPin, wrong.GetProperty("rejection").GetInt32());
        Assert.Equal(9, wrong.GetProperty("guessesLeft").GetInt32());
        var recovered = await driver.AskAsync(Ask("recover", phone, typed, digest: digest), Cancellation);
        Assert.Equal((int)VaultRejection.None, recovered.GetProperty("rejection").GetInt32());
        Assert.Equal(own.RootSecret, NodeDriver.BytesOf(recovered.GetProperty("rootSecret")));
        Assert.Equal(own.IdentitySeed, NodeDriver.BytesOf(recovered.GetProperty("identitySeed")));
        Assert.Equal(JsonValueKind.Null, recovered.GetProperty("archiveKey").ValueKind);

        var removed = await driver.AskAsync(Ask("remove", ada.Device, set, own.IdentitySeed), Cancellation);
        Assert.Equal((int)VaultRejection.None, removed.GetProperty("rejection").GetInt32());
        var gone = await Assert.ThrowsAsync<ChatPayException>(() => phone.RecoverAsync(set, Cancellation));
        Assert.Equal(ClientErrors.VaultNotRegistered, gone.Name);
    }

    private static void SkipWithoutNode()
    {
        if (NodeDriver.Missing() is { } reason)
        {
            Assert.Skip(reason);
        }
    }

    private static object Ask(
        string op, ChatPayDevice device, string pin, byte[]? identitySeed = null, byte[]? rootSecret = null,
        byte[]? archiveKey = null, byte[]? digest = null) => new
        {
            op,
            server = device.Client.Address.GetLeftPart(UriPartial.Authority),
            token = device.Client.Token,
            account = device.Account.Id.ToString(),
            pin,
            identitySeed,
            rootSecret,
            archiveKey,
            digest,
        };

    /// <summary>What the account's chain says of its PIN.</summary>
    private static async Task<byte[]> DigestAsync(SdkPerson person)
    {
        var chain = await person.Device.Client.KeyChainAsync(person.Id, 0, 0, Cancellation);
        return chain.Entries.Select(static logged =>
                KeyLogEntry.TryRead(logged.Entry, out var entry, out _) && entry.Type == KeyLogEntryType.VaultConfigured
                    ? entry.VaultDigest.ToArray() : null)
            .Last(static digest => digest is not null)!;
    }

    private static async Task<OwnKeysRecord> OwnAsync(SdkPerson person) =>
        DeviceCore.Decode<OwnKeysRecord>((await person.Store.ReadAsync(StoreKeys.OwnKeys, Cancellation))!);
}
