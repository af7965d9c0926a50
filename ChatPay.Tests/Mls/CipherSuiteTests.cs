using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>What a cipher suite promises beside the published outcomes.</summary>
public sealed class CipherSuiteTests
{
    private const string ExporterLabel = "MLS 1.0 external init secret";

    /// <summary>More than fits where short inputs are put together.</summary>
    private static readonly byte[] s_long = new byte[5000];

    public static TheoryData<ushort> Suites => [1, 3];

    [Theory]
    [MemberData(nameof(Suites))]
    public void What_is_done_for_each_message_allocates_nothing_but_its_outcome(ushort id)
    {
        var suite = SuiteOf(id);
        using var key = Key.Import(suite.SignatureAlgorithm, new byte[32], KeyBlobFormat.RawPrivateKey);
        var secret = new byte[suite.HashSize];
        var output = new byte[suite.HashSize];
        var nonce = new byte[suite.NonceSize];
        var plaintext = new byte[100];
        var publicKey = key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
        var signature = suite.SignWithLabel(key, "label", plaintext);
        var ciphertext = new byte[plaintext.Length + suite.TagSize];

        Assert.Equal(0, AllocatedBy(() => suite.ExpandWithLabel(secret, "label", plaintext, output)));
        Assert.Equal(0, AllocatedBy(() => suite.ExpandWithLabel(secret, "label", s_long, output)));
        Assert.Equal(0, AllocatedBy(() => suite.DeriveSecret(secret, "label", output)));
        Assert.Equal(0, AllocatedBy(() => suite.DeriveTreeSecret(secret, "label", 7, output)));
        Assert.Equal(0, AllocatedBy(() => suite.Extract(secret, plaintext, output)));
        Assert.Equal(0, AllocatedBy(() => suite.Hash(plaintext, output)));
        Assert.Equal(0, AllocatedBy(() => suite.VerifyMac(secret, plaintext, output)));
        Assert.Equal(0, AllocatedBy(() => suite.IsEncryptionKey(secret)));
        Assert.Equal(SizeOfArray(64), AllocatedBy(() => suite.SignWithLabel(key, "label", plaintext)));
        Assert.Equal(0, AllocatedBy(() => suite.VerifyWithLabel(publicKey, "label", plaintext, signature)));
        if (suite == MlsCipherSuite.X25519ChaCha20Poly1305)
        {
            // The base class library's AES-GCM is an object for each key.
            Assert.Equal(0, AllocatedBy(() => suite.Seal(secret, nonce, [], plaintext, ciphertext)));
            Assert.Equal(0, AllocatedBy(() => suite.TryOpen(secret, nonce, [], ciphertext, plaintext)));
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void A_mac_verifies_and_with_any_bit_flipped_does_not(ushort id)
    {
        var suite = SuiteOf(id);
        var tag = suite.Mac([1], [2]);
        Assert.Equal(suite.HashSize, tag.Length);
        Assert.True(suite.VerifyMac([1], [2], tag));
        Assert.False(suite.VerifyMac([1], [3], tag));
        Assert.False(suite.VerifyMac([2], [2], tag));
        Assert.False(suite.VerifyMac([1], [2], tag.AsSpan(..^1)));
        Assert.False(suite.VerifyMac([1], [2], []));
        for (var bit = 0; bit < tag.Length * 8; bit++)
        {
            tag[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(suite.VerifyMac([1], [2], tag));
            tag[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Long_content_is_signed_and_referred_to_as_short_content_is(ushort id)
    {
        var suite = SuiteOf(id);
        using var key = Key.Import(suite.SignatureAlgorithm, new byte[32], KeyBlobFormat.RawPrivateKey);
        var publicKey = key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
        var signature = suite.SignWithLabel(key, "label", s_long);
        Assert.True(suite.VerifyWithLabel(publicKey, "label", s_long, signature));
        Assert.False(suite.VerifyWithLabel(publicKey, "label", s_long.AsSpan(1), signature));

        // As the structures of sections 5.1.2 and 5.2 are written.
        var writer = new TlsWriter();
        writer.WriteOpaque("MLS 1.0 label"u8);
        writer.WriteOpaque(s_long);
        Assert.True(suite.SignatureAlgorithm.Verify(key.PublicKey, writer.WrittenSpan, signature));
        Assert.Equal(SHA256.HashData(writer.WrittenSpan), suite.RefHash("MLS 1.0 label", s_long));
        writer = new TlsWriter();
        writer.WriteOpaque("MLS 1.0 Proposal Reference"u8);
        writer.WriteOpaque(s_long);
        Assert.Equal(SHA256.HashData(writer.WrittenSpan), suite.ProposalRef(s_long));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void An_external_joiner_and_the_group_share_a_secret(ushort id)
    {
        var suite = SuiteOf(id);
        var (privateKey, publicKey) = suite.DeriveKeyPair(new byte[32]);
        Assert.True(suite.TryExportTo(
            publicKey, RandomNumberGenerator.Fill, ExporterLabel, out var kemOutput, out var joiners));
        Assert.True(suite.TryImportFrom(privateKey.Span, publicKey, kemOutput, ExporterLabel, out var groups));
        Assert.Equal(joiners.Span, groups.Span);
        Assert.True(suite.TryImportFrom(privateKey.Span, publicKey, kemOutput, "MLS 1.0 other", out groups));
        Assert.NotEqual(joiners.Span.ToArray(), groups.Span.ToArray());
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void What_is_no_public_key_is_refused(ushort id)
    {
        var suite = SuiteOf(id);
        var (privateKey, publicKey) = suite.DeriveKeyPair(new byte[32]);
        foreach (var none in new[] { [], new byte[31], new byte[32], new byte[33] })
        {
            Assert.False(suite.IsEncryptionKey(none));
            Assert.False(suite.TryEncryptWithLabel(none, "label", [], [], RandomNumberGenerator.Fill, out var sealedTo));
            Assert.Null(sealedTo);
            Assert.False(suite.TryExportTo(none, RandomNumberGenerator.Fill, ExporterLabel, out _, out var secret));
            Assert.Null(secret);
            Assert.False(suite.TryImportFrom(privateKey.Span, publicKey, none, ExporterLabel, out secret));
            Assert.Null(secret);
            var ciphertext = new HpkeCiphertext { KemOutput = none, Ciphertext = new byte[16] };
            Assert.False(suite.TryDecryptWithLabel(privateKey.Span, publicKey, "label", [], ciphertext, out secret));
            Assert.Null(secret);
            Assert.False(suite.VerifyWithLabel(none, "label", [], new byte[64]));
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Misuse_throws(ushort id)
    {
        var suite = SuiteOf(id);
        var key = new byte[suite.KeySize];
        var ciphertext = new HpkeCiphertext { KemOutput = [], Ciphertext = [] };
        Assert.Throws<ArgumentException>(() => suite.PublicKeyOf(new byte[31]));
        Assert.Throws<ArgumentException>(() => suite.TryImportFrom(new byte[33], [], [], ExporterLabel, out _));
        Assert.Throws<ArgumentException>(() => suite.TryDecryptWithLabel([], [], "label", [], ciphertext, out _));
        Assert.Throws<ArgumentException>(() => suite.DeriveSecret(key, "label", new byte[31]));
        Assert.Throws<ArgumentException>(() => suite.Seal(key.AsSpan(1), new byte[12], [], [], new byte[16]));
        Assert.Throws<ArgumentException>(() => suite.Seal(key, new byte[11], [], [], new byte[16]));
        Assert.Throws<ArgumentException>(() => suite.Seal(key, new byte[12], [], [], new byte[15]));
        Assert.Throws<ArgumentException>(() => suite.TryOpen(key, new byte[12], [], new byte[17], []));
        Assert.False(suite.TryOpen(key, new byte[12], [], new byte[15], []));
    }

    private static MlsCipherSuite SuiteOf(ushort id) =>
        MlsCipherSuite.TryGet(id, out var suite) ? suite : throw new InvalidOperationException();

    /// <summary>Bytes of an array object: its header and length take 24 on a machine of 64 bits.</summary>
    private static long SizeOfArray(int bytes) => 24 + bytes;

    private static long AllocatedBy(Action action)
    {
        // The first calls compile, fill pools and load libraries.
        for (var i = 0; i < 40; i++)
        {
            action();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
