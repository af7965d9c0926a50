using System.Text.Json;
using ChatPay.Core.Transparency;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Transparency;

/// <summary>The published proofs, good and bad: each is accepted or refused as published.</summary>
public sealed class MerkleVectorTests
{
    private const string Source = "github.com/transparency-dev/merkle, testdata";

    [Fact]
    public void Inclusion_proofs_are_judged_as_published() => ForEach("merkle/inclusion", static test =>
        InclusionProof.Verify(
            Number(test, "leafIdx"), Number(test, "treeSize"), Bytes(test, "leafHash"), Proof(test), Bytes(test, "root")));

    [Fact]
    public void Consistency_proofs_are_judged_as_published() => ForEach("merkle/consistency", static test =>
        ConsistencyProof.Verify(
            Number(test, "size1"), Number(test, "size2"), Bytes(test, "root1"), Bytes(test, "root2"), Proof(test)));

    private static void ForEach(string folder, Func<JsonElement, LogRejection> judge)
    {
        var (good, bad) = (0, 0);
        foreach (var file in Vectors.Require(folder, static _ => true, Source))
        {
            using var document = Vectors.Load(file);
            var test = document.RootElement;
            var isRefused = judge(test) != LogRejection.None;
            Assert.True(
                test.GetProperty("wantErr").GetBoolean() == isRefused, $"{file}: {test.GetProperty("desc")}: {isRefused}");
            good += isRefused ? 0 : 1;
            bad += isRefused ? 1 : 0;
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{folder}: {good} accepted and {bad} refused, as published.");
        Assert.NotEqual(0, good);
        Assert.NotEqual(0, bad);
    }

    /// <summary>
    /// Sizes are unsigned in the vectors; beyond 2^63 there is no tree, which a negative one says as well.
    /// </summary>
    private static long Number(JsonElement test, string name) => unchecked((long)test.GetProperty(name).GetUInt64());

    private static byte[] Bytes(JsonElement test, string name) =>
        test.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetBytesFromBase64() : [];

    private static IReadOnlyList<byte[]> Proof(JsonElement test) =>
        test.TryGetProperty("proof", out var proof) && proof.ValueKind == JsonValueKind.Array
            ? [.. proof.EnumerateArray().Select(hash => hash.GetBytesFromBase64())]
            : [];
}
