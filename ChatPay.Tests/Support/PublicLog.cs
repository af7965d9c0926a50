using System.Text;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>A stranger's view of one of a server's logs: what it publishes, checked from nothing.</summary>
/// <param name="name">"keys" or "ledger".</param>
internal sealed class PublicLog(TestServer server, string name = "keys") : IDisposable
{
    private readonly HttpClient _http = server.CreateClient();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The checkpoint, by the key that the server names to its users.</summary>
    public async Task<Checkpoint> CheckpointAsync(KeyLogView view)
    {
        var note = await _http.GetByteArrayAsync($"log/{name}/checkpoint", Cancellation);
        return Open(Encoding.UTF8.GetString(note), view);
    }

    public static Checkpoint Open(string note, KeyLogView view)
    {
        Assert.True(NoteVerifier.TryParse(view.VerifierKey, out var verifier));
        Assert.Equal(
            LogRejection.None, Checkpoint.Open(Encoding.UTF8.GetBytes(note), view.Origin, verifier, out var checkpoint));
        return checkpoint!;
    }

    public async Task<byte[]> FileAsync(string path) => await _http.GetByteArrayAsync($"log/{name}/" + path, Cancellation);

    public async Task<int> StatusAsync(string path)
    {
        using var response = await _http.GetAsync($"log/{name}/" + path, Cancellation);
        return (int)response.StatusCode;
    }

    /// <summary>All leaves, and the tree over them that a reader makes from nothing.</summary>
    public async Task<(IReadOnlyList<byte[]> Leaves, byte[] Root)> LeavesAsync(long size)
    {
        var leaves = new List<byte[]>();
        var tree = new MerkleFrontier();
        for (var index = 0L; index * TilePath.FullWidth < size; index++)
        {
            var path = TilePath.In(size, TilePath.EntriesLevel, index)!.Value;
            Assert.True(EntryBundle.TryRead(await FileAsync(path.ToString()), path.Width, out var bundle));
            foreach (var leaf in bundle)
            {
                leaves.Add(leaf);
                tree.Append(MerkleHash.Leaf(leaf));
            }
        }

        return (leaves, tree.Root());
    }

    /// <summary>That a chain's page is in the log, entry by entry, and goes on from an earlier checkpoint.</summary>
    public static Checkpoint Check(KeyChainReply reply, KeyLogView view, Checkpoint? earlier = null)
    {
        var checkpoint = Open(reply.Checkpoint, view);
        foreach (var logged in reply.Entries)
        {
            Assert.True(KeyLogEntry.TryRead(logged.Entry, out var entry, out _));
            Assert.Equal(
                LogRejection.None,
                InclusionProof.Verify(
                    logged.Index, checkpoint.Size, MerkleHash.Leaf(entry.Leaf(logged.Salt)), logged.Proof, checkpoint.Root));
        }

        if (earlier is not null)
        {
            Assert.Equal(
                LogRejection.None,
                ConsistencyProof.Verify(earlier.Size, checkpoint.Size, earlier.Root, checkpoint.Root, reply.Consistency));
        }

        return checkpoint;
    }

    public void Dispose() => _http.Dispose();
}
