using System.Text.Json;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>The published vectors of RFC 9420 section 8 and of the Welcome.</summary>
public sealed class KeyScheduleVectorTests
{
    [Fact]
    public void Epochs_follow_each_other_as_published() => MlsVectors.Check("key-schedule", static (suite, entry) =>
    {
        var initSecret = entry.Hex("initial_init_secret");
        foreach (var (number, expected) in entry.GetProperty("epochs").EnumerateArray().Index())
        {
            var context = TlsCodec.Encode(new GroupContext
            {
                Version = ProtocolVersion.Mls10,
                CipherSuite = suite.Id,
                GroupId = entry.Hex("group_id"),
                Epoch = (ulong)number,
                TreeHash = expected.Hex("tree_hash"),
                ConfirmedTranscriptHash = expected.Hex("confirmed_transcript_hash"),
                Extensions = [],
            });
            Equal(expected, "group_context", context);
            initSecret = CheckEpoch(suite, initSecret, context, expected);
        }
    });

    [Fact]
    public void Pre_shared_keys_enter_an_epoch_as_published() => MlsVectors.Check("psk_secret", static (suite, entry) =>
    {
        var psks = entry.GetProperty("psks").EnumerateArray().Select(static psk => (
            (PreSharedKeyId)new ExternalPskId { Id = psk.Hex("psk_id"), Nonce = psk.Hex("psk_nonce") }, psk.Hex("psk")));

        using var secret = PskSecrets.PskSecret(suite, [.. psks]);

        Equal(entry, "psk_secret", secret.Span);
    });

    [Fact]
    public void Transcript_hashes_come_out_as_published() => MlsVectors.Check("transcript-hashes", static (suite, entry) =>
    {
        var bytes = entry.Hex("authenticated_content");
        Assert.True(TlsCodec.TryDecode<AuthenticatedContent>(bytes, out var commit, out var rejection), $"{rejection}");
        Assert.NotNull(commit.Content.Commit);
        Assert.Equal(bytes, TlsCodec.Encode(commit));

        var confirmed = TranscriptHashes.Confirmed(suite, entry.Hex("interim_transcript_hash_before"), commit);
        Equal(entry, "confirmed_transcript_hash_after", confirmed);
        Equal(
            entry, "interim_transcript_hash_after",
            TranscriptHashes.Interim(suite, confirmed, commit.ConfirmationTag));

        using var secrets = EpochParts.Secrets(suite, confirmationKey: entry.Hex("confirmation_key"));
        Assert.Equal(commit.ConfirmationTag, secrets.ConfirmationTag(confirmed));
        Assert.True(secrets.VerifyConfirmationTag(confirmed, commit.ConfirmationTag));
        foreach (var place in Enumerable.Range(0, suite.HashSize))
        {
            var forged = commit.ConfirmationTag.AsSpan().ToArray();
            forged[place] ^= 0x10;
            Assert.False(secrets.VerifyConfirmationTag(confirmed, forged));
        }

        Assert.False(secrets.VerifyConfirmationTag(confirmed, commit.ConfirmationTag.AsSpan(1)));
        Assert.False(secrets.VerifyConfirmationTag(confirmed, []));
    });

    [Fact]
    public void A_published_welcome_opens_with_its_key_package() => MlsVectors.Check("welcome", static (suite, entry) =>
    {
        Assert.True(TlsCodec.TryDecode<MlsMessage>(entry.Hex("key_package"), out var message, out _));
        var keyPackage = message.KeyPackage!;
        Assert.True(TlsCodec.TryDecode(entry.Hex("welcome"), out message, out _));
        var welcome = message.Welcome!;
        Assert.Equal(suite.Id, welcome.CipherSuite);
        var reference = suite.KeyPackageRef(keyPackage);

        Assert.True(
            WelcomeSecrets.TryOpenGroupSecrets(
                suite, welcome, reference, entry.Hex("init_priv"), keyPackage.InitKey, out var secrets, out var rejection),
            $"{rejection}");
        Assert.Empty(secrets.PreSharedKeys);
        using var psk = PskSecrets.PskSecret(suite, []);
        Assert.True(
            WelcomeSecrets.TryOpenGroupInfo(
                suite, secrets.JoinerSecret, psk.Span, welcome.EncryptedGroupInfo, out var info, out rejection),
            $"{rejection}");

        Assert.True(
            suite.VerifyWithLabel(entry.Hex("signer_pub"), "GroupInfoTBS", info.EncodeToBeSigned(), info.Signature));
        using var epoch =
            EpochSecrets.FromJoiner(suite, secrets.JoinerSecret, psk.Span, TlsCodec.Encode(info.Context));
        Assert.True(epoch.VerifyConfirmationTag(info.Context.ConfirmedTranscriptHash, info.ConfirmationTag));
    });

    private static byte[] CheckEpoch(MlsCipherSuite suite, byte[] initSecret, byte[] context, JsonElement expected)
    {
        var pskSecret = expected.Hex("psk_secret");
        using var joiner = EpochSecrets.DeriveJoiner(suite, initSecret, expected.Hex("commit_secret"), context);
        Equal(expected, "joiner_secret", joiner.Span);
        using var welcome = WelcomeSecrets.DeriveWelcomeSecret(suite, joiner.Span, pskSecret);
        Equal(expected, "welcome_secret", welcome.Span);

        using var joined = EpochSecrets.FromJoiner(suite, joiner.Span, pskSecret, context);
        Equal(expected, "init_secret", joined.InitSecret);
        using var epoch = EpochSecrets.Derive(suite, initSecret, expected.Hex("commit_secret"), context, pskSecret);
        Equal(expected, "init_secret", epoch.InitSecret);
        Equal(expected, "sender_data_secret", epoch.SenderDataSecret);
        Equal(expected, "encryption_secret", epoch.EncryptionSecret);
        Equal(expected, "exporter_secret", epoch.ExporterSecret);
        Equal(expected, "epoch_authenticator", epoch.EpochAuthenticator);
        Equal(expected, "external_secret", epoch.ExternalSecret);
        Equal(expected, "confirmation_key", epoch.ConfirmationKey);
        Equal(expected, "membership_key", epoch.MembershipKey);
        Equal(expected, "resumption_psk", epoch.ResumptionPsk);

        var (privateKey, publicKey) = epoch.DeriveExternalKeyPair();
        using (privateKey)
        {
            Equal(expected, "external_pub", publicKey);
        }

        var exporter = expected.GetProperty("exporter");
        Equal(exporter, "secret", epoch.Export(
            exporter.GetProperty("label").GetString()!, exporter.Hex("context"), exporter.GetProperty("length").GetInt32()));
        return epoch.InitSecret.ToArray();
    }

    private static void Equal(JsonElement expected, string name, ReadOnlySpan<byte> actual) =>
        Assert.Equal((name, expected.GetProperty(name).GetString()), (name, Convert.ToHexStringLower(actual)));
}
