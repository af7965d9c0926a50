using ChatPay.Core.Ledger;
using Dapper;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>What tests of the engine need again and again: wallets, commands with new ids, a look at the tables.</summary>
internal sealed class LedgerScene(MoneyFixture money)
{
    /// <summary>Generous on a busy machine; what waits this long will not come.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    public static AssetCode Eur { get; } = AssetCode.Parse("EUR");

    /// <summary>Counts things instead of money; only <see cref="LedgerNode"/>s know it.</summary>
    public static AssetCode Share { get; } = AssetCode.Parse("SHARE");

    /// <summary>Pays what tests hand out, and may owe.</summary>
    public static LedgerAccountId Bank { get; } = LedgerAccountId.OfSystem("sandbox", Eur);

    /// <summary>Opens accounts of the system as an operator would, before the engine has seen them.</summary>
    public static async Task OpenAsync(NpgsqlDataSource dataSource, params IReadOnlyList<LedgerAccount> accounts)
    {
        await using var connection = await dataSource.OpenConnectionAsync();
        await connection.ExecuteAsync(
            """
            insert into ledger_account (id, system_name, asset, guarded)
            select id, name, asset, guarded
            from unnest(@ids, @names, @assets, @guarded) as a (id, name, asset, guarded)
            """,
            new
            {
                ids = accounts.Select(account => account.Id.Value).ToArray(),
                names = accounts.Select(account => account.Owner.System).ToArray(),
                assets = accounts.Select(account => account.Asset.Value).ToArray(),
                guarded = accounts.Select(account => account.Guarded).ToArray(),
            });
    }

    public TransferId Id() => new(money.NewId());

    /// <summary>Somebody's wallet with 100.00 EUR.</summary>
    public async Task<LedgerAccountId> WalletAsync() =>
        LedgerAccountId.Of((await money.PersonAsync()).Account, Eur);

    public async Task<LedgerAccountId[]> WalletsAsync(int count)
    {
        var wallets = new LedgerAccountId[count];
        for (var index = 0; index < count; index++)
        {
            wallets[index] = await WalletAsync();
        }

        return wallets;
    }

    /// <summary>Somebody's wallet with nothing in it.</summary>
    public async Task<LedgerAccountId> EmptyWalletAsync(LedgerNode node)
    {
        var wallet = await WalletAsync();
        Assert.True((await node.PostAsync(Pay(wallet, Bank, 10_000))).IsApplied);
        return wallet;
    }

    public LedgerCommand Pay(LedgerAccountId from, LedgerAccountId to, long amountMinor) =>
        LedgerCommand.Transfer(Id(), from, to, Money.Of(amountMinor, Eur));

    public LedgerCommand Hold(LedgerAccountId from, long amountMinor, int lifetimeSeconds = 3_600) =>
        LedgerCommand.Hold(Id(), from, Money.Of(amountMinor, Eur), lifetimeSeconds);

    public LedgerCommand Capture(LedgerCommand hold, LedgerAccountId to, long amountMinor) =>
        LedgerCommand.Capture(Id(), hold.Id, hold.Debit, to, Money.Of(amountMinor, hold.Asset));

    public LedgerCommand CaptureAll(LedgerCommand hold, LedgerAccountId to) =>
        LedgerCommand.CaptureAll(Id(), hold.Id, hold.Debit, to, hold.Asset);

    public LedgerCommand Release(LedgerCommand hold) => LedgerCommand.Release(Id(), hold.Id, hold.Debit, hold.Asset);

    public LedgerCommand Expire(LedgerCommand hold) => LedgerCommand.Expire(Id(), hold.Id, hold.Debit, hold.Asset);

    public LedgerCommand Refund(LedgerCommand paid, long amountMinor) => LedgerCommand.Refund(
        Id(), paid.Id, paid.Credit!.Value, paid.Debit, Money.Of(amountMinor, paid.Asset));

    public LedgerGroup Group(params IReadOnlyList<LedgerCommand> members) =>
        new(new LedgerGroupId(money.NewId()), members);

    public AccountChange Change(AccountChangeKind kind, LedgerAccountId account) =>
        AccountChange.Of(kind, new AccountChangeId(money.NewId()), account, "A test says so.");

    public async Task<(long BalanceMinor, long HeldMinor)> BalanceAsync(LedgerAccountId account)
    {
        await using var connection = await money.DataSource.OpenConnectionAsync();
        return await connection.QuerySingleAsync<(long, long)>(
            "select balance_minor, held_minor from ledger_account where id = @id", new { id = account.Value });
    }

    /// <summary>The changes of accounts, in the order of their numbers.</summary>
    public async Task<IEnumerable<Guid>> ChangesAsync(params LedgerAccountId[] accounts)
    {
        await using var connection = await money.DataSource.OpenConnectionAsync();
        return await connection.QueryAsync<Guid>(
            "select id from ledger_account_change where account_id = any(@ids) order by seq",
            new { ids = accounts.Select(account => account.Value).ToArray() });
    }

    public async Task<long> CountAsync(string sql, object? values = null)
    {
        await using var connection = await money.DataSource.OpenConnectionAsync();
        return await connection.QuerySingleAsync<long>(sql, values);
    }

    /// <summary>Waits until a question about the database has the answer yes.</summary>
    public async Task UntilAsync(string sql, object? values = null)
    {
        await using var connection = await money.DataSource.OpenConnectionAsync();
        using var deadline = new CancellationTokenSource(Deadline);
        while (!await connection.QuerySingleAsync<bool>(sql, values))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(2), deadline.Token);
        }
    }

    /// <summary>A batch waits for a lock: it is in the air and gets no further.</summary>
    public Task UntilWaitingAsync(int batches = 1) => UntilAsync(
        """
        select count(*) >= @batches from pg_stat_activity
        where datname = current_database() and application_name = 'chatpay' and wait_event_type = 'Lock'
        """,
        new { batches });

    /// <summary>A batch is written and waits for the one before it.</summary>
    public Task UntilWrittenAsync(int batches = 1) => UntilAsync(
        """
        select count(*) >= @batches from pg_stat_activity
        where datname = current_database() and application_name = 'chatpay' and state = 'idle in transaction'
            and wait_event = 'ClientRead' and backend_xid is not null
        """,
        new { batches });

    /// <summary>Kills the connections that wait for a lock.</summary>
    public Task KillWaitingAsync() => UntilAsync("""
        select count(*) filter (where pg_terminate_backend(pid)) > 0 from pg_stat_activity
        where datname = current_database() and application_name = 'chatpay' and wait_event_type = 'Lock'
        """);
}
