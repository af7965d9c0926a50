using ChatPay.LoadTest.Database;

namespace ChatPay.LoadTest.Serving;

/// <summary>Nodes on the same database that no client is connected to: they do what nodes do by themselves.</summary>
internal sealed class NodesBeside : IAsyncDisposable
{
    private readonly List<ServedProcess> _nodes = [];

    private NodesBeside()
    {
    }

    public static async Task<NodesBeside> StartAsync(
        int count, DatabaseUnderTest database, IReadOnlyDictionary<string, string> settings,
        CancellationToken cancellationToken)
    {
        var nodes = new NodesBeside();
        try
        {
            while (nodes._nodes.Count < count)
            {
                nodes._nodes.Add(await ServedProcess.StartServerAsync(database, settings, cancellationToken));
            }

            return nodes;
        }
        catch
        {
            await nodes.DisposeAsync();
            throw;
        }
    }

    /// <summary>Fails with what one wrote that has ended by itself.</summary>
    public void RequireAlive() => _nodes.ForEach(static node => node.RequireAlive());

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
    }
}
