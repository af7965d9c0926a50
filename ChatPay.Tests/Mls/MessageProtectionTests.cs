using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>The laws of message protection, RFC 9420 section 6; a failure prints the seed that makes it again.</summary>
public sealed class MessageProtectionTests
{
    public static TheoryData<ushort> Suites => [1, 3];

    [Theory]
    [MemberData(nameof(Suites))]
    public void What_was_protected_opens_to_the_same(ushort suite) =>
        Check.QuickThrowOnFailure(Prop.ForAll<byte[], byte[], ulong>((data, authenticatedData, seed) =>
        {
            var padding = 1 + (int)(seed % 300);
            using var scene = new ProtectionScene(SuiteOf(suite), seed, padding);
            var message = scene.Alice.Encrypt(data, authenticatedData);

            Assert.True(scene.Bob.Protection.TryFromPrivate(
                message, scene.FindKey, out var content, out var key, out var rejection), $"{rejection}");

            Assert.Equal(data, content.Content.ApplicationData);
            Assert.Equal(authenticatedData, content.Content.AuthenticatedData);
            Assert.Equal(new MessageKeyId(ProtectionScene.AliceLeaf, ContentType.Application, 0), key);
            Assert.True(TlsCodec.TryDecode<MlsMessage>(message, out var decoded, out _));
            Assert.Equal(message, TlsCodec.Encode(decoded));
            Assert.Equal(0, (decoded.PrivateMessage!.Ciphertext.Length - scene.Suite.TagSize) % padding);
        }));

    [Theory]
    [MemberData(nameof(Suites))]
    public void Handshakes_travel_either_way(ushort suite) =>
        Check.QuickThrowOnFailure(Prop.ForAll<uint, ulong>((removed, seed) =>
        {
            using var scene = new ProtectionScene(SuiteOf(suite), seed);
            foreach (var content in Handshakes(scene, scene.Alice.Sender, removed))
            {
                var open = scene.Alice.Protection.ToPublic(scene.Alice.Sign(WireFormat.PublicMessage, content));
                Assert.Equal(MlsRejection.None, scene.Bob.Receive(open, out var opened));
                Assert.Equal(TlsCodec.Encode(content), TlsCodec.Encode(opened!.Content));

                var signed = scene.Alice.Sign(WireFormat.PrivateMessage, content);
                var secret = scene.Alice.Protection.ToPrivate(signed, scene.Random);
                Assert.True(scene.Bob.Protection.TryFromPrivate(secret, scene.FindKey, out opened, out var key, out _));
                Assert.Equal(TlsCodec.Encode(signed), TlsCodec.Encode(opened));
                Assert.Equal(content.ContentType, key.ContentType);
                scene.Bob.Tree.Consume(key);
                Assert.Equal(MlsRejection.GenerationUsed, scene.Bob.Receive(secret));
            }
        }));

    [Theory]
    [MemberData(nameof(Suites))]
    public void Any_flipped_bit_of_a_private_message_is_refused_and_changes_nothing(ushort suite) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(3), Prop.ForAll<ulong>(seed =>
        {
            using var scene = new ProtectionScene(SuiteOf(suite), seed, 32);
            byte[][] messages =
            [
                scene.Alice.Encrypt([1, 2, 3], [4, 5]),
                .. Handshakes(scene, scene.Alice.Sender, 1).Select(content =>
                    scene.Alice.Protection.ToPrivate(scene.Alice.Sign(WireFormat.PrivateMessage, content), scene.Random)),
            ];
            foreach (var message in messages)
            {
                var before = scene.Bob.Save();
                for (var bit = 0; bit < message.Length * 8; bit++)
                {
                    message[bit / 8] ^= (byte)(1 << (bit % 8));
                    Assert.False(
                        scene.Bob.Protection.TryFromPrivate(message, scene.FindKey, out _, out _, out var rejection),
                        $"bit {bit}");
                    Assert.NotEqual(MlsRejection.None, rejection);
                    message[bit / 8] ^= (byte)(1 << (bit % 8));
                }

                Assert.Equal(before, scene.Bob.Save());
                Assert.Equal(MlsRejection.None, scene.Bob.Receive(message));
                Assert.NotEqual(before, scene.Bob.Save());
            }
        }));

    [Theory]
    [MemberData(nameof(Suites))]
    public void Any_flipped_bit_of_a_public_message_is_refused(ushort suite) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(3), Prop.ForAll<ulong>(seed =>
        {
            using var scene = new ProtectionScene(SuiteOf(suite), seed);
            foreach (var content in Handshakes(scene, scene.Alice.Sender, 1))
            {
                var message = TlsCodec.Encode(new MlsMessage(
                    scene.Alice.Protection.ToPublic(scene.Alice.Sign(WireFormat.PublicMessage, content))));
                for (var bit = 0; bit < message.Length * 8; bit++)
                {
                    message[bit / 8] ^= (byte)(1 << (bit % 8));
                    Assert.NotEqual(MlsRejection.None, ReceivePublic(scene, message));
                    message[bit / 8] ^= (byte)(1 << (bit % 8));
                }

                Assert.Equal(MlsRejection.None, ReceivePublic(scene, message));
            }
        }));

    /// <summary>Their confirmation tag is the new epoch's to check, so its bits are left alone here.</summary>
    [Theory]
    [MemberData(nameof(Suites))]
    public void Any_flipped_bit_of_what_outsiders_sign_is_refused(ushort suite)
    {
        using var scene = new ProtectionScene(SuiteOf(suite), 11);
        foreach (var (content, unsignedBytes) in OutsidersContents(scene))
        {
            var message = TlsCodec.Encode(new MlsMessage(SignOutside(scene, content).ToPublicMessage()));
            for (var bit = 0; bit < (message.Length - unsignedBytes) * 8; bit++)
            {
                message[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.NotEqual(MlsRejection.None, ReceivePublic(scene, message));
                message[bit / 8] ^= (byte)(1 << (bit % 8));
            }

            Assert.Equal(MlsRejection.None, ReceivePublic(scene, message));
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Every_truncation_of_a_private_message_is_refused(ushort suite)
    {
        using var scene = new ProtectionScene(SuiteOf(suite), 5);
        var message = scene.Alice.Encrypt([1, 2, 3]);
        for (var length = 0; length < message.Length; length++)
        {
            Assert.NotEqual(MlsRejection.None, scene.Bob.Receive(message[..length]));
        }

        Assert.Equal(MlsRejection.TrailingBytes, scene.Bob.Receive([.. message, 0]));
        Assert.Equal(MlsRejection.None, scene.Bob.Receive(message));
    }

    private static MlsRejection ReceivePublic(ProtectionScene scene, byte[] message)
    {
        if (!TlsCodec.TryDecode<MlsMessage>(message, out var decoded, out var rejection))
        {
            return rejection;
        }

        return decoded.PublicMessage is { } open ? scene.Bob.Receive(open, out _) : MlsRejection.WrongKind;
    }

    private static IEnumerable<FramedContent> Handshakes(ProtectionScene scene, Sender sender, uint removed)
    {
        var remove = new RemoveProposal { Removed = removed };
        yield return scene.Content(sender, proposal: remove);
        yield return scene.Content(sender, commit: new Commit { Proposals = [new ProposalOrRef(remove)] });
    }

    /// <summary>What each kind of outsider may send, and how many bytes at its end nobody signs.</summary>
    private static IEnumerable<(FramedContent Content, int UnsignedBytes)> OutsidersContents(ProtectionScene scene)
    {
        yield return (
            scene.Content(new() { Type = SenderType.External, Index = 0 }, proposal: new RemoveProposal { Removed = 1 }), 0);
        var keyPackage = TestMls.BuildKeyPackage(default, default, scene.Outsider);
        yield return (
            scene.Content(
                new() { Type = SenderType.NewMemberProposal }, proposal: new AddProposal { KeyPackage = keyPackage }),
            0);
        var path = new UpdatePath { LeafNode = keyPackage.LeafNode, Nodes = [] };
        yield return (
            scene.Content(
                new() { Type = SenderType.NewMemberCommit }, commit: new Commit { Proposals = [], Path = path }),
            scene.Suite.HashSize);
    }

    private static AuthenticatedContent SignOutside(ProtectionScene scene, FramedContent content)
    {
        var signed = AuthenticatedContent.Sign(
            scene.Suite, WireFormat.PublicMessage, content, TlsCodec.Encode(scene.Context), scene.Outsider);
        return content.Commit is null ? signed : signed.WithConfirmationTag(new byte[scene.Suite.HashSize]);
    }

    private static MlsCipherSuite SuiteOf(ushort id) =>
        MlsCipherSuite.TryGet(id, out var suite) ? suite : throw new InvalidOperationException($"No suite {id}.");
}
