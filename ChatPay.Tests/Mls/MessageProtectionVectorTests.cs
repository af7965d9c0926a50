using System.Security.Cryptography;
using System.Text.Json;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>The published messages of each kind open, and what is protected here opens like them.</summary>
public sealed class MessageProtectionVectorTests
{
    private const uint Width = 2;
    private const uint SenderLeaf = 1;

    private static readonly string[] s_handshakes = ["proposal", "commit"];
    private static readonly string[] s_kinds = ["proposal", "commit", "application"];

    [Fact]
    public void Published_public_messages_open() => MlsVectors.Check("message-protection", static (suite, entry) =>
    {
        using var epoch = new PublishedEpoch(suite, entry);
        foreach (var kind in s_handshakes)
        {
            var message = Decode(entry, $"{kind}_pub").PublicMessage!;

            Assert.True(
                epoch.Receiver.TryFromPublic(message, epoch.FindKey, out var content, out var rejection), $"{rejection}");

            Assert.Equal(SenderLeaf, content.Content.Sender.Index);
            Assert.Equal(entry.Hex(kind), Body(content.Content));
        }
    });

    [Fact]
    public void Published_private_messages_open() => MlsVectors.Check("message-protection", static (suite, entry) =>
    {
        foreach (var kind in s_kinds)
        {
            using var epoch = new PublishedEpoch(suite, entry);
            var message = entry.Hex($"{kind}_priv");

            Assert.True(
                epoch.Receiver.TryFromPrivate(message, epoch.FindKey, out var content, out var key, out var rejection),
                $"{kind}: {rejection}");

            Assert.Equal(SenderLeaf, key.Leaf);
            Assert.Equal(entry.Hex(kind), Body(content.Content));
            Assert.Equal(kind == "commit", content.ConfirmationTag is not null);
        }
    });

    [Fact]
    public void What_is_protected_here_opens() => MlsVectors.Check("message-protection", static (suite, entry) =>
    {
        using var epoch = new PublishedEpoch(suite, entry);
        foreach (var kind in s_handshakes)
        {
            var content = Decode(entry, $"{kind}_pub").PublicMessage!.Content;

            var message = epoch.Sender.ToPublic(epoch.Sign(WireFormat.PublicMessage, content));

            Assert.True(epoch.Receiver.TryFromPublic(message, epoch.FindKey, out var opened, out var rejection), $"{rejection}");
            Assert.Equal(Body(content), Body(opened.Content));

            var sealedMessage =
                epoch.Sender.ToPrivate(epoch.Sign(WireFormat.PrivateMessage, content), RandomNumberGenerator.Fill);

            Assert.True(
                epoch.Receiver.TryFromPrivate(sealedMessage, epoch.FindKey, out opened, out _, out rejection), $"{rejection}");
            Assert.Equal(Body(content), Body(opened.Content));
        }

        var application = epoch.Sender.EncryptApplication(
            entry.Hex("application"), [], epoch.SignatureKey, RandomNumberGenerator.Fill);
        Assert.True(epoch.Receiver.TryFromPrivate(application, epoch.FindKey, out var data, out _, out _));
        Assert.Equal(entry.Hex("application"), data.Content.ApplicationData);
    });

    [Fact]
    public void Application_data_is_never_made_public() => MlsVectors.Check("message-protection", static (suite, entry) =>
    {
        using var epoch = new PublishedEpoch(suite, entry);
        var content = epoch.Sign(WireFormat.PublicMessage, new FramedContent
        {
            GroupId = entry.Hex("group_id"),
            Epoch = entry.GetProperty("epoch").GetUInt64(),
            Sender = new() { Type = SenderType.Member, Index = SenderLeaf },
            AuthenticatedData = [],
            ContentType = ContentType.Application,
            ApplicationData = entry.Hex("application"),
        });

        Assert.Throws<ArgumentException>(() => epoch.Sender.ToPublic(content));
    });

    private static MlsMessage Decode(JsonElement entry, string name)
    {
        Assert.True(TlsCodec.TryDecode<MlsMessage>(entry.Hex(name), out var message, out var rejection), $"{rejection}");
        return message;
    }

    /// <summary>The proposal, commit or data as the vectors have it.</summary>
    private static byte[] Body(FramedContent content) =>
        content.ApplicationData
        ?? (content.Proposal is { } proposal ? TlsCodec.Encode(proposal) : TlsCodec.Encode(content.Commit!));

    /// <summary>One case's epoch, at its sender and at its receiver.</summary>
    private sealed class PublishedEpoch : IDisposable
    {
        private readonly EpochSecrets _secrets;
        private readonly SecretTree _sending;
        private readonly SecretTree _receiving;
        private readonly byte[] _publicKey;

        public PublishedEpoch(MlsCipherSuite suite, JsonElement entry)
        {
            var context = new GroupContext
            {
                Version = ProtocolVersion.Mls10,
                CipherSuite = suite.Id,
                GroupId = entry.Hex("group_id"),
                Epoch = entry.GetProperty("epoch").GetUInt64(),
                TreeHash = entry.Hex("tree_hash"),
                ConfirmedTranscriptHash = entry.Hex("confirmed_transcript_hash"),
                Extensions = [],
            };
            _secrets = EpochParts.Secrets(
                suite, senderDataSecret: entry.Hex("sender_data_secret"), membershipKey: entry.Hex("membership_key"));
            _sending = new SecretTree(suite, entry.Hex("encryption_secret"), Width);
            _receiving = new SecretTree(suite, entry.Hex("encryption_secret"), Width);
            _publicKey = entry.Hex("signature_pub");
            Sender = new MessageProtection(suite, context, _secrets, _sending, SenderLeaf, 1);
            Receiver = new MessageProtection(suite, context, _secrets, _receiving, 1 - SenderLeaf, 1);
            SignatureKey =
                Key.Import(suite.SignatureAlgorithm, entry.Hex("signature_priv"), KeyBlobFormat.RawPrivateKey);
        }

        public MessageProtection Sender { get; }

        public MessageProtection Receiver { get; }

        public Key SignatureKey { get; }

        public byte[]? FindKey(SenderType type, uint index) =>
            (type, index) == (SenderType.Member, SenderLeaf) ? _publicKey : null;

        /// <summary>Signs anew, with some confirmation tag where there must be one.</summary>
        public AuthenticatedContent Sign(WireFormat wireFormat, FramedContent content)
        {
            var signed = Sender.Sign(wireFormat, content, SignatureKey);
            return content.Commit is null ? signed : signed.WithConfirmationTag(new byte[32]);
        }

        public void Dispose()
        {
            SignatureKey.Dispose();
            _sending.Dispose();
            _receiving.Dispose();
            _secrets.Dispose();
        }
    }
}
