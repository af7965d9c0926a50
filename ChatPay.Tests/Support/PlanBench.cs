using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>
/// A database as it is after years: 100,000 conversations, one of them with a very long log, one account that is in a
/// tenth of them. What a store asks is prepared by the driver as in production, and its plan read with what it touched:
/// nothing here measures time.
/// </summary>
public sealed class PlanBench(PostgresFixture postgres) : IAsyncLifetime
{
    public const int Conversations = 100_000;

    /// <summary>Conversations 1 to this are <see cref="Hero"/>'s.</summary>
    public const int HeroConversations = 10_000;

    /// <summary>In the long log a commit stands at every this many events.</summary>
    public const int EventsPerEpoch = 1000;

    /// <summary>Members of the conversation with the long log: accounts 0, the hero, to this many.</summary>
    public const int LongMembers = 200;

    private const int Accounts = 2000;

    private NpgsqlDataSource? _dataSource;

    /// <summary>Events of the long log; set <c>CHATPAY_PLAN_EVENTS</c> to 1000000 for the whole million.</summary>
    public static int LongEvents { get; } = int.Parse(
        Environment.GetEnvironmentVariable("CHATPAY_PLAN_EVENTS") ?? "150000", CultureInfo.InvariantCulture);

    public static AccountId Hero => Account(0);

    /// <summary>The one with the long log.</summary>
    public static ConversationId Long => Conversation(0);

    /// <summary>One connection, so that what a store has prepared on it can be asked for.</summary>
    public NpgsqlDataSource DataSource => _dataSource!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static AccountId Account(int index) => new(Id('a', index));

    public static DeviceId Device(int index) => new(Id('d', index));

    public static ConversationId Conversation(int index) => new(Id('c', index));

    /// <summary>What the event of the long log at a seq was sent under.</summary>
    public static ClientMessageId ClientId(long seq) => new(Id('e', seq));

    public async ValueTask InitializeAsync()
    {
        var database = await postgres.CreateDatabaseAsync();
        await postgres.AdministerAsync(database, Filling());
        await postgres.AdministerAsync(database, "vacuum analyze");

        // Of these there are no statistics, as on a server that has just begun.
        await postgres.AdministerAsync(
            database,
            """
            alter table session set (autovacuum_enabled = false);
            insert into session (token_hash, device_id, expires_at)
            select sha256(signature_key), id, now() + interval '1 day' from device
            """);
        _dataSource = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database)
        {
            MaxPoolSize = 1,
            MaxAutoPrepare = 200,
            AutoPrepareMinUsages = 2,

            // What PostgreSQL assumes unless told otherwise, and worse for indexes than what the embedded one is told.
            Options = $"-c random_page_cost=4 {DatabaseFeature.PlannerOptions}",
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_dataSource is not null)
        {
            await _dataSource.DisposeAsync();
        }
    }

    /// <summary>Of the session's token of a device.</summary>
    public static byte[] TokenHash(int index) =>
        SHA256.HashData(SHA256.HashData(Encoding.ASCII.GetBytes(index.ToString(CultureInfo.InvariantCulture))));

    /// <summary>The plan that any later call gets, whatever its values, with what it touches for these.</summary>
    /// <param name="call">What a store does; it is done twice, after which the driver has prepared it.</param>
    /// <param name="fragment">Of the statement that is meant, and of no other.</param>
    internal Task<Plan> GenericAsync(Func<Task> call, string fragment, params object[] values) =>
        ExplainAsync(call, fragment, values, "force_generic_plan");

    /// <summary>The plan made for these very values, as the first calls on a connection get it.</summary>
    internal Task<Plan> CustomAsync(Func<Task> call, string fragment, params object[] values) =>
        ExplainAsync(call, fragment, values, "force_custom_plan");

    private async Task<Plan> ExplainAsync(Func<Task> call, string fragment, object[] values, string mode)
    {
        // On a connection of its own: what other tests had prepared holds the same words.
        DataSource.Clear();
        await call();
        await call();
        await using var connection = await DataSource.OpenConnectionAsync(Cancellation);
        var name = await PreparedAsync(connection, fragment);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using var set = new NpgsqlCommand($"set local plan_cache_mode = {mode}", connection);
        await set.ExecuteNonQueryAsync(Cancellation);
        var arguments = values.Length == 0 ? "" : $"({string.Join(", ", values.Select(Literal))})";
        await using var explain = new NpgsqlCommand(
            $"explain (analyze, buffers, format json) execute {name}{arguments}", connection);
        var plan = Plan.Parse((string)(await explain.ExecuteScalarAsync(Cancellation))!);

        // What it wrote is undone.
        await transaction.RollbackAsync(Cancellation);
        return plan;
    }

    private static async Task<string> PreparedAsync(NpgsqlConnection connection, string fragment)
    {
        await using var command = new NpgsqlCommand(
            "select name from pg_prepared_statements where position($1 in statement) > 0 and name <> ''", connection);
        command.Add(fragment);
        var names = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        while (await reader.ReadAsync(Cancellation))
        {
            names.Add(reader.GetString(0));
        }

        return Assert.Single(names);
    }

    private static string Literal(object value) => value switch
    {
        Guid id => $"'{id}'::uuid",
        Guid[] ids => $"'{{{string.Join(',', ids)}}}'::uuid[]",
        byte[][] hashes =>
            $"array[{string.Join(',', hashes.Select(hash => $"'\\x{Convert.ToHexString(hash)}'::bytea"))}]",
        long[] numbers => FormattableString.Invariant($"'{{{string.Join(',', numbers)}}}'::bigint[]"),
        DateTimeOffset[] times => $"'{{{string.Join(',', times.Select(time => time.ToString("O")))}}}'::timestamptz[]",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static Guid Id(char kind, long index) => Guid.Parse($"00000000-0000-7000-{kind}000-{index:x12}");

    private static string Filling() =>
        $"""
        set session_replication_role = replica;
        create function pg_temp.id(kind text, i bigint) returns uuid language sql immutable as
            $$ select ('00000000-0000-7000-' || kind || '000-' || lpad(to_hex(i), 12, '0'))::uuid $$;
        insert into account (id, handle, skeleton, display_name, password_hash)
        select pg_temp.id('a', i), 'person' || i, 'person' || i, 'Person', '' from generate_series(0, {Accounts}) i;
        insert into device (id, account_id, name, signature_key)
        select pg_temp.id('d', i), pg_temp.id('a', i), 'Device', sha256(i::text::bytea)
        from generate_series(0, {Accounts}) i;
        insert into conversation (id, kind, head, epoch, retention_days, oldest_at)
        select pg_temp.id('c', i), 2, 2, 1, (array[0, 0, 0, 0, 7, 30, 365])[i % 7 + 1], now() - i * interval '1 minute'
        from generate_series(1, {Conversations}) i;
        insert into conversation (id, kind, head, epoch, retention_days)
        values (pg_temp.id('c', 0), 2, {LongEvents}, {LongEvents} / {EventsPerEpoch}, 0);
        insert into member (conversation_id, account_id, role, joined_seq)
        select pg_temp.id('c', i), pg_temp.id('a', i % {Accounts} + 1), 2, 1 from generate_series(1, {Conversations}) i
        union all
        select pg_temp.id('c', i), pg_temp.id('a', (i + 999) % {Accounts} + 1), 1, 1
        from generate_series(1, {Conversations}) i
        union all
        select pg_temp.id('c', i), pg_temp.id('a', 0), 1, 1 from generate_series(1, {HeroConversations}) i
        union all
        select pg_temp.id('c', 0), pg_temp.id('a', i), 1, 1 from generate_series(0, {LongMembers}) i;
        insert into leaf (conversation_id, leaf_index, device_id, account_id, added_seq)
        select conversation_id, row_number() over (partition by conversation_id order by account_id),
            pg_temp.id('d', ('x' || right(account_id::text, 8))::bit(32)::int), account_id, 1
        from member;
        insert into receipt (conversation_id, device_id, account_id, delivered, read)
        select conversation_id, device_id, account_id, 1, 1 from leaf;
        insert into event (conversation_id, seq, kind, account_id, device_id, client_id, epoch, body, created_at)
        select pg_temp.id('c', i), seq, 3 - seq, pg_temp.id('a', i % {Accounts} + 1), pg_temp.id('d', i % {Accounts} + 1),
            gen_random_uuid(), seq - 1, sha256(i::text::bytea), now() - i * interval '1 minute'
        from generate_series(1, {Conversations}) i, generate_series(1, 2) seq;
        insert into event (conversation_id, seq, kind, account_id, device_id, client_id, epoch, body, created_at)
        select pg_temp.id('c', 0), seq, case when seq % {EventsPerEpoch} = 1 then 2 else 1 end,
            pg_temp.id('a', seq % {LongMembers}), pg_temp.id('d', seq % {LongMembers}), pg_temp.id('e', seq),
            (seq - 1 + {EventsPerEpoch - 1}) / {EventsPerEpoch}, decode(repeat(md5(seq::text), 10), 'hex'),
            now() - ({LongEvents} - seq) * interval '10 seconds'
        from generate_series(1, {LongEvents}) seq;
        insert into device_message (id, device_id, kind, conversation_id, seq, body)
        select gen_random_uuid(), pg_temp.id('d', i % {Accounts}), 1, pg_temp.id('c', i), 1, sha256(i::text::bytea)
        from generate_series(1, 20000) i;
        """;
}

/// <summary>What an <c>explain (analyze, buffers)</c> says.</summary>
/// <param name="Scans">The indexes gone through, and the tables gone through without one.</param>
/// <param name="Buffers">Pages looked at, in memory or not.</param>
/// <param name="Rows">Rows that scans have returned or thrown away, over all loops.</param>
internal sealed record Plan(IReadOnlyList<string> Scans, long Buffers, double Rows, string Text)
{
    public static Plan Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement[0].GetProperty("Plan");
        var scans = new List<string>();
        double rows = 0;
        Visit(root);
        return new(
            [.. scans.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            root.GetProperty("Shared Hit Blocks").GetInt64() + root.GetProperty("Shared Read Blocks").GetInt64(), rows, json);

        void Visit(JsonElement node)
        {
            var table = Text(node, "Relation Name");
            if (Text(node, "Index Name") is { } index)
            {
                scans.Add(index);
            }
            else if (table is not null && node.GetProperty("Node Type").GetString() == "Seq Scan")
            {
                scans.Add($"all of {table}");
            }

            if (table is not null || Text(node, "Index Name") is not null)
            {
                rows += Number(node, "Actual Loops") * (Number(node, "Actual Rows")
                    + Number(node, "Rows Removed by Filter") + Number(node, "Rows Removed by Index Recheck"));
            }

            if (node.TryGetProperty("Plans", out var children))
            {
                foreach (var child in children.EnumerateArray())
                {
                    Visit(child);
                }
            }
        }

        static string? Text(JsonElement node, string property) =>
            node.TryGetProperty(property, out var value) ? value.GetString() : null;

        static double Number(JsonElement node, string property) =>
            node.TryGetProperty(property, out var value) ? value.GetDouble() : 0;
    }

    /// <summary>Goes through no other indexes and no whole table, and touches no more than that.</summary>
    public void ShouldUse(string indexes, double rows, long buffers) => Assert.True(
        Scans.All(indexes.Split(' ').Contains) && Rows <= rows && Buffers <= buffers,
        $"Uses {string.Join(' ', Scans)}, {Rows} rows, {Buffers} buffers; "
        + $"expected {indexes}, {rows} rows, {buffers} buffers.\n{Text}");
}
