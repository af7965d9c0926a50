using ChatPay.Core.Vault;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>What an oblivious function promises, and what it refuses.</summary>
public sealed class OprfTests
{
    private static readonly byte[] s_input = "a stretched PIN"u8.ToArray();

    [Fact]
    public void Blind_evaluate_and_finalize_give_what_the_key_gives()
    {
        var random = TestVault.Stream("laws");
        for (var i = 0; i < 20; i++)
        {
            var (key, publicKey) = NewKey(random);
            var (blind, blinded, evaluated) = (new byte[32], new byte[32], new byte[32]);
            var (proof, output, direct) = (new byte[64], new byte[64], new byte[64]);
            Assert.True(Oprf.Verifiable.Blind(s_input, random, blind, blinded));
            Assert.True(Oprf.BlindEvaluate(key, blinded, evaluated));
            Assert.True(Oprf.Verifiable.GenerateProof(key, publicKey, blinded, evaluated, random, proof));
            Assert.True(Oprf.Verifiable.Finalize(s_input, blind, evaluated, blinded, publicKey, proof, output));
            Assert.True(Oprf.Verifiable.Evaluate(key, s_input, direct));
            Assert.Equal(direct, output);
            Assert.True(Oprf.Base.Evaluate(key, s_input, direct));
            Assert.NotEqual(direct, output);
        }
    }

    [Fact]
    public void A_proof_with_any_bit_changed_does_not_verify()
    {
        var (key, publicKey, blinded, evaluated, proof) = Proved(2);
        for (var bit = 0; bit < proof.Length * 8; bit++)
        {
            proof[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(Oprf.Verifiable.VerifyProof(publicKey, blinded, evaluated, proof));
            proof[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.True(Oprf.Verifiable.VerifyProof(publicKey, blinded, evaluated, proof));
        Assert.NotEqual(key, publicKey);
    }

    [Fact]
    public void A_proof_is_of_these_elements_in_this_order_and_of_this_key()
    {
        var (_, publicKey, blinded, evaluated, proof) = Proved(2);
        var (_, otherKey) = NewKey(TestVault.Stream("other"));
        byte[] swapped = [.. evaluated[32..], .. evaluated[..32]];
        byte[] swappedBlinded = [.. blinded[32..], .. blinded[..32]];
        Assert.False(Oprf.Verifiable.VerifyProof(otherKey, blinded, evaluated, proof));
        Assert.False(Oprf.Verifiable.VerifyProof(publicKey, blinded, swapped, proof));
        Assert.False(Oprf.Verifiable.VerifyProof(publicKey, swappedBlinded, swapped, proof));
        Assert.False(Oprf.Verifiable.VerifyProof(
            publicKey, blinded.AsSpan(0, 32), evaluated.AsSpan(0, 32), proof));
        Assert.False(Oprf.Verifiable.VerifyProof(publicKey, blinded, blinded, proof));
    }

    [Fact]
    public void Elements_that_are_none_are_refused_and_nothing_throws()
    {
        var (key, publicKey, blinded, evaluated, proof) = Proved(1);
        foreach (var bad in BadElements())
        {
            Assert.False(Oprf.BlindEvaluate(key, bad, new byte[32]));
            Assert.False(Oprf.Verifiable.Finalize(s_input, key, bad, new byte[64]));
            Assert.False(Oprf.Verifiable.VerifyProof(bad, blinded, evaluated, proof));
            Assert.False(Oprf.Verifiable.VerifyProof(publicKey, bad, evaluated, proof));
            Assert.False(Oprf.Verifiable.VerifyProof(publicKey, blinded, bad, proof));
        }

        Assert.False(Oprf.Verifiable.VerifyProof(publicKey, blinded, evaluated, proof.AsSpan(0, 63)));
        Assert.False(Oprf.Verifiable.VerifyProof(publicKey, blinded, evaluated, [.. proof, 0]));
        Assert.False(Oprf.Verifiable.VerifyProof(publicKey, [], [], proof));
        Assert.False(Oprf.Verifiable.VerifyProof(publicKey, blinded, evaluated, new byte[64]));
        byte[] notReduced = [.. proof];
        notReduced.AsSpan(32).Fill(0xff);
        Assert.False(Oprf.Verifiable.VerifyProof(publicKey, blinded, evaluated, notReduced));
    }

    [Fact]
    public void A_batch_has_at_most_64_elements()
    {
        var (key, publicKey, blinded, evaluated, proof) = Proved(Oprf.MaxBatch);
        Assert.True(Oprf.Verifiable.VerifyProof(publicKey, blinded, evaluated, proof));
        byte[] more = [.. blinded, .. blinded[..32]];
        byte[] moreEvaluated = [.. evaluated, .. evaluated[..32]];
        Assert.False(Oprf.Verifiable.VerifyProof(publicKey, more, moreEvaluated, proof));
        Assert.Throws<ArgumentException>(() => Oprf.Verifiable.GenerateProof(
            key, publicKey, more, moreEvaluated, TestVault.Stream("n"), new byte[64]));
    }

    [Fact]
    public void Misuse_throws()
    {
        var (key, publicKey, blinded, evaluated, proof) = Proved(1);
        var random = TestVault.Stream("misuse");
        Assert.Throws<ArgumentException>(() => Oprf.BlindEvaluate(new byte[32], blinded, new byte[32]));
        Assert.Throws<ArgumentException>(() => Oprf.BlindEvaluate(key.AsSpan(1), blinded, new byte[32]));
        Assert.Throws<ArgumentException>(
            () => Oprf.Base.Blind(new byte[Oprf.MaxInputSize + 1], random, new byte[32], new byte[32]));
        Assert.Throws<ArgumentException>(() => Oprf.Base.Evaluate(key, s_input, new byte[63]));
        Assert.Throws<ArgumentException>(
            () => Oprf.Base.DeriveKeyPair(new byte[31], [], new byte[32], new byte[32]));
        Assert.Throws<InvalidOperationException>(
            () => Oprf.Base.VerifyProof(publicKey, blinded, evaluated, proof));
        Assert.Throws<InvalidOperationException>(
            () => Oprf.Base.GenerateProof(key, publicKey, blinded, evaluated, random, new byte[64]));
    }

    internal static IEnumerable<byte[]> BadElements()
    {
        byte[] notCanonical = [.. Enumerable.Repeat((byte)0xff, 31), 0x7f];
        return [[], new byte[31], new byte[33], new byte[32], notCanonical, [1, .. new byte[31]]];
    }

    private static (byte[] Key, byte[] PublicKey) NewKey(Core.Cryptography.FillRandom random)
    {
        var (seed, key, publicKey) = (new byte[32], new byte[32], new byte[32]);
        random(seed);
        Oprf.Verifiable.DeriveKeyPair(seed, "test"u8, key, publicKey);
        return (key, publicKey);
    }

    private static (byte[] Key, byte[] PublicKey, byte[] Blinded, byte[] Evaluated, byte[] Proof) Proved(int count)
    {
        var random = TestVault.Stream("proved");
        var (key, publicKey) = NewKey(random);
        var (blinded, evaluated, proof) = (new byte[count * 32], new byte[count * 32], new byte[64]);
        for (var i = 0; i < count; i++)
        {
            Oprf.Verifiable.Blind([(byte)i], random, new byte[32], blinded.AsSpan(i * 32, 32));
            Oprf.BlindEvaluate(key, blinded.AsSpan(i * 32, 32), evaluated.AsSpan(i * 32, 32));
        }

        Assert.True(Oprf.Verifiable.GenerateProof(key, publicKey, blinded, evaluated, random, proof));
        return (key, publicKey, blinded, evaluated, proof);
    }
}
