using System.Text.Json;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

public sealed class TreeMathTests
{
    /// <summary>The MLS working group's tree-math.json.</summary>
    [Fact]
    public void Every_published_relation_between_nodes_holds() => MlsVectors.ForEach("tree-math", CheckRelations);

    [Fact]
    public void A_common_ancestor_is_the_lowest_node_above_both_leaves()
    {
        const uint Width = 32;
        for (var one = 0u; one < Width; one++)
        {
            for (var other = 0u; other < Width; other++)
            {
                var above = Above(2 * one);
                var expected = Above(2 * other).First(above.Contains);

                Assert.Equal(expected, TreeMath.CommonAncestor(one, other));
            }
        }

        static List<uint> Above(uint node)
        {
            var nodes = new List<uint>();
            for (uint? next = node; next is { } current; next = TreeMath.Parent(current, Width))
            {
                nodes.Add(current);
            }

            return nodes;
        }
    }

    private static void CheckRelations(JsonElement entry)
    {
        var width = entry.GetProperty("n_leaves").GetUInt32();
        Assert.Equal(entry.GetProperty("n_nodes").GetUInt32(), TreeMath.NodeCount(width));
        Assert.Equal(entry.GetProperty("root").GetUInt32(), TreeMath.Root(width));
        for (var node = 0u; node < TreeMath.NodeCount(width); node++)
        {
            Assert.Equal(Expected("left"), TreeMath.Left(node));
            Assert.Equal(Expected("right"), TreeMath.Right(node));
            Assert.Equal(Expected("parent"), TreeMath.Parent(node, width));
            Assert.Equal(Expected("sibling"), TreeMath.Sibling(node, width));

            uint? Expected(string relation) =>
                entry.GetProperty(relation)[(int)node] is { ValueKind: JsonValueKind.Number } value ? value.GetUInt32() : null;
        }
    }
}
