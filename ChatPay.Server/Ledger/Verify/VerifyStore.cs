using ChatPay.Server.Transparency;
using Npgsql;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>
/// One snapshot of the database, read by as many connections as it takes: all of them see the same instant, and nobody
/// who writes waits for them. PostgreSQL sorts within <see cref="WorkMemoryMegabytes"/> and beyond that in files of its own,
/// so neither side keeps more than that in memory.
/// </summary>
internal sealed class VerifyStore : IAsyncDisposable
{
    /// <summary>What one sort of PostgreSQL takes before it goes to its files; at most six run at once.</summary>
    private const int WorkMemoryMegabytes = 64;

    private readonly NpgsqlDataSource _dataSource;
    private readonly NpgsqlConnection _holder;
    private readonly string _snapshot;
    private readonly Dictionary<string, long> _estimates;

    private VerifyStore(
        NpgsqlDataSource dataSource, NpgsqlConnection holder, string snapshot, Dictionary<string, long> estimates)
    {
        _dataSource = dataSource;
        _holder = holder;
        _snapshot = snapshot;
        _estimates = estimates;
    }

    /// <summary>Takes the snapshot, which lasts until this is disposed of.</summary>
    public static async Task<VerifyStore> OpenAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        var holder = await dataSource.OpenConnectionAsync(cancellationToken);
        try
        {
            await ExecuteAsync(holder, "begin isolation level repeatable read read only", cancellationToken);
            await ExecuteAsync(holder, "set local idle_in_transaction_session_timeout = 0", cancellationToken);
            await using var export = new NpgsqlCommand("select pg_export_snapshot()", holder);
            var snapshot = (string)(await export.ExecuteScalarAsync(cancellationToken))!;
            return new VerifyStore(dataSource, holder, snapshot, await EstimateAsync(holder, cancellationToken));
        }
        catch
        {
            await holder.DisposeAsync();
            throw;
        }
    }

    /// <summary>About how many rows a table has; null where PostgreSQL has not looked yet.</summary>
    public long? EstimateOf(string table) =>
        _estimates.TryGetValue(table, out var rows) && rows >= 0 ? rows : null;

    public RowStream<AccountRow> Accounts(CancellationToken cancellationToken) => WholeTable<AccountRow>(
        $"select {AccountRow.Columns} from ledger_account order by id",
        AccountRow.Parse, null, cancellationToken);

    public RowStream<EntryRow> Entries(VerifyStage stage, CancellationToken cancellationToken) => WholeTable<EntryRow>(
        $"select {EntryRow.Columns} from entry order by account_id, version",
        EntryRow.Parse, stage, cancellationToken);

    public RowStream<SideRow> DebitSides(CancellationToken cancellationToken) => Stream<SideRow>(
        $"""
        select debit_id, debit_version, {SideRow.Columns} from transfer
        where status = 0 and debit_version is not null order by debit_id, debit_version
        """,
        SideRow.Parse, null, cancellationToken);

    public RowStream<SideRow> CreditSides(CancellationToken cancellationToken) => Stream<SideRow>(
        $"""
        select credit_id, credit_version, {SideRow.Columns} from transfer
        where status = 0 and credit_id is not null and credit_version is not null order by credit_id, credit_version
        """,
        SideRow.Parse, null, cancellationToken);

    public RowStream<HeldRow> OpenHolds(CancellationToken cancellationToken) => Stream<HeldRow>(
        """
        select account_id, sum(remaining_minor)::text from hold where state = 1 group by account_id order by account_id
        """,
        HeldRow.Parse, null, cancellationToken);

    public RowStream<ChangeRow> Changes(CancellationToken cancellationToken) => Stream<ChangeRow>(
        $"select {ChangeRow.Columns} from ledger_account_change order by account_id, seq",
        ChangeRow.Parse, null, cancellationToken);

    /// <summary>In no order.</summary>
    public RowStream<StoredTransfer> Transfers(VerifyStage stage, CancellationToken cancellationToken) =>
        Stream<StoredTransfer>(
            $"select {StoredTransfer.Columns} from transfer t", StoredTransfer.Parse, stage, cancellationToken);

    public RowStream<HoldRow> Holds(VerifyStage stage, CancellationToken cancellationToken) => WholeTable<HoldRow>(
        $"select {HoldRow.Columns} from hold order by transfer_id", HoldRow.Parse, stage, cancellationToken);

    /// <summary>The applied transfers that opened them, by id.</summary>
    public RowStream<StoredTransfer> HoldOpenings(CancellationToken cancellationToken) => Stream<StoredTransfer>(
        $"select {StoredTransfer.Columns} from transfer t where t.kind = 2 and t.status = 0 order by t.id",
        StoredTransfer.Parse, null, cancellationToken);

    public RowStream<HoldUseRow> HoldUses(CancellationToken cancellationToken) => Stream<HoldUseRow>(
        $"""
        select {HoldUseRow.Columns} from transfer where hold_id is not null and status = 0
        order by hold_id, created_at, seq
        """,
        HoldUseRow.Parse, null, cancellationToken);

    public RowStream<RefundedRow> Refunded(VerifyStage stage, CancellationToken cancellationToken) =>
        Stream<RefundedRow>(
            $"select {RefundedRow.Columns} from refunded order by transfer_id",
            RefundedRow.Parse, stage, cancellationToken);

    public RowStream<RefundRow> Refunds(CancellationToken cancellationToken) => Stream<RefundRow>(
        $"""
        select {RefundRow.Columns} from transfer where refund_of is not null and status = 0 order by refund_of, id
        """,
        RefundRow.Parse, null, cancellationToken);

    /// <summary>What was refunded, or is said to have been, by id.</summary>
    public RowStream<StoredTransfer> Originals(CancellationToken cancellationToken) => Stream<StoredTransfer>(
        $"""
        select {StoredTransfer.Columns} from transfer t
        join (
            select transfer_id as id from refunded
            union select refund_of from transfer where refund_of is not null and status = 0
        ) o on o.id = t.id
        order by t.id
        """,
        StoredTransfer.Parse, null, cancellationToken);

    public RowStream<MemberRow> GroupMembers(VerifyStage stage, CancellationToken cancellationToken) =>
        Stream<MemberRow>(
            $"select {MemberRow.Columns} from transfer where group_id is not null order by group_id, 2, id",
            MemberRow.Parse, stage, cancellationToken);

    public RowStream<CardRow> Cards(VerifyStage stage, CancellationToken cancellationToken) => WholeTable<CardRow>(
        $"""
        select {CardRow.Columns} from card c left join hold h on h.transfer_id = c.hold_id
        left join (
            select card_id, count(*) as parts, count(*) filter (where state = 7) as paid,
                sum(amount_minor) filter (where state = 7) as paid_minor, sum(amount_minor) as parts_minor
            from card_part group by card_id
        ) p on p.card_id = c.id
        order by c.id
        """,
        CardRow.Parse, stage, cancellationToken);

    /// <summary>The applied transfers of cards, by card.</summary>
    public RowStream<StoredTransfer> CardTransfers(CancellationToken cancellationToken) => Stream<StoredTransfer>(
        $"""
        select {StoredTransfer.Columns} from transfer t
        where t.card_id is not null and t.status = 0 order by t.card_id, t.id
        """,
        StoredTransfer.Parse, null, cancellationToken);

    /// <summary>The applied debits of cards since each has to be signed for, with what was signed, by id.</summary>
    public RowStream<AuthorisedRow> AuthorisedDebits(VerifyStage stage, CancellationToken cancellationToken) =>
        Stream<AuthorisedRow>(
            $"""
            select {AuthorisedRow.Columns}
            from transfer t join card c on c.id = t.card_id
            left join card_authorisation o on o.transfer_id = t.id and c.kind <> 5
            left join card_authorisation m on m.card_id = t.card_id and c.kind = 5
            cross join lateral (
                select coalesce(o.transfer_id, m.transfer_id) as transfer_id, coalesce(o.device_id, m.device_id) as device_id,
                    coalesce(o.statement, m.statement) as statement, coalesce(o.signature, m.signature) as signature
            ) a
            left join device d on d.id = a.device_id
            where t.card_id is not null and t.status = 0 and t.kind in (1, 2, 6)
                and (a.transfer_id is not null or t.created_at >= (select at from card_authorisation_since))
            order by t.id
            """,
            AuthorisedRow.Parse, stage, cancellationToken);

    /// <summary>Authorisations of nothing that happened, by id.</summary>
    public RowStream<IdRow> IdleAuthorisations(CancellationToken cancellationToken) => Stream<IdRow>(
        """
        select a.transfer_id from card_authorisation a left join card c on c.id = a.card_id
        left join transfer t on t.id = a.transfer_id
        where c.id is null
            or (c.kind <> 5 and (t.id is null or t.status <> 0 or t.card_id <> c.id or t.kind not in (1, 2, 6)))
        order by a.transfer_id
        """,
        IdRow.Parse, null, cancellationToken);

    /// <summary>Leaves of the ledger log, by place, with what they are of.</summary>
    public RowStream<SealedRow> SealedTransfers(VerifyStage stage, CancellationToken cancellationToken) =>
        WholeTable<SealedRow>(
            $"""
            select {SealedRow.Columns}, {StoredTransfer.Columns}
            from ledger_log_leaf l left join transfer t on t.id = l.transfer_id and t.status = 0 order by l.index
            """,
            SealedRow.Parse, stage, cancellationToken);

    /// <summary>Applied transfers that the ledger log has gone past without, by id.</summary>
    public RowStream<IdRow> UnsealedTransfers(CancellationToken cancellationToken) => Stream<IdRow>(
        """
        select t.id from transfer t left join ledger_log_leaf l on l.transfer_id = t.id
        where t.status = 0 and t.seq < (select next_seq from ledger_log) and l.transfer_id is null order by t.id
        """,
        IdRow.Parse, null, cancellationToken);

    /// <summary>The ledger log as it was last signed; null where it has not begun.</summary>
    public Task<LogRow?> LedgerLogAsync(CancellationToken cancellationToken) =>
        LogRows.FindAsync(_holder, LogDefinition.Ledger, isLocked: false, cancellationToken);

    public async ValueTask DisposeAsync() => await _holder.DisposeAsync();

    private static async Task<Dictionary<string, long>> EstimateAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select c.relname, c.reltuples::bigint from pg_class c
            where c.oid = any(array['entry', 'transfer', 'hold', 'refunded', 'card', 'ledger_log_leaf']::regclass[])
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var estimates = new Dictionary<string, long>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            estimates.Add(reader.GetString(0), reader.GetInt64(1));
        }

        return estimates;
    }

    private static async Task ExecuteAsync(
        NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private RowStream<T> Stream<T>(
        string query, ParseRow<T> parse, VerifyStage? stage, CancellationToken cancellationToken)
        where T : struct =>
        new(stop => CopyAsync(query, "", stop), parse, stage, cancellationToken);

    /// <summary>
    /// Reads the table as it lies and sorts it, although its primary key has the order: for all of a table that costs half
    /// of going back and forth along the index, even where everything is in memory, and much less where it is not.
    /// </summary>
    private RowStream<T> WholeTable<T>(
        string query, ParseRow<T> parse, VerifyStage? stage, CancellationToken cancellationToken)
        where T : struct =>
        new(stop => CopyAsync(query, "; set local enable_indexscan = off", stop), parse, stage, cancellationToken);

    private async Task<CopySource> CopyAsync(string query, string settings, CancellationToken cancellationToken)
    {
        var connection = await _dataSource.OpenConnectionAsync(cancellationToken);
        try
        {
            await ExecuteAsync(connection, "begin isolation level repeatable read read only", cancellationToken);
            await ExecuteAsync(
                connection,
                $"""
                set transaction snapshot '{_snapshot}'; set local statement_timeout = 0; set local lock_timeout = 0;
                set local idle_in_transaction_session_timeout = 0; set local jit = off;
                set local work_mem = '{WorkMemoryMegabytes}MB'{settings}
                """,
                cancellationToken);
            return new CopySource(connection, await connection.BeginRawBinaryCopyAsync(
                $"copy ({query}) to stdout (format binary)", cancellationToken));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
