using System.Text.Json;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>The published vectors of the secret tree, its ratchets and the sender data's key.</summary>
public sealed class SecretTreeVectorTests
{
    [Fact]
    public void Sender_data_keys_come_out_as_published() => MlsVectors.Check("secret-tree", static (suite, entry) =>
    {
        var expected = entry.GetProperty("sender_data");
        var key = new byte[suite.KeySize];
        var nonce = new byte[suite.NonceSize];

        SenderData.DeriveKey(suite, expected.Hex("sender_data_secret"), expected.Hex("ciphertext"), key, nonce);

        Assert.Equal(expected.Hex("key"), key);
        Assert.Equal(expected.Hex("nonce"), nonce);
    });

    [Fact]
    public void Message_keys_come_out_as_published_in_order() =>
        MlsVectors.Check("secret-tree", static (suite, entry) => CheckLeaves(suite, entry, static cases => cases));

    [Fact]
    public void Message_keys_come_out_as_published_from_the_last_to_the_first() => MlsVectors.Check(
        "secret-tree", static (suite, entry) => CheckLeaves(suite, entry, static cases => cases.Reverse()));

    [Fact]
    public void Keys_for_sending_come_out_as_published() => MlsVectors.Check("secret-tree", static (suite, entry) =>
    {
        var leaves = entry.GetProperty("leaves");
        using var tree = new SecretTree(suite, entry.Hex("encryption_secret"), (uint)leaves.GetArrayLength());
        var key = new byte[suite.KeySize];
        var nonce = new byte[suite.NonceSize];
        foreach (var (leaf, cases) in leaves.EnumerateArray().Index())
        {
            foreach (var type in new[] { ContentType.Application, ContentType.Proposal })
            {
                var next = 0U;
                foreach (var expected in cases.EnumerateArray())
                {
                    var wanted = expected.GetProperty("generation").GetUInt32();
                    do
                    {
                        Assert.Equal(next++, tree.NextKey((uint)leaf, type, key, nonce));
                    }
                    while (next <= wanted);

                    Equal(expected, type, key, nonce);
                }
            }
        }
    });

    private static void CheckLeaves(
        MlsCipherSuite suite, JsonElement entry, Func<IEnumerable<JsonElement>, IEnumerable<JsonElement>> order)
    {
        var leaves = entry.GetProperty("leaves");
        using var tree = new SecretTree(suite, entry.Hex("encryption_secret"), (uint)leaves.GetArrayLength());
        foreach (var (leaf, cases) in leaves.EnumerateArray().Index())
        {
            foreach (var expected in order(cases.EnumerateArray()))
            {
                CheckKey(tree, suite, new((uint)leaf, ContentType.Commit, Generation(expected)), expected);
                CheckKey(tree, suite, new((uint)leaf, ContentType.Application, Generation(expected)), expected);
            }
        }
    }

    private static uint Generation(JsonElement expected) => expected.GetProperty("generation").GetUInt32();

    private static void CheckKey(SecretTree tree, MlsCipherSuite suite, MessageKeyId id, JsonElement expected)
    {
        var key = new byte[suite.KeySize];
        var nonce = new byte[suite.NonceSize];
        Assert.True(tree.TryKey(id, key, nonce, out var rejection), $"{id}: {rejection}");
        Equal(expected, id.ContentType, key, nonce);
        tree.Consume(id);
        Assert.False(tree.TryKey(id, key, nonce, out rejection));
        Assert.Equal(MlsRejection.GenerationUsed, rejection);
    }

    private static void Equal(JsonElement expected, ContentType type, byte[] key, byte[] nonce)
    {
        var ratchet = type == ContentType.Application ? "application" : "handshake";
        Assert.Equal(expected.Hex($"{ratchet}_key"), key);
        Assert.Equal(expected.Hex($"{ratchet}_nonce"), nonce);
    }
}
