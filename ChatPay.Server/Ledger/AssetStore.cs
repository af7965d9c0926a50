using ChatPay.Server.Hosting;
using Dapper;
using Npgsql;

namespace ChatPay.Server.Ledger;

/// <summary>Writes the configured assets to the database before anything serves, and refuses to redefine one.</summary>
internal sealed class AssetStore(NpgsqlDataSource dataSource, AssetCatalogue assets) : IHostedService
{
    /// <exception cref="StartupException">An asset is in the database with another exponent or kind.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        foreach (var asset in assets.All)
        {
            // Several nodes start at once: whoever is second compares with what the first wrote.
            await connection.ExecuteAsync(new CommandDefinition(
                """
                insert into asset (code, exponent, kind) values (@Code, @Exponent, @Kind)
                on conflict (code) do nothing
                """,
                new { Code = asset.Code.Value, Exponent = (short)asset.Exponent, Kind = (short)asset.Kind },
                cancellationToken: cancellationToken));
            var (exponent, kind) = await connection.QuerySingleAsync<(short, short)>(new CommandDefinition(
                "select exponent, kind from asset where code = @Code",
                new { Code = asset.Code.Value },
                cancellationToken: cancellationToken));
            if ((exponent, kind) != ((short)asset.Exponent, (short)asset.Kind))
            {
                throw new StartupException(
                    $"Ledger:Assets gives {asset.Code} the exponent {asset.Exponent} and kind {(short)asset.Kind}, but "
                    + $"the database has it with exponent {exponent} and kind {kind}. Put the old values back.");
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
