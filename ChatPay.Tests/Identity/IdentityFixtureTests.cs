using System.Text.Json;
using System.Text.Json.Nodes;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Identity;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Identity;

/// <summary>
/// Credential, wrapped keys, approval and safety number with fixed randomness, byte by byte, in
/// <c>Fixtures/identity.json</c>, which the web client's tests read too. Where the encodings change on purpose the failing
/// test prints the new file.
/// </summary>
public sealed class IdentityFixtureTests
{
    private const string Note =
        "Values of docs/TRANSPARENCY.md in hex; read by the .NET tests and by those of other clients. A stream is SHA-512 of its "
        + "name in UTF-8 and a number in four bytes, from 0 on, one after the other.";

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    private static readonly AccountId s_account = new(TestVault.IdOf("account"));
    private static readonly AccountId s_other = new(TestVault.IdOf("other account"));
    private static readonly DeviceId s_device = new(TestVault.IdOf("device"));

    [Fact]
    public void Every_byte_is_that_of_the_shared_fixture()
    {
        var file = Repository.PathOf("ChatPay.Tests/Fixtures/identity.json");
        var made = Build().ToJsonString(s_indented) + "\n";
        Assert.True(File.Exists(file) && File.ReadAllText(file) == made, made);
    }

    [Fact]
    public void Wrapped_keys_open_with_their_root_secret_for_their_account_alone()
    {
        var root = Bytes("fixture root");
        using var keys = AccountKeys.Of(Bytes("fixture identity"), Bytes("fixture archive"));
        var wrapped = keys.Wrap(s_account, root, TestVault.Stream("fixture wrapping"));
        Assert.True(AccountKeys.TryUnwrap(wrapped, s_account, root, out var opened));
        using (opened)
        {
            Assert.Equal(Bytes("fixture archive"), opened.ArchiveKey);
        }

        Assert.False(AccountKeys.TryUnwrap(wrapped, s_other, root, out _));
        Assert.False(AccountKeys.TryUnwrap(wrapped, s_account, Bytes("another root"), out _));
        for (var at = 0; at < wrapped.Length; at++)
        {
            wrapped[at] ^= 1;
            Assert.False(AccountKeys.TryUnwrap(wrapped, s_account, root, out _));
            wrapped[at] ^= 1;
        }
    }

    [Fact]
    public void An_approval_opens_for_the_device_that_shows_the_code_alone()
    {
        var privateKey = Bytes("fixture sealing");
        var code = CodeOf(privateKey);
        using var keys = AccountKeys.Of(Bytes("fixture identity"), default);
        var approval = SealedApproval.Seal(code, keys, default, TestVault.Stream("fixture approval"))!;
        Assert.True(Opens(approval, s_account, s_device, privateKey));
        Assert.False(Opens(approval, s_other, s_device, privateKey));
        Assert.False(Opens(approval, s_account, new DeviceId(TestVault.IdOf("another device")), privateKey));
        Assert.False(Opens(approval, s_account, s_device, Bytes("another sealing")));
        for (var at = 0; at < approval.Length; at++)
        {
            approval[at] ^= 1;
            Assert.False(Opens(approval, s_account, s_device, privateKey));
            approval[at] ^= 1;
        }
    }

    private static bool Opens(byte[] approval, AccountId account, DeviceId device, byte[] privateKey)
    {
        var isOpen = SealedApproval.TryOpen(approval, account, device, privateKey, new byte[32], out _, out var keys);
        keys?.Dispose();
        return isOpen;
    }

    private static JsonObject Build()
    {
        using var identity = KeyOf("fixture identity");
        using var other = KeyOf("fixture other identity");
        using var device = KeyOf("fixture device");
        var (root, sealing) = (Bytes("fixture root"), Bytes("fixture sealing"));
        using var keys = AccountKeys.Of(Bytes("fixture identity"), Bytes("fixture archive"));
        var code = CodeOf(sealing);
        var (one, two) = (
            new Identified(s_account, TestMls.PublicKeyOf(identity)), new Identified(s_other, TestMls.PublicKeyOf(other)));
        return new JsonObject
        {
            ["note"] = Note,
            ["account"] = s_account.ToString(),
            ["device"] = s_device.ToString(),
            ["identitySeed"] = Hex(Bytes("fixture identity")),
            ["deviceSeed"] = Hex(Bytes("fixture device")),
            ["credential"] = Hex(DeviceCredential.Issue(
                new(s_account, s_device), TestMls.PublicKeyOf(device), identity).ToCredential().Identity),
            ["rootSecret"] = Hex(root),
            ["archiveKey"] = Hex(Bytes("fixture archive")),
            ["wrapped"] = Hex(keys.Wrap(s_account, root, TestVault.Stream("fixture wrapping"))),
            ["sealingKey"] = Hex(sealing),
            ["approvalCode"] = code.ToString(),
            ["approval"] = Hex(SealedApproval.Seal(code, keys, root, TestVault.Stream("fixture approval"))!),
            ["otherAccount"] = s_other.ToString(),
            ["otherIdentityKey"] = Hex(TestMls.PublicKeyOf(other)),
            ["safetyNumber"] = SafetyNumber.Of(one, two),
            ["safetyCode"] = SafetyNumber.CodeOf(one, two),
        };
    }

    private static ApprovalCode CodeOf(byte[] sealing)
    {
        using var device = KeyOf("fixture device");
        return new ApprovalCode(
            s_account, s_device, TestMls.PublicKeyOf(device), SealedApproval.PublicKeyOf(sealing));
    }

    private static Key KeyOf(string stream) =>
        Key.Import(SignatureAlgorithm.Ed25519, Bytes(stream), KeyBlobFormat.RawPrivateKey);

    private static byte[] Bytes(string stream)
    {
        var bytes = new byte[32];
        TestVault.Stream(stream)(bytes);
        return bytes;
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
