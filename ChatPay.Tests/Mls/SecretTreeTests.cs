using System.Buffers.Binary;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>How message keys come, are kept, and go, RFC 9420 section 9.</summary>
public sealed class SecretTreeTests
{
    private static readonly MlsCipherSuite s_suite = MlsCipherSuite.X25519Aes128Gcm;

    /// <summary>
    /// Any order in which no message comes later than the window allows: each opens once, and never again.
    /// </summary>
    [Fact]
    public void Messages_in_any_order_within_the_window_open_exactly_once() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(40), Prop.ForAll<ulong>(static seed =>
        {
            using var scene = new ProtectionScene(s_suite, seed);
            var dice = new Dice(seed);
            var sent = Enumerable.Range(0, 1 + dice.Next(150))
                .Select(number => (Number: number, Message: scene.Alice.Encrypt(BitConverter.GetBytes(number)))).ToList();
            var lost = sent.Where(_ => dice.Chance(10)).ToHashSet();
            var arriving = sent.Where(item => !lost.Contains(item)).OrderBy(_ => dice.Next(1000)).ToList();
            foreach (var (number, message) in arriving)
            {
                if (dice.Chance(20))
                {
                    scene.Bob.Restore(scene.Bob.Save());
                }

                Assert.Equal(MlsRejection.None, scene.Bob.Receive(message, out var data));
                Assert.Equal(number, BitConverter.ToInt32(data));
                Assert.Equal(MlsRejection.GenerationUsed, scene.Bob.Receive(message));
            }

            Assert.All(arriving, item => Assert.Equal(MlsRejection.GenerationUsed, scene.Bob.Receive(item.Message)));
            Assert.All(lost, item => Assert.Equal(MlsRejection.None, scene.Bob.Receive(item.Message)));
        }));

    [Fact]
    public void A_key_is_kept_for_the_window_and_no_longer()
    {
        using var scene = new ProtectionScene(s_suite, 1);
        var messages = Enumerable.Range(0, MlsLimits.SkippedKeys + 3).Select(_ => scene.Alice.Encrypt([])).ToList();

        Assert.Equal(MlsRejection.None, scene.Bob.Receive(messages[MlsLimits.SkippedKeys]));
        Assert.Equal(MlsRejection.GenerationTooOld, scene.Bob.Receive(messages[0]));
        Assert.Equal(MlsRejection.None, scene.Bob.Receive(messages[1]));
        Assert.Equal(MlsRejection.GenerationUsed, scene.Bob.Receive(messages[1]));
        Assert.Equal(MlsRejection.None, scene.Bob.Receive(messages[^1]));
        Assert.Equal(MlsRejection.GenerationTooOld, scene.Bob.Receive(messages[1]));
        Assert.Equal(MlsRejection.GenerationTooOld, scene.Bob.Receive(messages[2]));
        Assert.Equal(MlsRejection.None, scene.Bob.Receive(messages[3]));
    }

    [Fact]
    public void A_jump_further_than_the_limit_is_refused_and_changes_nothing()
    {
        using var scene = new ProtectionScene(s_suite, 2);
        var messages = Enumerable.Range(0, MlsLimits.GenerationJump + 2).Select(_ => scene.Alice.Encrypt([])).ToList();
        var before = scene.Bob.Save();

        Assert.Equal(MlsRejection.GenerationTooFar, scene.Bob.Receive(messages[MlsLimits.GenerationJump + 1]));
        Assert.Equal(before, scene.Bob.Save());
        Assert.Equal(MlsRejection.None, scene.Bob.Receive(messages[MlsLimits.GenerationJump]));
        Assert.Equal(MlsRejection.None, scene.Bob.Receive(messages[MlsLimits.GenerationJump + 1]));
        Assert.Equal(MlsRejection.None, scene.Bob.Receive(messages[MlsLimits.GenerationJump - 1]));
        Assert.Equal(MlsRejection.GenerationTooOld, scene.Bob.Receive(messages[0]));
        Assert.InRange(scene.Bob.Save().Length, 0, 400 + (MlsLimits.SkippedKeys * (4 + 16 + 12)));
    }

    [Fact]
    public void Applications_and_handshakes_have_ratchets_of_their_own()
    {
        using var tree = NewTree(4);
        Span<byte> application = stackalloc byte[s_suite.KeySize];
        Span<byte> handshake = stackalloc byte[s_suite.KeySize];
        Span<byte> commit = stackalloc byte[s_suite.KeySize];
        Span<byte> nonce = stackalloc byte[s_suite.NonceSize];

        Assert.Equal(0U, tree.NextKey(0, ContentType.Application, application, nonce));
        Assert.Equal(0U, tree.NextKey(0, ContentType.Proposal, handshake, nonce));
        Assert.Equal(1U, tree.NextKey(0, ContentType.Commit, commit, nonce));

        Assert.False(application.SequenceEqual(handshake));
        Assert.False(commit.SequenceEqual(handshake));
    }

    [Fact]
    public void A_message_of_ones_own_is_refused_as_such()
    {
        using var scene = new ProtectionScene(s_suite, 3);
        var messages = Enumerable.Range(0, MlsLimits.SkippedKeys + 2).Select(_ => scene.Alice.Encrypt([1])).ToList();
        var before = scene.Alice.Save();

        Assert.Equal(MlsRejection.OwnMessage, scene.Alice.Receive(messages[0]));
        Assert.Equal(MlsRejection.OwnMessage, scene.Alice.Receive(messages[^1]));
        Assert.Equal(before, scene.Alice.Save());
    }

    /// <summary>
    /// A device that came back from an older copy of its state sees what it had sent, and does not send it again.
    /// </summary>
    [Fact]
    public void A_restored_sender_that_reads_its_own_messages_reuses_none_of_their_keys()
    {
        using var scene = new ProtectionScene(s_suite, 4);
        scene.Alice.Encrypt([0]);
        var old = scene.Alice.Save();
        var sent = Enumerable.Range(0, 5).Select(number => scene.Alice.Encrypt([(byte)number])).ToList();
        scene.Alice.Restore(old);

        Assert.Equal(MlsRejection.None, scene.Alice.Receive(sent[3]));
        Assert.Equal(MlsRejection.None, scene.Alice.Receive(sent[0]));
        Assert.Equal(MlsRejection.OwnMessage, scene.Alice.Receive(sent[3]));

        var next = scene.Alice.Encrypt([9]);
        Assert.True(scene.Bob.Protection.TryFromPrivate(next, scene.FindKey, out _, out var key, out _));
        Assert.Equal(5U, key.Generation);
    }

    [Fact]
    public void The_last_generation_can_be_used_and_none_after_it()
    {
        using var scene = new ProtectionScene(s_suite, 5);
        scene.Alice.Encrypt([]);
        var saved = scene.Alice.Save();

        // Width, vector of nodes, then of leaves: leaf, handshake ratchet, and the application ratchet's generation.
        var nodes = 3 * (4 + s_suite.HashSize);
        var place = 4 + 2 + nodes + 2 + 4 + (8 + s_suite.HashSize + 1);
        Assert.Equal(1UL, BinaryPrimitives.ReadUInt64BigEndian(saved.AsSpan(place)));
        BinaryPrimitives.WriteUInt64BigEndian(saved.AsSpan(place), uint.MaxValue);
        scene.Alice.Restore(saved);

        scene.Alice.Encrypt([]);
        var before = scene.Alice.Save();
        Assert.Throws<InvalidOperationException>(() => scene.Alice.Encrypt([]));
        Assert.Equal(before, scene.Alice.Save());
        scene.Alice.Restore(before);
        Assert.Throws<InvalidOperationException>(() => scene.Alice.Encrypt([]));
    }

    [Fact]
    public void A_message_that_is_too_large_throws_before_a_key_is_taken()
    {
        using var scene = new ProtectionScene(s_suite, 6);
        scene.Alice.Encrypt([]);
        var before = scene.Alice.Save();

        Assert.Throws<ArgumentException>(() => scene.Alice.Encrypt(new byte[MlsLimits.MessageBytes]));
        Assert.Equal(before, scene.Alice.Save());
    }

    /// <summary>The state of a large group grows by the way to the leaf, not by the group.</summary>
    [Fact]
    public void A_first_message_keeps_one_secret_a_level()
    {
        const uint width = 1024;
        using var tree = NewTree(width);
        Span<byte> key = stackalloc byte[s_suite.KeySize];
        Span<byte> nonce = stackalloc byte[s_suite.NonceSize];
        var ratchets = 4 + (2 * (8 + s_suite.HashSize + 1));
        var node = 4 + s_suite.HashSize;
        Assert.Equal(4 + 1 + node + 1, Save(tree).Length);

        tree.NextKey(777, ContentType.Application, key, nonce);
        Assert.Equal(4 + 2 + (10 * node) + 2 + ratchets, Save(tree).Length);

        // The neighbour's way branches off at the last level, where its own secret is already.
        tree.NextKey(776, ContentType.Application, key, nonce);
        Assert.Equal(4 + 2 + (9 * node) + 2 + (2 * ratchets), Save(tree).Length);
    }

    [Fact]
    public void A_saved_tree_reads_back_and_writes_the_same() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(30), Prop.ForAll<ulong>(static seed =>
        {
            var dice = new Dice(seed);
            using var tree = NewTree(16);
            for (var step = 0; step < 20; step++)
            {
                tree.Consume(new(
                    (uint)dice.Next(16), dice.Pick([ContentType.Application, ContentType.Commit]), (uint)(step * 3)));
            }

            var saved = Save(tree);
            var reader = new TlsReader(saved);
            using var read = SecretTree.Read(ref reader, s_suite);
            reader.End();
            Assert.Equal(MlsRejection.None, reader.Rejection);
            Assert.Equal(saved, Save(read));
        }));

    /// <summary>Saved state is authenticated before it is read; should it be wrong all the same, reading it stays tame.</summary>
    [Fact]
    public void A_damaged_tree_never_throws_when_it_is_read() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll<int, byte, int>(static (place, value, cut) =>
        {
            using var tree = NewTree(4);
            tree.Consume(new(1, ContentType.Application, 5));
            tree.Consume(new(1, ContentType.Commit, 2));
            var saved = Save(tree);
            saved[(int)(unchecked((uint)place) % (uint)saved.Length)] = value;
            var reader = new TlsReader(saved.AsSpan(..(saved.Length - (cut % 3 == 0 ? unchecked((int)((uint)cut % 100)) : 0))));
            SecretTree.Read(ref reader, s_suite).Dispose();
            reader.End();
        }));

    [Fact]
    public void Misuse_throws()
    {
        using var tree = NewTree(4);
        var key = new byte[s_suite.KeySize];
        var nonce = new byte[s_suite.NonceSize];

        Assert.Throws<ArgumentOutOfRangeException>(() => NewTree(3));
        Assert.Throws<ArgumentOutOfRangeException>(() => NewTree(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => tree.NextKey(4, ContentType.Application, key, nonce));
        Assert.False(tree.TryKey(new(4, ContentType.Application, 0), key, nonce, out var rejection));
        Assert.Equal(MlsRejection.LeafUnknown, rejection);
        tree.Consume(new(0, ContentType.Application, 0));
        Assert.Throws<InvalidOperationException>(() => tree.Consume(new(0, ContentType.Application, 0)));
        Assert.Throws<InvalidOperationException>(
            () => tree.Consume(new(0, ContentType.Application, MlsLimits.GenerationJump + 2)));
        tree.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tree.NextKey(1, ContentType.Application, key, nonce));
    }

    private static SecretTree NewTree(uint width) => new(s_suite, new byte[s_suite.HashSize], width);

    private static byte[] Save(SecretTree tree)
    {
        var writer = new TlsWriter();
        tree.Write(writer);
        return writer.ToArray();
    }
}
