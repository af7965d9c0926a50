using ChatPay.Core.Protocol;
using Npgsql;

namespace ChatPay.Server.Ledger;

/// <summary>A ledger account of a person, as the wallet shows it.</summary>
internal sealed record Wallet(string Asset, long BalanceMinor, long HeldMinor, long Version);

/// <summary>Reads wallets; writing goes through the write path alone.</summary>
internal sealed class WalletStore(NpgsqlDataSource dataSource)
{
    /// <summary>By asset code.</summary>
    public async Task<IReadOnlyDictionary<string, Wallet>> ReadAsync(
        AccountId account, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "select asset, balance_minor, held_minor, version from ledger_account where owner_id = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = account.Value });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var wallets = new Dictionary<string, Wallet>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            var asset = reader.GetString(0);
            wallets.Add(asset, new Wallet(asset, reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3)));
        }

        return wallets;
    }
}
