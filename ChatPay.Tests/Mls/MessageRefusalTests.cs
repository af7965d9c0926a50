using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>What members of the group, who have its keys, could forge; and misuse.</summary>
public sealed class MessageRefusalTests : IDisposable
{
    private static readonly MlsCipherSuite s_suite = MlsCipherSuite.X25519ChaCha20Poly1305;

    private readonly ProtectionScene _scene = new(s_suite, 42);

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void A_members_forgery_in_anothers_name_is_refused_and_takes_no_key()
    {
        var before = _scene.Bob.Save();

        Assert.Equal(
            MlsRejection.SignatureInvalid, _scene.Bob.Receive(Forge(WireFormat.PrivateMessage, _scene.Outsider, [])));

        Assert.Equal(before, _scene.Bob.Save());
        Assert.Equal(MlsRejection.None, _scene.Bob.Receive(Forge(WireFormat.PrivateMessage, _scene.Alice.Key, [])));
    }

    [Fact]
    public void Content_that_was_signed_to_travel_in_public_is_refused_in_private() => Assert.Equal(
        MlsRejection.SignatureInvalid, _scene.Bob.Receive(Forge(WireFormat.PublicMessage, _scene.Alice.Key, [])));

    [Theory]
    [InlineData("", MlsRejection.None)]
    [InlineData("00", MlsRejection.None)]
    [InlineData("0000000000", MlsRejection.None)]
    [InlineData("01", MlsRejection.PaddingInvalid)]
    [InlineData("000080", MlsRejection.PaddingInvalid)]
    [InlineData("010000", MlsRejection.PaddingInvalid)]
    public void Padding_is_zeros(string padding, MlsRejection expected)
    {
        var before = _scene.Bob.Save();

        Assert.Equal(
            expected,
            _scene.Bob.Receive(Forge(WireFormat.PrivateMessage, _scene.Alice.Key, Convert.FromHexString(padding))));

        Assert.Equal(expected != MlsRejection.None, before.AsSpan().SequenceEqual(_scene.Bob.Save()));
    }

    [Theory]
    [InlineData(ProtectionScene.BlankLeaf, 0, MlsRejection.LeafUnknown)]
    [InlineData(8, 0, MlsRejection.LeafUnknown)]
    [InlineData(uint.MaxValue, 0, MlsRejection.LeafUnknown)]
    [InlineData(ProtectionScene.AliceLeaf, uint.MaxValue, MlsRejection.GenerationTooFar)]
    [InlineData(ProtectionScene.AliceLeaf, MlsLimits.GenerationJump + 1, MlsRejection.GenerationTooFar)]
    [InlineData(ProtectionScene.AliceLeaf, MlsLimits.GenerationJump, MlsRejection.CiphertextInvalid)]
    public void Sender_data_that_names_no_key_is_refused(uint leaf, uint generation, MlsRejection expected)
    {
        var ciphertext = _scene.Bytes(100);
        Assert.Equal(expected, _scene.Bob.Receive(Envelope(new(leaf, generation, 0), ciphertext)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    public void A_ciphertext_without_room_for_a_tag_is_refused(int length) => Assert.Equal(
        MlsRejection.CiphertextInvalid,
        _scene.Bob.Receive(Envelope(new(ProtectionScene.AliceLeaf, 0, 0), _scene.Bytes(length))));

    [Fact]
    public void Messages_of_other_groups_and_epochs_are_refused_as_such()
    {
        var message = Decode(_scene.Alice.Encrypt([1]));
        Assert.Equal(MlsRejection.GroupOther, Receive([9], message.Epoch));
        Assert.Equal(MlsRejection.EpochPast, Receive(message.GroupId, message.Epoch - 1));
        Assert.Equal(MlsRejection.EpochFuture, Receive(message.GroupId, message.Epoch + 1));
        Assert.Equal(MlsRejection.EpochFuture, Receive(message.GroupId, ulong.MaxValue));
        Assert.Equal(MlsRejection.None, Receive(message.GroupId, message.Epoch));

        MlsRejection Receive(byte[] groupId, ulong epoch) => _scene.Bob.Receive(TlsCodec.Encode(new MlsMessage(
            new PrivateMessage
            {
                GroupId = groupId,
                Epoch = epoch,
                ContentType = message.ContentType,
                AuthenticatedData = message.AuthenticatedData,
                EncryptedSenderData = message.EncryptedSenderData,
                Ciphertext = message.Ciphertext,
            })));
    }

    [Fact]
    public void Other_kinds_of_messages_are_refused_as_such()
    {
        var open = _scene.Alice.Protection.ToPublic(_scene.Alice.Sign(WireFormat.PublicMessage, Remove(_scene.Alice.Sender)));
        Assert.Equal(MlsRejection.WrongKind, _scene.Bob.Receive(TlsCodec.Encode(new MlsMessage(open))));
        Assert.Equal(MlsRejection.UnknownVersion, _scene.Bob.Receive([0, 2, 0, 2]));
        Assert.Equal(MlsRejection.Truncated, _scene.Bob.Receive([]));
    }

    [Fact]
    public void Outsiders_send_only_what_is_theirs_to_send()
    {
        var path = new UpdatePath
        {
            LeafNode = TestMls.BuildKeyPackage(default, default, _scene.Outsider).LeafNode,
            Nodes = [],
        };
        var external = new Sender { Type = SenderType.External };
        var proposer = new Sender { Type = SenderType.NewMemberProposal };
        var joiner = new Sender { Type = SenderType.NewMemberCommit };
        FramedContent[] forbidden =
        [
            _scene.Content(external, commit: new Commit { Proposals = [], Path = path }),
            _scene.Content(proposer, commit: new Commit { Proposals = [], Path = path }),
            Remove(proposer),
            Remove(joiner),
            _scene.Content(joiner, commit: new Commit { Proposals = [] }),
            _scene.Content(external, data: [1]),
            _scene.Content(joiner, data: [1]),
            _scene.Content(_scene.Alice.Sender, data: [1]),
        ];
        foreach (var content in forbidden)
        {
            var signed = SignOutside(content);
            Assert.Equal(MlsRejection.SenderForbidden, _scene.Bob.Receive(signed.ToPublicMessage(), out var opened));
            Assert.Null(opened);
        }

        Assert.Equal(MlsRejection.None, _scene.Bob.Receive(SignOutside(Remove(external)).ToPublicMessage(), out _));
        Assert.Equal(
            MlsRejection.LeafUnknown,
            _scene.Bob.Receive(
                SignOutside(Remove(new() { Type = SenderType.External, Index = 1 })).ToPublicMessage(), out _));
    }

    [Fact]
    public void Members_need_a_membership_tag_and_others_have_none()
    {
        var signed = _scene.Alice.Sign(WireFormat.PublicMessage, Remove(_scene.Alice.Sender));
        Assert.Equal(MlsRejection.MembershipTagInvalid, _scene.Bob.Receive(signed.ToPublicMessage(), out _));
        Assert.Equal(MlsRejection.MembershipTagInvalid, _scene.Bob.Receive(signed.ToPublicMessage([]), out _));
        Assert.Equal(
            MlsRejection.MembershipTagInvalid,
            _scene.Bob.Receive(
                SignOutside(Remove(new() { Type = SenderType.External })).ToPublicMessage(new byte[32]), out _));
    }

    [Fact]
    public void A_member_of_another_view_of_the_group_is_not_understood()
    {
        var context = new GroupContext
        {
            Version = _scene.Context.Version,
            CipherSuite = _scene.Context.CipherSuite,
            GroupId = _scene.Context.GroupId,
            Epoch = _scene.Context.Epoch,
            TreeHash = _scene.Bytes(32),
            ConfirmedTranscriptHash = _scene.Context.ConfirmedTranscriptHash,
            Extensions = [],
        };
        var alice = _scene.Alice;
        var other = new MessageProtection(s_suite, context, alice.Secrets, alice.Tree, alice.Leaf, 1);

        var message = other.EncryptApplication([1], [], alice.Key, _scene.Random);
        Assert.Equal(MlsRejection.SignatureInvalid, _scene.Bob.Receive(message));
        var open = other.ToPublic(other.Sign(WireFormat.PublicMessage, Remove(alice.Sender), alice.Key));
        Assert.Equal(MlsRejection.MembershipTagInvalid, _scene.Bob.Receive(open, out _));
    }

    [Fact]
    public void Only_ones_own_complete_content_of_this_epoch_can_be_sent()
    {
        var alice = _scene.Alice;
        var commit = _scene.Content(alice.Sender, commit: new Commit { Proposals = [] });
        AuthenticatedContent[] unfit =
        [
            alice.Sign(WireFormat.PrivateMessage, Remove(alice.Sender)),
            alice.Sign(WireFormat.PublicMessage, Remove(_scene.Bob.Sender)),
            alice.Sign(WireFormat.PublicMessage, Remove(new() { Type = SenderType.External })),
            alice.Protection.Sign(WireFormat.PublicMessage, commit, alice.Key),
            alice.Sign(WireFormat.PublicMessage, Remove(alice.Sender)).WithConfirmationTag([1]),
            alice.Sign(WireFormat.PublicMessage, _scene.Content(alice.Sender, data: [1])),
        ];

        Assert.All(unfit, content => Assert.Throws<ArgumentException>(() => alice.Protection.ToPublic(content)));
        Assert.Throws<ArgumentException>(() => alice.Protection.ToPrivate(
            alice.Sign(WireFormat.PublicMessage, Remove(alice.Sender)), _scene.Random));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new MessageProtection(s_suite, _scene.Context, alice.Secrets, alice.Tree, alice.Leaf, 0));
    }

    private FramedContent Remove(Sender sender) => _scene.Content(sender, proposal: new RemoveProposal { Removed = 1 });

    private AuthenticatedContent SignOutside(FramedContent content)
    {
        var signed = AuthenticatedContent.Sign(
            s_suite, WireFormat.PublicMessage, content, TlsCodec.Encode(_scene.Context), _scene.Outsider);
        return content.Commit is null ? signed : signed.WithConfirmationTag(new byte[s_suite.HashSize]);
    }

    /// <summary>A message with Alice's first key, which every member can derive, signed and padded at will.</summary>
    private byte[] Forge(WireFormat signedFor, Key key, byte[] padding)
    {
        var content = _scene.Content(_scene.Alice.Sender, data: [1, 2, 3]);
        var signed = AuthenticatedContent.Sign(s_suite, signedFor, content, TlsCodec.Encode(_scene.Context), key);
        var writer = new TlsWriter();
        content.WriteBody(writer);
        writer.WriteOpaque(signed.Signature);
        writer.WriteFixed(padding);

        var messageKey = new byte[s_suite.KeySize];
        var nonce = new byte[s_suite.NonceSize];
        using var secrets = EpochSecrets.FromEpochSecret(s_suite, _scene.EpochSecret);
        using var tree = secrets.TakeSecretTree(ProtectionScene.TreeWidth);
        var generation = tree.NextKey(ProtectionScene.AliceLeaf, ContentType.Application, messageKey, nonce);
        var senderData = new SenderData(ProtectionScene.AliceLeaf, generation, 0x01020304);
        senderData.GuardNonce(nonce);
        var ciphertext = new byte[writer.WrittenSpan.Length + s_suite.TagSize];
        s_suite.Seal(messageKey, nonce, AssociatedData(content.AuthenticatedData), writer.WrittenSpan, ciphertext);
        return Envelope(senderData, ciphertext, content.AuthenticatedData);
    }

    /// <summary>A PrivateMessage whose sender data is genuine, as any member can make it.</summary>
    private byte[] Envelope(SenderData senderData, byte[] ciphertext, byte[]? authenticatedData = null)
    {
        var encrypted = new byte[SenderData.SizeBytes + s_suite.TagSize];
        senderData.Seal(s_suite, _scene.Bob.Secrets.SenderDataSecret, ciphertext, AssociatedData(null), encrypted);
        return TlsCodec.Encode(new MlsMessage(new PrivateMessage
        {
            GroupId = _scene.Context.GroupId,
            Epoch = _scene.Context.Epoch,
            ContentType = ContentType.Application,
            AuthenticatedData = authenticatedData ?? [],
            EncryptedSenderData = encrypted,
            Ciphertext = ciphertext,
        }));
    }

    /// <summary>SenderDataAAD, or PrivateContentAAD where there is authenticated data.</summary>
    private byte[] AssociatedData(byte[]? authenticatedData)
    {
        var writer = new TlsWriter();
        writer.WriteOpaque(_scene.Context.GroupId);
        writer.WriteUInt64(_scene.Context.Epoch);
        writer.WriteByte((byte)ContentType.Application);
        if (authenticatedData is not null)
        {
            writer.WriteOpaque(authenticatedData);
        }

        return writer.ToArray();
    }

    private static PrivateMessage Decode(byte[] message)
    {
        Assert.True(TlsCodec.TryDecode<MlsMessage>(message, out var decoded, out _));
        return decoded.PrivateMessage!;
    }
}
