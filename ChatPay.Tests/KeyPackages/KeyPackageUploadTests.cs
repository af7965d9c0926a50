using System.Text.Json;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Accounts;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.KeyPackages;

public sealed class KeyPackageUploadTests(PostgresFixture postgres) : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() =>
        _server = await AccountsServer.StartAsync(await postgres.CreateDatabaseAsync());

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Uploading_twice_stores_once()
    {
        using var ana = await KeyPackagePerson.SignUpAsync(_server);
        byte[][] packages = [ana.Make(), ana.Make(), ana.Make()];
        var lastResort = ana.Make();

        Assert.Equal(new KeyPackageCount(3, true), await ana.UploadAsync([.. packages, packages[0]], lastResort));
        Assert.Equal(new KeyPackageCount(3, true), await ana.UploadAsync(packages, lastResort));
        Assert.Equal(new KeyPackageCount(3, true), await ana.CountAsync());
    }

    [Fact]
    public async Task A_package_that_was_handed_out_cannot_come_back_by_a_repeated_upload()
    {
        using var ana = await KeyPackagePerson.SignUpAsync(_server);
        using var ben = await KeyPackagePerson.SignUpAsync(_server);
        byte[][] packages = [ana.Make(), ana.Make()];
        await ana.UploadAsync(packages);
        var claimed = Assert.Single((await ben.ClaimAsync(ana.Account)).KeyPackages).KeyPackage;

        Assert.Equal(1, (await ana.UploadAsync(packages)).OneTime);
        var asLastResort = await ana.TryUploadAsync([], claimed);

        Assert.Equal(ErrorCode.KeyPackageInvalid, await AccountsClient.ErrorOfAsync(asLastResort));
    }

    [Fact]
    public async Task A_new_last_resort_package_takes_the_place_of_the_old_one()
    {
        using var ana = await KeyPackagePerson.SignUpAsync(_server);
        using var ben = await KeyPackagePerson.SignUpAsync(_server);
        await ana.UploadAsync([], ana.Make());
        var second = ana.Make();

        Assert.Equal(new KeyPackageCount(0, true), await ana.UploadAsync([], second));

        Assert.Equal(second, Assert.Single((await ben.ClaimAsync(ana.Account)).KeyPackages).KeyPackage);
    }

    [Fact]
    public async Task More_than_a_device_may_keep_are_refused_and_none_is_stored()
    {
        using var ana = await KeyPackagePerson.SignUpAsync(_server);
        await ana.UploadAsync(Many(ana, Limits.KeyPackagesPerUpload));
        await ana.UploadAsync(Many(ana, Limits.KeyPackagesPerDevice - Limits.KeyPackagesPerUpload - 1));

        var tooManyForDevice = await ana.TryUploadAsync(Many(ana, 2));
        var tooManyAtOnce = await ana.TryUploadAsync(Many(ana, Limits.KeyPackagesPerUpload + 1));

        Assert.Equal(ErrorCode.TooLarge, await AccountsClient.ErrorOfAsync(tooManyForDevice));
        Assert.Equal(ErrorCode.TooLarge, await AccountsClient.ErrorOfAsync(tooManyAtOnce));
        Assert.Equal(Limits.KeyPackagesPerDevice - 1, (await ana.CountAsync()).OneTime);
    }

    [Fact]
    public async Task Every_invalid_package_is_refused_and_nothing_is_stored()
    {
        using var ana = await KeyPackagePerson.SignUpAsync(_server);
        using var ben = await KeyPackagePerson.SignUpAsync(_server);
        var now = TimeProvider.System.GetUtcNow();
        var valid = ana.Make();
        var key = TestMls.ParseKeyPackage(valid).InitKey;
        using var stranger = TestMls.NewSignatureKey();
        (string What, byte[] Body, MlsRejection Reason)[] rows =
        [
            ("nothing", [], MlsRejection.Truncated),
            ("noise", [1, 2, 3], MlsRejection.UnknownVersion),
            ("cut off", valid[..^1], MlsRejection.Truncated),
            ("a byte more", [.. valid, 0], MlsRejection.TrailingBytes),
            ("too large", new byte[Limits.KeyPackageBytes + 1], MlsRejection.TooLarge),
            ("a Welcome", TestMls.Welcome(valid), MlsRejection.WrongKind),
            ("another suite", ana.Make(new() { CipherSuite = 3 }), MlsRejection.UnsupportedCipherSuite),
            ("another account", TestMls.KeyPackage(ben.Account, ana.Device, ana.SignatureKey),
                MlsRejection.CredentialInvalid),
            ("another device", TestMls.KeyPackage(ana.Account, ben.Device, ana.SignatureKey),
                MlsRejection.CredentialInvalid),
            ("a short identity", ana.Make(new() { Credential = new BasicCredential { Identity = new byte[31] } }),
                MlsRejection.CredentialInvalid),
            ("an X.509 credential", ana.Make(new() { Credential = new X509Credential { Certificates = [] } }),
                MlsRejection.CredentialInvalid),
            ("another key", TestMls.KeyPackage(ana.Account, ana.Device, stranger), MlsRejection.PublicKeyInvalid),
            ("an init key of small order", ana.Make(new() { InitKey = new byte[32] }), MlsRejection.PublicKeyInvalid),
            ("a short init key", ana.Make(new() { InitKey = new byte[31] }), MlsRejection.PublicKeyInvalid),
            ("an encryption key of small order", ana.Make(new() { EncryptionKey = new byte[32] }),
                MlsRejection.PublicKeyInvalid),
            ("one key for two uses", ana.Make(new() { InitKey = key, EncryptionKey = key }), MlsRejection.KeyReused),
            ("expired", ana.Make(new() { NotBefore = now.AddDays(-2), NotAfter = now.AddSeconds(-5) }),
                MlsRejection.LifetimeInvalid),
            ("from the future", ana.Make(new() { NotBefore = now.AddDays(1) }), MlsRejection.LifetimeInvalid),
            ("for ever", ana.Make(new() { NotAfter = now.AddYears(2) }), MlsRejection.LifetimeInvalid),
            ("an extension twice", ana.Make(new() { Extensions = [Unknown(), Unknown()] }),
                MlsRejection.ExtensionDuplicate),
            ("an extension it cannot", ana.Make(new() { LeafExtensions = [Unknown()] }),
                MlsRejection.CapabilitiesLacking),
            ("no capabilities", ana.Make(new() { Capabilities = NoCapabilities() }), MlsRejection.CapabilitiesLacking),
            ("a forged signature", Flip(valid, valid.Length - 1), MlsRejection.SignatureInvalid),
            ("a forged init key", Flip(valid, Find(valid, key)), MlsRejection.SignatureInvalid),
            ("a forged leaf signature", Resign(ana.SignatureKey, valid), MlsRejection.SignatureInvalid),
        ];

        foreach (var (what, body, reason) in rows)
        {
            await RefusedAsync(ana, what, [valid, body], lastResort: null, reason, index: 1);
            await RefusedAsync(ana, what, [valid], body, reason, index: null);
        }

        Assert.Equal(new KeyPackageCount(0, false), await ana.CountAsync());
        Assert.Equal(new KeyPackageCount(1, true), await ana.UploadAsync([valid], ana.Make()));
    }

    [Fact]
    public async Task Nobody_without_a_session_may_upload_or_claim()
    {
        using var client = _server.CreateClient();

        var upload = await client.PostAsync("/v1/key-packages", new StringContent(
            "{\"keyPackages\":[]}", System.Text.Encoding.UTF8, "application/json"));

        Assert.Equal(ErrorCode.Unauthenticated, await AccountsClient.ErrorOfAsync(upload));
    }

    private static async Task RefusedAsync(
        KeyPackagePerson person, string what, IReadOnlyList<byte[]> packages, byte[]? lastResort, MlsRejection reason,
        int? index)
    {
        var response = await person.TryUploadAsync(packages, lastResort);
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        var root = problem.RootElement;
        Assert.True(
            root.TryGetProperty("code", out var code) && code.GetInt32() == (int)ErrorCode.KeyPackageInvalid,
            $"{what}: {root}");
        var details = root.GetProperty("details");
        Assert.Equal((what, reason.ToString()), (what, details.GetProperty("reason").GetString()));
        Assert.Equal(index, details.TryGetProperty("index", out var at) ? at.GetInt32() : null);
    }

    private static List<byte[]> Many(KeyPackagePerson person, int count) =>
        [.. TestMls.KeyPackages(person.Account, person.Device, person.SignatureKey, count)];

    private static Extension Unknown() => new() { Type = 0xf0f0, Data = [] };

    private static Capabilities NoCapabilities() =>
        new() { Versions = [], CipherSuites = [], Extensions = [], Proposals = [], Credentials = [] };

    private static byte[] Flip(byte[] body, int place)
    {
        var forged = (byte[])body.Clone();
        forged[place] ^= 1;
        return forged;
    }

    private static int Find(byte[] body, byte[] part) => body.AsSpan().IndexOf(part);

    /// <summary>A key package with a good signature around a leaf whose own is broken.</summary>
    private static byte[] Resign(Key key, byte[] body)
    {
        var signature = TestMls.ParseKeyPackage(body).LeafNode.Signature;
        var broken = TestMls.ParseKeyPackage(Flip(body, Find(body, signature)));
        return TestMls.Encode(new(new KeyPackage
        {
            Version = broken.Version,
            CipherSuite = broken.CipherSuite,
            InitKey = broken.InitKey,
            LeafNode = broken.LeafNode,
            Extensions = broken.Extensions,
            Signature = KeyPackageValidation.Sign(broken, TestMls.Suite, key),
        }));
    }
}
