using ChatPay.Core.Ledger;
using Dapper;
using Npgsql;

namespace ChatPay.Tests.Ledger;

/// <summary>Gives a person's account more history than anybody could make in a test, straight into the tables.</summary>
internal static class DeepHistory
{
    /// <summary>The time of version 2, the first that is made up; the others follow seven to a second.</summary>
    public static readonly DateTimeOffset Start = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public const int EntriesPerSecond = 7;

    /// <summary>Adds entries after the first until there are <paramref name="versions"/>.</summary>
    public static async Task<LedgerAccountId> WriteAsync(MoneyFixture money, WalletHolder holder, int versions)
    {
        var account = LedgerAccountId.Of(holder.Account, AssetCode.Parse("EUR"));
        await using var connection = await money.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();

        // The first entry is today's play money, so it is moved to the beginning. All name its transfer: none is
        // anything but history here, and no rule of the ledger is what is being tried.
        await connection.ExecuteAsync(
            """
            alter table entry disable trigger user;
            update entry set created_at = @start::timestamptz - interval '1 day' where account_id = @id and version = 1;
            insert into entry (account_id, version, transfer_id, posted_minor, held_minor, balance_after_minor,
                held_after_minor, created_at)
            select @id, g, e.transfer_id, case when g % 2 = 0 then -(g % 97 + 1) else (g - 1) % 97 + 1 end, 0,
                e.balance_after_minor - case when g % 2 = 0 then g % 97 + 1 else 0 end, 0,
                @start::timestamptz + interval '1 second' * ((g - 2) / @perSecond)
            from entry e, generate_series(2, @versions) g
            where e.account_id = @id and e.version = 1;
            update ledger_account a
            set version = e.version, balance_minor = e.balance_after_minor, held_minor = e.held_after_minor
            from entry e where a.id = @id and e.account_id = a.id and e.version = @versions;
            alter table entry enable trigger user;
            """,
            new { id = account.Value, start = Start, versions, perSecond = EntriesPerSecond },
            transaction);
        await transaction.CommitAsync();
        await connection.ExecuteAsync("analyze entry; analyze transfer; analyze ledger_account");
        return account;
    }

    /// <summary>The plan of a statement that was run, and how many pages of 8 KiB it looked at.</summary>
    public static async Task<(long Buffers, string Plan)> ExplainAsync(
        NpgsqlDataSource dataSource, string sql, params object[] values)
    {
        await using var command = dataSource.CreateCommand("explain (analyze, buffers, format json) " + sql);
        foreach (var value in values)
        {
            command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
        }

        var plan = (string)(await command.ExecuteScalarAsync())!;
        using var document = System.Text.Json.JsonDocument.Parse(plan);
        var top = document.RootElement[0].GetProperty("Plan");
        return (top.GetProperty("Shared Hit Blocks").GetInt64() + top.GetProperty("Shared Read Blocks").GetInt64(), plan);
    }
}
