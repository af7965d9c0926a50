using ChatPay.Core.Ledger;
using Dapper;
using Npgsql;

namespace ChatPay.Tests.Ledger;

/// <summary>A transaction of the test's own that holds a batch of the server's up at a chosen place until it ends.</summary>
internal sealed class Headwind(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
{
    /// <summary>Everything about an account can be written but the account itself, which comes last.</summary>
    public static Task<Headwind> AgainstAsync(NpgsqlDataSource dataSource, LedgerAccountId account) =>

        // Weaker than the lock of who changes a key, so that rows that refer to the account are not held up.
        AgainstAsync(
            dataSource, "select from ledger_account where id = @id for no key update", new { id = account.Value });

    /// <summary>The transfer, and what comes after it in its batch, cannot be written.</summary>
    public static Task<Headwind> AgainstAsync(NpgsqlDataSource dataSource, TransferId transfer) => AgainstAsync(
        dataSource,
        """
        insert into transfer (id, kind, debit_id, credit_id, amount_minor, asset, status, payload_hash, created_at)
        values (@id, 1, @debit, @credit, 1, 'EUR', 4006, decode(repeat('00', 32), 'hex'), now())
        """,
        new { id = transfer.Value, debit = new Guid(new byte[16]), credit = LedgerScene.Bank.Value });

    public static async Task<Headwind> AgainstAsync(NpgsqlDataSource dataSource, string sql, object? values = null)
    {
        var connection = await dataSource.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync(sql, values);
        return new Headwind(connection, transaction);
    }

    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }
}
