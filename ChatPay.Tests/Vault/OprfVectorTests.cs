using System.Text.Json;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Vault;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>The published vectors of RFC 9497 for ristretto255-SHA512, by one key and by shares of it.</summary>
public sealed class OprfVectorTests
{
    private const string Source = "github.com/cfrg/draft-irtf-cfrg-voprf, poc/vectors";
    private const string Identifier = "ristretto255-SHA512";

    [Fact]
    public void Keys_blinds_evaluations_and_outputs_come_out_as_published() => ForEach(static (oprf, suite, vector) =>
    {
        var (privateKey, publicKey) = (new byte[32], new byte[32]);
        oprf.DeriveKeyPair(suite.Hex("seed"), suite.Hex("keyInfo"), privateKey, publicKey);
        Assert.Equal(suite.Hex("skSm"), privateKey);
        var (inputs, blinds) = (Values(vector, "Input"), Values(vector, "Blind"));
        for (var i = 0; i < inputs.Count; i++)
        {
            var (blind, blinded, evaluated, output) = (new byte[32], new byte[32], new byte[32], new byte[64]);
            Assert.True(oprf.Blind(inputs[i], Fixed(blinds[i]), blind, blinded));
            Assert.Equal(blinds[i], blind);
            Assert.Equal(Values(vector, "BlindedElement")[i], blinded);
            Assert.True(Oprf.BlindEvaluate(privateKey, blinded, evaluated));
            Assert.Equal(Values(vector, "EvaluationElement")[i], evaluated);
            Assert.True(oprf.Finalize(inputs[i], blind, evaluated, output));
            Assert.Equal(Values(vector, "Output")[i], output);
            Assert.True(oprf.Evaluate(privateKey, inputs[i], output));
            Assert.Equal(Values(vector, "Output")[i], output);
        }
    });

    [Fact]
    public void Proofs_come_out_as_published_and_verify() => ForEach(static (oprf, suite, vector) =>
    {
        if (oprf.Mode != OprfMode.Verifiable)
        {
            return;
        }

        var publicKey = new byte[32];
        Oprf.DerivePublicKey(suite.Hex("skSm"), publicKey);
        Assert.Equal(suite.Hex("pkSm"), publicKey);
        byte[] blinded = [.. Values(vector, "BlindedElement").SelectMany(bytes => bytes)];
        byte[] evaluated = [.. Values(vector, "EvaluationElement").SelectMany(bytes => bytes)];
        var (expected, proof) = (vector.GetProperty("Proof"), new byte[64]);
        Assert.True(oprf.GenerateProof(
            suite.Hex("skSm"), publicKey, blinded, evaluated, Fixed(expected.Hex("r")), proof));
        Assert.Equal(expected.Hex("proof"), proof);
        Assert.True(oprf.VerifyProof(publicKey, blinded, evaluated, proof));
    });

    [Theory]
    [InlineData(2, 3)]
    [InlineData(3, 5)]
    public void A_threshold_of_shares_evaluates_as_the_key_does(int threshold, int count) =>
        ForEach((oprf, suite, vector) =>
        {
            var shares = new byte[count * 32];
            SecretSharing.Split(suite.Hex("skSm"), threshold, TestVault.Stream("shares"), shares);
            foreach (var (i, input) in Values(vector, "Input").Index())
            {
                var blinded = Values(vector, "BlindedElement")[i];
                foreach (var indices in Subsets(count).Where(subset => subset.Length >= threshold))
                {
                    var elements = indices.SelectMany(index => EvaluateWith(shares, index, blinded)).ToArray();
                    var (evaluated, output) = (new byte[32], new byte[64]);
                    Assert.True(ThresholdOprf.TryCombine(threshold, indices, elements, evaluated, out _));
                    Assert.Equal(Values(vector, "EvaluationElement")[i], evaluated);
                    Assert.True(oprf.Finalize(input, Values(vector, "Blind")[i], evaluated, output));
                    Assert.Equal(Values(vector, "Output")[i], output);
                }
            }
        });

    /// <summary>One share's evaluation, whose proof is asked as well.</summary>
    private static byte[] EvaluateWith(byte[] shares, int index, byte[] blinded)
    {
        var share = shares.AsSpan((index - 1) * 32, 32);
        var (publicShare, evaluated, proof) = (new byte[32], new byte[32], new byte[64]);
        Oprf.DerivePublicKey(share, publicShare);
        Assert.True(ThresholdOprf.BlindEvaluate(
            share, publicShare, blinded, TestVault.Stream($"nonce {index}"), evaluated, proof));
        Assert.True(ThresholdOprf.Verify(publicShare, blinded, evaluated, proof));
        return evaluated;
    }

    private static IEnumerable<byte[]> Subsets(int count) =>
        from set in Enumerable.Range(1, (1 << count) - 1)
        select (byte[])[.. Enumerable.Range(1, count).Where(i => (set & (1 << (i - 1))) != 0).Select(i => (byte)i)];

    /// <summary>Randomness that reduces to exactly this scalar.</summary>
    private static FillRandom Fixed(byte[] scalar) => destination =>
    {
        destination.Clear();
        scalar.CopyTo(destination);
    };

    private static List<byte[]> Values(JsonElement vector, string name) =>
        [.. vector.GetProperty(name).GetString()!.Split(',').Select(Convert.FromHexString)];

    private static void ForEach(Action<Oprf, JsonElement, JsonElement> check)
    {
        var count = 0;
        foreach (var file in Vectors.Require("voprf", static _ => true, Source))
        {
            using var document = Vectors.Load(file);
            foreach (var suite in document.RootElement.EnumerateArray())
            {
                var mode = suite.GetProperty("mode").GetByte();
                if (suite.GetProperty("identifier").GetString() == Identifier && mode <= (byte)OprfMode.Verifiable)
                {
                    foreach (var vector in suite.GetProperty("vectors").EnumerateArray())
                    {
                        check(mode == 0 ? Oprf.Base : Oprf.Verifiable, suite, vector);
                        count++;
                    }
                }
            }
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{count} vectors of {Identifier} checked.");
        Assert.NotEqual(0, count);
    }
}
