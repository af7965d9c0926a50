using ChatPay.Server.Hosting;

namespace ChatPay.Server.Conversations;

/// <summary>
/// The database's lineage, found out before the server takes connections, and looked at again while it serves: after a
/// fail-over the first node that starts renews it, and two nodes that named different ones would have every client that
/// moves between them begin anew each time.
/// </summary>
internal sealed class Lineage(LineageStore store, IdFactory ids) : IHostedService
{
    private const int Attempts = 5;

    private volatile Known? _known;

    public Guid Id => _known?.Id ?? Guid.Empty;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; _known is null; attempt++)
        {
            // Null while another node starting at the same moment has not committed its row yet.
            if (await store.RenewAsync(ids.NewUuid(), cancellationToken) is { } id)
            {
                _known = new(id);
            }
            else if (attempt >= Attempts)
            {
                throw new StartupException("The database keeps no lineage.");
            }
        }
    }

    /// <summary>Takes over what another node has renewed.</summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (await store.FindAsync(cancellationToken) is { } id && id != Id)
        {
            _known = new(id);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>In one word, because others read while it is written.</summary>
    private sealed record Known(Guid Id);
}
