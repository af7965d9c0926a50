using ChatPay.Core.Mls;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Mls;

public sealed class RatchetTreeLeavesTests
{
    [Fact]
    public void An_add_takes_the_leftmost_blank_leaf_and_else_extends_the_tree()
    {
        var leaves = Leaves((0, "a"), (1, "b"), (3, "d"));

        Assert.True(leaves.TryApply([], ["c", "e"], out var changes));

        Assert.Equal([new(2, "c"), new(4, "e")], changes.Added);
        Assert.Equal(8, leaves.Width);
    }

    [Fact]
    public void Removes_come_before_adds()
    {
        var leaves = Leaves((0, "a"), (1, "b"), (2, "c"));

        Assert.True(leaves.TryApply([1], ["d"], out var changes));

        Assert.Equal([new(1, "b")], changes.Removed);
        Assert.Equal([new(1, "d")], changes.Added);
    }

    [Fact]
    public void A_removed_leaf_on_the_right_truncates_the_tree_so_that_the_next_add_lands_there_again()
    {
        var leaves = Leaves((0, "a"), (1, "b"), (2, "c"), (3, "d"), (4, "e"));
        Assert.Equal(8, leaves.Width);

        Assert.True(leaves.TryApply([4], [], out _));
        Assert.Equal(4, leaves.Width);
        Assert.True(leaves.TryApply([], ["f"], out var changes));

        Assert.Equal([new(4, "f")], changes.Added);
    }

    [Fact]
    public void An_external_joiner_takes_the_leftmost_blank_leaf_after_its_former_one_is_removed()
    {
        var leaves = Leaves((0, "a"), (1, "old"), (2, "c"));

        Assert.True(leaves.TryApplyExternal([1], "new", out var changes));

        Assert.Equal([new(1, "new")], changes.Added);
    }

    [Theory]
    [InlineData(new[] { 5 })]
    [InlineData(new[] { -1 })]
    [InlineData(new[] { 1, 1 })]
    [InlineData(new[] { 0, 2 })]
    public void Removing_a_blank_leaf_or_one_twice_is_refused_and_changes_nothing(int[] removes)
    {
        var leaves = Leaves((0, "a"), (1, "b"));

        Assert.False(leaves.TryApply(removes, ["c"], out var changes));

        Assert.Null(changes);
        Assert.Equal([0, 1], leaves.Leaves.Keys);
    }

    /// <summary>
    /// The map against a literal reading of sections 7.7 and 7.8: an array of leaves whose length is a power of two, which
    /// doubles when full and halves while its right half is blank.
    /// </summary>
    [Fact]
    public void The_map_follows_the_tree_of_the_standard() =>
        Check.QuickThrowOnFailure(Prop.ForAll<byte[]>(static steps =>
        {
            int?[] tree = [0];
            var leaves = new RatchetTreeLeaves<int>([new(0, 0)]);
            for (var i = 0; i < steps.Length; i++)
            {
                var removes = Enumerable.Range(0, tree.Length)
                    .Where(leaf => tree[leaf] is not null && (leaf + 1) * 37 % 251 < steps[i] / 2).ToList();
                var adds = Enumerable.Range(1000 * (i + 1), steps[i] % 4).ToList();
                Array.ForEach([.. removes], leaf => tree[leaf] = null);
                tree = Truncate(tree);
                adds.ForEach(member => tree = Add(tree, member));
                if (!leaves.TryApply(removes, adds, out _))
                {
                    return false;
                }
            }

            var expected = Enumerable.Range(0, tree.Length).Where(leaf => tree[leaf] is not null)
                .Select(leaf => (leaf, tree[leaf]!.Value)).ToList();
            Assert.Equal(expected, leaves.Leaves.Select(static pair => (pair.Key, pair.Value)));
            return leaves.Width == (expected.Count == 0 ? 0 : tree.Length);
        }));

    private static int?[] Truncate(int?[] tree)
    {
        while (tree.Length > 1 && tree.Skip(tree.Length / 2).All(static member => member is null))
        {
            tree = tree[..(tree.Length / 2)];
        }

        return tree;
    }

    private static int?[] Add(int?[] tree, int member)
    {
        var free = Array.FindIndex(tree, static other => other is null);
        if (free < 0)
        {
            free = tree.Length;
            Array.Resize(ref tree, tree.Length * 2);
        }

        tree[free] = member;
        return tree;
    }

    private static RatchetTreeLeaves<string> Leaves(params (int Leaf, string Member)[] leaves) =>
        new(leaves.Select(static pair => new KeyValuePair<int, string>(pair.Leaf, pair.Member)));
}
