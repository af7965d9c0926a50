using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Transparency;

/// <summary>The ledger log, which takes in applied transfers.</summary>
internal sealed class LedgerLogStore(NpgsqlDataSource dataSource, LedgerLogIntakeStore intake)
    : LogStore(dataSource, LogDefinition.Ledger, intake)
{
    /// <summary>Where transfers are in the log; those that it has not yet are left out.</summary>
    public async Task<IReadOnlyDictionary<Guid, long>> PlacesAsync(
        IReadOnlyCollection<Guid> transfers, CancellationToken cancellationToken)
    {
        await using var command = Source.CreateCommand(
            "select transfer_id, index from ledger_log_leaf where transfer_id = any($1)", transfers.ToArray());
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var places = new Dictionary<Guid, long>();
        while (await row.ReadAsync(cancellationToken))
        {
            places.Add(row.GetGuid(0), row.GetInt64(1));
        }

        return places;
    }
}
