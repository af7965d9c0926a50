using System.Security.Cryptography;
using System.Text.Json;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>
/// The MLS working group's passive-client-*.json, every entry of a suite that is supported: a client joins by a Welcome
/// and follows the group through its epochs.
/// </summary>
public sealed class PassiveClientVectorTests
{
    [Fact]
    public void A_client_joins_and_follows_the_group() =>
        MlsVectors.Check("passive-client", static (_, entry) => Follow(entry));

    private static void Follow(JsonElement entry)
    {
        using var bundle = KeyPackageBundle.Import(
            TestMls.ParseKeyPackage(entry.Hex("key_package")), entry.Hex("init_priv"), entry.Hex("encryption_priv"));
        var leaf = bundle.KeyPackage.LeafNode;
        using var self = new MlsMember
        {
            SignatureKey = Key.Import(
                SignatureAlgorithm.Ed25519, entry.Hex("signature_priv").AsSpan(0, 32), KeyBlobFormat.RawPrivateKey),
            Credential = leaf.Credential,
            Capabilities = leaf.Capabilities,
            Extensions = leaf.Extensions,
        };
        Assert.Equal(leaf.SignatureKey, self.PublicSignatureKey);
        RatchetTree? tree = null;
        if (entry.GetProperty("ratchet_tree").ValueKind == JsonValueKind.String)
        {
            Assert.True(TlsCodec.TryDecode(entry.Hex("ratchet_tree"), out tree, out _));
        }

        Assert.True(
            Group.TryJoin(
                TestClient.ParseWelcome(entry.Hex("welcome")), bundle, self, Services(entry), out var group, out var rejection,
                new JoinOptions { Tree = tree }),
            rejection.ToString());
        using (group)
        {
            Assert.Equal(entry.Hex("initial_epoch_authenticator"), group.EpochAuthenticator);
            foreach (var (number, epoch) in entry.GetProperty("epochs").EnumerateArray().Index())
            {
                foreach (var proposal in epoch.GetProperty("proposals").EnumerateArray())
                {
                    Process<ProcessedProposal>(group, proposal, $"epoch {number}");
                }

                Process<ProcessedCommit>(group, epoch.GetProperty("commit"), $"epoch {number}");
                Assert.Equal(epoch.Hex("epoch_authenticator"), group.EpochAuthenticator);
            }
        }
    }

    private static void Process<T>(Group group, JsonElement message, string name)
    {
        Assert.True(
            group.TryProcess(Convert.FromHexString(message.GetString()!), out var processed, out var rejection),
            $"{name}: {rejection}");
        Assert.IsType<T>(processed);
    }

    /// <summary>The vectors' leaves are valid for all time, and their external keys are listed.</summary>
    private static MlsServices Services(JsonElement entry)
    {
        var psks = entry.GetProperty("external_psks").EnumerateArray()
            .ToDictionary(static psk => psk.GetProperty("psk_id").GetString()!, static psk => psk.Hex("psk"));
        return TestClient.NewServices() with
        {
            LongestLifetime = null,
            ResumptionEpochs = MlsLimits.ResumptionEpochs,
            Random = RandomNumberGenerator.Fill,
            ExternalPsk = id => id is ExternalPskId external
                && psks.TryGetValue(Convert.ToHexStringLower(external.Id), out var psk) ? [.. psk] : null,
        };
    }
}
