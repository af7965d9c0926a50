using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Ledger;

/// <summary>A ledger account of a person, as the wallet shows it.</summary>
internal sealed record Wallet(string Asset, long BalanceMinor, long HeldMinor, long Version);

/// <summary>A wallet as it stands, for whoever compares it with what was told.</summary>
/// <param name="ChangedLately">Within the last minute, so that it may have changed after its owner read it.</param>
internal sealed record WalletState(AccountId Account, WalletBalance Balance, long Version, bool ChangedLately);

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

    /// <summary>All wallets of the accounts; the exponents are the caller's to know.</summary>
    public async Task<IReadOnlyList<WalletState>> StatesAsync(
        IReadOnlyCollection<AccountId> accounts, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            select owner_id, asset, balance_minor, held_minor, version,
                coalesce(last_entry_at > now() - interval '1 minute', false)
            from ledger_account where owner_id = any($1)
            """,
            accounts.Select(account => account.Value).ToArray());
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var wallets = new List<WalletState>();
        while (await reader.ReadAsync(cancellationToken))
        {
            wallets.Add(new(
                new(reader.GetGuid(0)), new(reader.GetString(1), 0, reader.GetInt64(2), reader.GetInt64(3)),
                reader.GetInt64(4), reader.GetBoolean(5)));
        }

        return wallets;
    }
}
