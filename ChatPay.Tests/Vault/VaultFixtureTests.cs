using System.Text.Json;
using System.Text.Json.Nodes;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Core.Vault;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>
/// One registration, recovery and chain with fixed randomness, byte by byte, in <c>Fixtures/vault.json</c>: what
/// another implementation has to come to as well. Where the encodings change on purpose the failing test prints the new
/// file.
/// </summary>
public sealed class VaultFixtureTests
{
    private const string Note =
        "Values of docs/VAULT.md in hex; read by the .NET tests and for those of other clients. A stream is SHA-512 of its "
        + "name in UTF-8 and a number in four bytes, from 0 on, one after the other.";

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    [Fact]
    public void Every_byte_is_that_of_the_shared_fixture()
    {
        var file = Repository.PathOf("ChatPay.Tests/Fixtures/vault.json");
        var made = Build().ToJsonString(s_indented) + "\n";
        Assert.True(File.Exists(file) && File.ReadAllText(file) == made, made);
    }

    internal static JsonObject Build()
    {
        using var identity = TestVault.NewKey(TestVault.Stream("fixture identity"));
        var root = Bytes("fixture root", 32);
        var user = new AccountId(TestVault.IdOf("account"));
        var configuration = new RealmConfiguration(
            [.. Enumerable.Range(1, 3).Select(number => new RealmId(TestVault.IdOf($"realm {number}")))], 2);
        using var pin = TestVault.PinOf("４８０２ 79");
        using var registration = VaultRegistration.Create(
            new VaultRegistrationPlan(user, configuration, TestVault.Cheap, new RegistrationVersion[3]),
            pin, root, identity, identity, TestVault.Stream("fixture registration"));
        return new JsonObject
        {
            ["note"] = Note,
            ["account"] = user.ToString(),
            ["identitySeed"] = Hex(Bytes("fixture identity", 32)),
            ["rootSecret"] = Hex(root),
            ["realms"] = new JsonArray([.. configuration.Realms.Select(realm => JsonValue.Create(realm.ToString()))]),
            ["threshold"] = configuration.Threshold,
            ["configurationDigest"] = Hex(configuration.Digest),
            ["pin"] = new JsonObject { ["typed"] = "４８０２ 79", ["normalised"] = Hex(pin.Bytes) },
            ["stretched"] = Stretched(pin, user, configuration),
            ["registration"] = Registration(registration),
            ["recovery"] = Recovery(registration, configuration, pin),
            ["keyLog"] = KeyLog(user, identity, registration),
        };
    }

    /// <summary>The same PIN with the parameters that new registrations take.</summary>
    private static JsonObject Stretched(Pin pin, AccountId user, RealmConfiguration configuration)
    {
        var version = new RegistrationVersion(TestVault.IdOf("version"));
        var context = new VaultContext(user, version, configuration.Digest, PinHashParameters.Default);
        var (salt, parameters) = (new byte[16], new byte[PinHashParameters.SizeBytes]);
        context.Salt(salt);
        context.Parameters.Write(parameters);
        using var stretched = StretchedPin.Derive(pin, context);
        return new JsonObject
        {
            ["version"] = version.ToString(),
            ["parameters"] = Hex(parameters),
            ["contextDigest"] = Hex(context.Digest),
            ["salt"] = Hex(salt),
            ["accessKey"] = Hex(stretched.AccessKey),
        };
    }

    private static JsonObject Registration(VaultRegistration registration) => new()
    {
        ["stream"] = "fixture registration",
        ["version"] = registration.Context.Version.ToString(),
        ["contextDigest"] = Hex(registration.Context.Digest),
        ["digest"] = Hex([.. registration.Digest]),
        ["requests"] = new JsonArray([.. registration.Requests.Select(request => JsonValue.Create(Hex(request.Encoding)))]),
    };

    private static JsonObject Recovery(VaultRegistration registration, RealmConfiguration configuration, Pin pin)
    {
        var (messages, evaluations, releases) = (new JsonArray(), new List<RealmAnswer>(), new List<RealmAnswer>());
        using var recovery = VaultRecovery.Begin(
            registration.Context, configuration, pin, [.. registration.Digest], TestVault.Stream("fixture recovery"));
        var records = new List<RealmRecord>();
        foreach (var request in registration.Requests)
        {
            using var stored = RealmSteps.Register2(
                request.Realm, request.User, null, request, default, out var record);
            records.Add(record!);
        }

        using var recover1 = new Recover1Request(TestVault.IdOf("request"));
        using var told = RealmSteps.Recover1(recover1, records[0], AttemptGrant.Granted(default, 10), 3);
        messages.Add(Exchange(1, recover1, told));
        foreach (var index in new[] { 1, 3 })
        {
            var request = recovery.EvaluationRequest();
            using var reply = RealmSteps.Evaluate(
                request, records[index - 1],
                AttemptGrant.Granted(new AttemptId(TestVault.IdOf($"attempt {index}")), 9),
                TestVault.Stream($"fixture realm {index}"));
            messages.Add(Exchange(index, request, reply));
            evaluations.Add(new RealmAnswer(index, request, reply.Encoding.ToArray()));
        }

        Assert.True(recovery.TakeEvaluations(evaluations).IsOk);
        foreach (var index in recovery.Unlocked)
        {
            var request = recovery.ReleaseRequest(index);
            using var reply = RealmSteps.Release(
                request, records[index - 1], AttemptGrant.Granted(request.Attempt, 9));
            messages.Add(Exchange(index, request, reply));
            releases.Add(new RealmAnswer(index, request, reply.Encoding.ToArray()));
        }

        var root = new byte[32];
        Assert.True(recovery.TakeShares(releases, root).IsOk);
        Assert.Equal(Bytes("fixture root", 32), root);
        using var key = RealmKey.Import(Bytes("fixture realm key", 32));
        var row = key.Seal(records[0], TestVault.Stream("fixture row"));
        records.ForEach(record => record.Dispose());
        return new JsonObject
        {
            ["stream"] = "fixture recovery",
            ["exchanges"] = messages,
            ["realmKey"] = Hex(Bytes("fixture realm key", 32)),
            ["row"] = Hex(row),
        };
    }

    private static JsonObject Exchange(int index, VaultMessage request, VaultMessage reply) => new()
    {
        ["realm"] = index,
        ["request"] = Hex(request.Encoding),
        ["response"] = Hex(reply.Encoding),
    };

    private static JsonObject KeyLog(AccountId user, Key identity, VaultRegistration registration)
    {
        using var next = TestVault.NewKey(TestVault.Stream("fixture next identity"));
        using var device = TestVault.NewKey(TestVault.Stream("fixture device"));
        using var lost = TestVault.NewKey(TestVault.Stream("fixture reset"));
        var phone = new DeviceId(TestVault.IdOf("phone"));
        var (chain, entries, salt) = (new KeyChain(user), new JsonArray(), Bytes("fixture salt", 32));
        foreach (var make in new Func<KeyLogPlace, KeyLogEntry>[]
        {
            place => KeyLogEntry.Identity(place, identity, identity),
            place => KeyLogEntry.DeviceAdded(place, phone, device, identity),
            place => KeyLogEntry.VaultConfigured(place, [.. registration.Digest], identity),
            place => KeyLogEntry.Identity(place, next, identity),
            place => KeyLogEntry.DeviceRevoked(place, phone, next),
            place => KeyLogEntry.IdentityReset(place, lost),
        })
        {
            var entry = make(chain.Next);
            Assert.Equal(LogRejection.None, chain.Append(entry));
            entries.Add(new JsonObject
            {
                ["type"] = (int)entry.Type,
                ["encoding"] = Hex(entry.Encoding),
                ["hash"] = Hex(entry.Hash()),
                ["leaf"] = Hex(entry.Leaf(salt)),
            });
        }

        return new JsonObject { ["salt"] = Hex(salt), ["entries"] = entries };
    }

    private static byte[] Bytes(string stream, int count)
    {
        var bytes = new byte[count];
        TestVault.Stream(stream)(bytes);
        return bytes;
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
