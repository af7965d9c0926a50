using System.Security.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>
/// What section 9.2 of RFC 9420 has deleted is gone: a captured state opens no earlier message and holds none of the
/// secrets that could.
/// </summary>
public sealed class ForwardSecrecyTests
{
    private static readonly MlsCipherSuite s_suite = MlsCipherSuite.X25519Aes128Gcm;

    [Fact]
    public void A_captured_state_opens_no_earlier_message() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(30), Prop.ForAll<ulong>(static seed =>
        {
            using var scene = new ProtectionScene(s_suite, seed);
            var dice = new Dice(seed);
            var messages = Enumerable.Range(0, 2 + dice.Next(30)).Select(_ => scene.Alice.Encrypt([1])).ToList();
            var received = messages.Where(_ => dice.Chance(70)).ToList();
            Assert.All(received, message => Assert.Equal(MlsRejection.None, scene.Bob.Receive(message)));
            var captured = scene.Bob.Save();
            var sender = scene.Alice.Save();

            scene.Bob.Restore(captured);
            Assert.All(received, message => Assert.Equal(MlsRejection.GenerationUsed, scene.Bob.Receive(message)));

            // Nor does the sender's, put in the place of the receiver's.
            scene.Bob.Restore(sender);
            Assert.All(messages, message => Assert.Equal(MlsRejection.GenerationUsed, scene.Bob.Receive(message)));
        }));

    /// <summary>The secrets are derived once more as the RFC writes it, and looked for in the state byte by byte.</summary>
    [Fact]
    public void A_state_holds_no_consumed_secret() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(30), Prop.ForAll<ulong>(static seed =>
        {
            const uint width = 8;
            var dice = new Dice(seed);
            var root = SHA256.HashData(BitConverter.GetBytes(seed));
            using var tree = new SecretTree(s_suite, root, width);
            var consumed = new List<byte[]>();
            var leaf = (uint)dice.Next((int)width);
            var used = Enumerable.Range(0, 1 + dice.Next(12)).Where(_ => dice.Chance(60)).Append(12).ToList();
            foreach (var generation in used)
            {
                tree.Consume(new(leaf, ContentType.Application, (uint)generation));
            }

            var (ratchet, path) = WayTo(root, leaf, width);
            consumed.AddRange(path);
            var kept = new List<byte[]>();
            for (var generation = 0U; generation <= 12; generation++)
            {
                consumed.Add(ratchet);
                (used.Contains((int)generation) ? consumed : kept).Add(
                    Expand(ratchet, "key", generation, s_suite.KeySize));
                ratchet = Expand(ratchet, "secret", generation, s_suite.HashSize);
            }

            kept.Add(ratchet);
            var writer = new TlsWriter();
            tree.Write(writer);
            Assert.All(consumed, secret => Assert.False(Contains(writer, secret)));
            Assert.All(kept, secret => Assert.True(Contains(writer, secret)));
        }));

    [Fact]
    public void Disposed_secrets_are_zeros()
    {
        var secrets = EpochSecrets.FromEpochSecret(s_suite, RandomNumberGenerator.GetBytes(s_suite.HashSize));
        var encryption = secrets.EncryptionSecret;
        var init = secrets.InitSecret;
        Assert.True(encryption.ContainsAnyExcept((byte)0));

        secrets.TakeSecretTree(2).Dispose();

        Assert.False(encryption.ContainsAnyExcept((byte)0));
        Assert.Throws<InvalidOperationException>(() => secrets.EncryptionSecret.ToArray());
        Assert.Throws<InvalidOperationException>(() => secrets.TakeSecretTree(2));
        Assert.True(init.ContainsAnyExcept((byte)0));
        secrets.Dispose();
        Assert.False(init.ContainsAnyExcept((byte)0));
        Assert.Throws<ObjectDisposedException>(() => secrets.InitSecret.ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_skipped_key_that_was_used_or_left_behind_is_zeros(uint used)
    {
        using var keys = new SkippedMessageKeys(keySize: 4, nonceSize: 2);
        var first = keys.Add(0).Key;
        first.Fill(0xa0);
        keys.Add(1).Key.Fill(0xa1);
        keys.Add(2).Key.Fill(0xa2);
        var last = keys.Add(3).Key;
        last.Fill(0xa3);

        Assert.True(keys.Remove(used));

        // Later ones have moved up.
        Assert.False(last.ContainsAnyExcept((byte)0));
        Assert.True(first.ContainsAnyExcept((byte)0));
        keys.Drop(MlsLimits.SkippedKeys + 4UL);
        Assert.False(first.ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void Epoch_secrets_are_saved_without_what_the_secret_tree_has()
    {
        using var secrets = EpochSecrets.FromEpochSecret(s_suite, RandomNumberGenerator.GetBytes(s_suite.HashSize));
        var encryption = secrets.EncryptionSecret.ToArray();
        var writer = new TlsWriter();
        secrets.Write(writer);
        Assert.False(Contains(writer, encryption));

        var reader = new TlsReader(writer.WrittenSpan);
        using var read = EpochSecrets.Read(ref reader, s_suite);
        reader.End();

        Assert.Equal(MlsRejection.None, reader.Rejection);
        Assert.Equal(secrets.Export("label", [1], 77), read.Export("label", [1], 77));
        Assert.Equal(secrets.InitSecret, read.InitSecret);
        Assert.Throws<InvalidOperationException>(() => read.EncryptionSecret.ToArray());
    }

    /// <summary>The application ratchet's first secret, and all node secrets above it.</summary>
    private static (byte[] Ratchet, List<byte[]> Path) WayTo(byte[] root, uint leaf, uint width)
    {
        List<byte[]> path = [root];
        for (var half = width / 2; half > 0; half /= 2)
        {
            var side = (leaf & half) == 0 ? "left"u8 : "right"u8;
            path.Add(Expand(path[^1], "tree", side, s_suite.HashSize));
        }

        return (Expand(path[^1], "application", [], s_suite.HashSize), path);
    }

    private static byte[] Expand(byte[] secret, string label, uint generation, int length) =>
        Expand(secret, label, [0, 0, 0, (byte)generation], length);

    /// <summary>ExpandWithLabel as section 8 writes it.</summary>
    private static byte[] Expand(byte[] secret, string label, ReadOnlySpan<byte> context, int length)
    {
        var info = new TlsWriter();
        info.WriteUInt16((ushort)length);
        info.WriteOpaque(System.Text.Encoding.ASCII.GetBytes("MLS 1.0 " + label));
        info.WriteOpaque(context);
        return HKDF.Expand(HashAlgorithmName.SHA256, secret, length, info.ToArray());
    }

    private static bool Contains(TlsWriter state, byte[] secret) => state.WrittenSpan.IndexOf(secret) >= 0;
}
