using System.Text.Json;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>The MLS working group's tree-operations.json and tree-validation.json.</summary>
public sealed class TreeVectorTests
{
    [Fact]
    public void Every_published_operation_gives_the_published_tree() => MlsVectors.Check("tree-operations", CheckOperation);

    [Fact]
    public void Every_published_tree_is_valid_and_has_the_published_hashes_and_resolutions() =>
        MlsVectors.Check("tree-validation", CheckTree);

    private static void CheckOperation(MlsCipherSuite suite, JsonElement entry)
    {
        var before = TestTrees.Decode(suite, entry.Hex("tree_before"));
        Assert.True(TlsCodec.TryDecode<Proposal>(entry.Hex("proposal"), out var proposal, out _));
        Assert.Equal(entry.Hex("tree_hash_before"), before.TreeHash);

        var after = proposal switch
        {
            AddProposal add => before.Add(add.KeyPackage.LeafNode, out _),
            UpdateProposal update => before.Update(entry.GetProperty("proposal_sender").GetUInt32(), update.LeafNode),
            RemoveProposal remove => before.Remove(remove.Removed),
            _ => throw new InvalidOperationException($"A {proposal.Type} does not change a tree."),
        };

        Assert.Equal(entry.Hex("tree_after"), TlsCodec.Encode(after.ToWire()));
        Assert.Equal(entry.Hex("tree_hash_after"), after.TreeHash);
        Assert.Equal(entry.Hex("tree_before"), TlsCodec.Encode(before.ToWire()));
    }

    private static void CheckTree(MlsCipherSuite suite, JsonElement entry)
    {
        var tree = TestTrees.Decode(suite, entry.Hex("tree"));

        Assert.Equal(MlsRejection.None, tree.Validate(entry.Hex("group_id")));
        Assert.Equal(entry.Hex("tree"), TlsCodec.Encode(tree.ToWire()));
        var hashes = entry.GetProperty("tree_hashes");
        var resolutions = entry.GetProperty("resolutions");
        Assert.Equal((int)TreeMath.NodeCount(tree.Width), hashes.GetArrayLength());
        Assert.Equal(hashes.GetArrayLength(), resolutions.GetArrayLength());
        for (var node = 0; node < hashes.GetArrayLength(); node++)
        {
            Assert.Equal(hashes[node].GetString(), Convert.ToHexStringLower(tree.HashOf((uint)node)));
            Assert.Equal(
                resolutions[node].EnumerateArray().Select(static index => index.GetUInt32()), tree.Resolution((uint)node));
        }
    }
}
