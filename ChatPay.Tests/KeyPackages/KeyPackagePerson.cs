using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Accounts;
using ChatPay.Tests.Support;

namespace ChatPay.Tests.KeyPackages;

/// <summary>A signed-in device with a real signature key, as these tests need it.</summary>
internal sealed class KeyPackagePerson : IDisposable
{
    private readonly AccountsClient _client;

    private KeyPackagePerson(AccountsClient client, Key signatureKey, SessionReply session)
    {
        _client = client;
        SignatureKey = signatureKey;
        Session = session;
    }

    public Key SignatureKey { get; }

    public SessionReply Session { get; }

    public AccountId Account => Session.Account.Id;

    public DeviceId Device => Session.Device.Id;

    public static async Task<KeyPackagePerson> SignUpAsync(TestServer server)
    {
        var key = TestMls.NewSignatureKey();
        var client = server.Client();
        var session = await client.SignUpAsync(
            AccountsClient.FreshSignUp() with { Device = new NewDevice("First", TestMls.PublicKeyOf(key)) });
        return new KeyPackagePerson(client, key, session);
    }

    /// <summary>The same account on another device.</summary>
    public async Task<KeyPackagePerson> SecondDeviceAsync(TestServer server)
    {
        var key = TestMls.NewSignatureKey();
        var client = server.Client();
        var session = await client.SignInAsync(new SignInRequest(
            Session.Account.Handle, AccountsClient.Password, new NewDevice("Second", TestMls.PublicKeyOf(key))));
        return new KeyPackagePerson(client, key, session);
    }

    public byte[] Make(KeyPackageOptions? options = null) =>
        TestMls.KeyPackage(Account, Device, SignatureKey, options);

    public async Task<KeyPackageCount> UploadAsync(IReadOnlyList<byte[]> packages, byte[]? lastResort = null) =>
        await AccountsClient.ReadAsync<KeyPackageCount>(await TryUploadAsync(packages, lastResort));

    public Task<HttpResponseMessage> TryUploadAsync(IReadOnlyList<byte[]> packages, byte[]? lastResort = null) =>
        _client.PostAsync("/v1/key-packages", new UploadKeyPackagesRequest(packages, lastResort));

    public async Task<KeyPackageCount> CountAsync() =>
        await AccountsClient.ReadAsync<KeyPackageCount>(await _client.GetAsync("/v1/key-packages"));

    public async Task<ClaimKeyPackagesReply> ClaimAsync(params AccountId[] accounts) =>
        await AccountsClient.ReadAsync<ClaimKeyPackagesReply>(await TryClaimAsync(accounts));

    public Task<HttpResponseMessage> TryClaimAsync(params AccountId[] accounts) =>
        _client.PostAsync("/v1/key-packages/claim", new ClaimKeyPackagesRequest(accounts));

    public Task<HttpResponseMessage> RevokeAsync(DeviceId device) => _client.DeleteAsync($"/v1/devices/{device}");

    public void Dispose()
    {
        _client.Dispose();
        SignatureKey.Dispose();
    }
}
