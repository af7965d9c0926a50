using ChatPay.Server.Hosting;

namespace ChatPay.Server.Conversations;

/// <summary>The database's lineage, found out before the server takes connections.</summary>
internal sealed class Lineage(LineageStore store, IdFactory ids) : IHostedService
{
    private const int Attempts = 5;

    public Guid Id { get; private set; }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; Id == Guid.Empty; attempt++)
        {
            // Null while another node starting at the same moment has not committed its row yet.
            Id = await store.RenewAsync(ids.NewUuid(), cancellationToken)
                ?? (attempt < Attempts ? Guid.Empty : throw new StartupException("The database keeps no lineage."));
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
