using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>Signed structures against the MLS working group's vectors.</summary>
public sealed class SignatureVectorTests
{
    private const string Source = "github.com/mlswg/mls-implementations, test-vectors";

    [Fact]
    public void Every_leaf_of_the_published_trees_has_a_valid_signature()
    {
        var count = 0;
        foreach (var file in Vectors.Require("mls", static name => Is(name, "tree-validation"), Source))
        {
            using var document = Vectors.Load(file);
            foreach (var entry in document.RootElement.EnumerateArray())
            {
                if (MlsCipherSuite.TryGet(entry.GetProperty("cipher_suite").GetUInt16(), out var suite))
                {
                    count += CheckLeaves(suite, entry.Hex("tree"), entry.Hex("group_id"));
                }
            }
        }

        Assert.NotEqual(0, count);
    }

    private static bool Is(string name, string kind) => name.StartsWith(kind, StringComparison.Ordinal);

    private static int CheckLeaves(MlsCipherSuite suite, byte[] bytes, byte[] groupId)
    {
        Assert.True(TlsCodec.TryDecode<RatchetTree>(bytes, out var tree, out _));
        Assert.Equal(bytes, TlsCodec.Encode(tree));
        var count = 0;
        for (var node = 0; node < tree.Nodes.Count; node += 2)
        {
            if (tree.Nodes[node]?.Leaf is { } leaf)
            {
                Assert.Equal(MlsRejection.None, LeafNodeValidation.Check(leaf, suite, groupId, (uint)node / 2));
                if (leaf.Source != LeafNodeSource.KeyPackage)
                {
                    Assert.Equal(
                        MlsRejection.SignatureInvalid,
                        LeafNodeValidation.Check(leaf, suite, groupId, ((uint)node / 2) + 1));
                }

                count++;
            }
        }

        return count;
    }
}
