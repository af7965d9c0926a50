using System.Globalization;
using System.Text;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Database;

/// <summary>The role the server works as: what it may do, how it comes to be, and that nothing leads out of it.</summary>
public sealed class ServerRoleTests(PostgresFixture postgres, ServerFixture fixture) : IClassFixture<ServerFixture>
{
    /// <summary>Rows of these are only ever added.</summary>
    private static readonly string[] s_insertOnly =
        ["entry", "transfer", "ledger_account_change", "event", "asset", "card_action"];

    private static readonly Dictionary<string, string?> s_none = new(StringComparer.Ordinal);

    private NpgsqlDataSource ServersOwn => fixture.Server.Services.GetRequiredService<NpgsqlDataSource>();

    public static TheoryData<string> Forbidden()
    {
        var attempts = new TheoryData<string>
        {
            "set session_replication_role = replica",
            "create or replace function refuse_change() returns trigger language plpgsql as 'begin return new; end'",
            "drop function refuse_change() cascade",
            "update ledger_account set guarded = false",
            "update ledger_account set owner_id = null",
            "update card set amount_minor = 1",
            "update hold set account_id = account_id",
            "update refunded set captured_minor = 1",
            "delete from ledger_account",
            "delete from hold",
            "update schema_migration set checksum = ''",
            "create table public.mine (id int)",
        };
        foreach (var table in s_insertOnly)
        {
            attempts.Add($"update {table} set created_at = now()".Replace(
                "asset set created_at = now()", "asset set exponent = 3", StringComparison.Ordinal));

            // Logs lose their beginnings where they are kept for a time only: see RetentionTests for what holds there.
            if (table != "event")
            {
                attempts.Add($"delete from {table}");
            }

            attempts.Add($"truncate {table} cascade");
            attempts.Add($"select 1 from {table} for update");
            attempts.Add($"alter table {table} disable trigger all");
            attempts.Add($"alter table {table} add column mine int");
            attempts.Add($"create trigger mine before insert on {table} execute function refuse_change()");
            attempts.Add($"create rule mine as on insert to {table} do instead nothing");
            attempts.Add($"drop table {table} cascade");
        }

        return attempts;
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task What_is_written_cannot_be_rewritten_by_the_server(string attempt)
    {
        await using var command = ServersOwn.CreateCommand(attempt);
        var refused = await Assert.ThrowsAsync<PostgresException>(
            () => command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    [Fact]
    public async Task The_server_owns_nothing_and_is_no_administrator() => Assert.Equal("0 0 0 0", await AskAsync(ServersOwn, """
        select concat_ws(' ',
            (select count(*) from pg_class where pg_has_role(current_user, relowner, 'member')),
            (select count(*) from pg_proc where pg_has_role(current_user, proowner, 'member')),
            (select count(*) from pg_namespace where pg_has_role(current_user, nspowner, 'member')),
            (select count(*) from pg_roles where rolname = current_user
                and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)))
        """));

    [Fact]
    public async Task A_connection_is_the_servers_again_after_its_pool_has_reset_it()
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(ServersOwn.ConnectionString)
        {
            Password = new NpgsqlConnectionStringBuilder(fixture.ConnectionString).Password,
            MaxPoolSize = 1,

            // "discard all" takes prepared statements away without telling the driver.
            MaxAutoPrepare = 0,
        });
        Assert.Equal("chatpay_server", await AskAsync(source, "select current_user::text"));
        await AskAsync(source, "set role chatpay");
        Assert.Equal("chatpay_server", await AskAsync(source, "select current_user::text"));
        await AskAsync(source, "discard all");
        Assert.Equal("chatpay_server", await AskAsync(source, "select current_user::text"));
    }

    [Fact]
    public async Task Every_table_is_in_the_grants() => Assert.Empty(await ForgottenAsync(fixture.DataSource));

    [Fact]
    public async Task A_table_that_a_migration_forgot_in_the_grants_is_told()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        var number = Migration.Embedded.Count + 1;
        var forgetful = Migration.FromFile(
            string.Create(CultureInfo.InvariantCulture, $"{number:0000}_forgetful"),
            Encoding.UTF8.GetBytes("create table forgotten (id int primary key)"));
        await new MigrationRunner(
            database, [.. Migration.Embedded, forgetful], NullLogger.Instance, new ServerRole(ServerRole.DefaultName))
            .RunAsync(TestContext.Current.CancellationToken);
        Assert.Equal(
            ["forgotten is not in ChatPay.Server/Database/Grants.sql: say there what the server may do with it"],
            await ForgottenAsync(database));
    }

    [Fact]
    public async Task Rights_that_somebody_changed_are_set_again_at_the_next_start()
    {
        var connectionString = await postgres.CreateDatabaseAsync();
        await using var owner = NpgsqlDataSource.Create(connectionString);
        await AskAsync(owner, "grant update, delete on entry to chatpay_server; revoke select on hold from chatpay_server");
        await using (await TestServer.StartAsync(connectionString))
        {
        }

        Assert.Equal("false true", await AskAsync(owner, """
            select concat_ws(' ', has_table_privilege('chatpay_server', 'entry', 'update, delete')::text,
                has_table_privilege('chatpay_server', 'hold', 'select')::text)
            """));
    }

    [Fact]
    public async Task A_login_of_its_own_can_never_become_the_owner()
    {
        var owner = await postgres.CreateDatabaseAsync();
        var login = await LoginAsync(owner, "app_of_its_own", "in role chatpay_server");
        await using var server = await TestServer.StartAsync(login, OwnedBy(owner));
        var own = server.Services.GetRequiredService<NpgsqlDataSource>();
        Assert.Equal("chatpay_server", await AskAsync(own, "select current_user::text"));
        foreach (var attempt in new[] { "set role chatpay", "set session authorization chatpay" })
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => AskAsync(own, attempt));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        }

        var refusedAlone = await Assert.ThrowsAsync<PostgresException>(
            () => AskAsync(own, "set role none; delete from entry"));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refusedAlone.SqlState);
    }

    [Fact]
    public async Task A_server_that_does_not_know_the_owner_works_with_what_the_owner_has_made_ready()
    {
        var ready = await postgres.CreateDatabaseAsync();
        var login = await LoginAsync(ready, "app_without_owner", "in role chatpay_server");
        await using (await TestServer.StartAsync(login))
        {
        }

        await using (var owner = NpgsqlDataSource.Create(ready))
        {
            await AskAsync(owner, "comment on table schema_migration is 'the rights of another version'");
        }

        Assert.Contains("database migrate", await RefusalAsync(login, s_none), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_alone_in_an_empty_database_is_told_to_name_the_owner()
    {
        var empty = await postgres.CreateEmptyDatabaseAsync();
        var login = await LoginAsync(empty, "app_alone", "");
        const string Told = "owner in Database:OwnerConnectionString.";
        Assert.EndsWith(Told, await RefusalAsync(login, s_none), StringComparison.Ordinal);
        await postgres.AdministerAsync(empty, "grant create on schema public to app_alone");
        Assert.Contains(
            "must own nothing",
            await RefusalAsync(login, new(StringComparer.Ordinal) { ["Database:ServerRole"] = "app_alone" }),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_login_that_is_no_member_is_told_what_an_administrator_runs()
    {
        var owner = await postgres.CreateDatabaseAsync();
        var login = await LoginAsync(owner, "app_stranger", "");
        Assert.EndsWith(
            "grant \"chatpay_server\" to \"app_stranger\"", await RefusalAsync(login, OwnedBy(owner)),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_owner_who_may_not_make_roles_is_told_what_an_administrator_runs()
    {
        var database = await postgres.CreateEmptyDatabaseAsync();
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal) { ["Database:ServerRole"] = "not_made_yet" };
        var refusal = await RefusalAsync(database, settings);
        const string Statements = "create role \"not_made_yet\" nologin; grant \"not_made_yet\" to \"chatpay\"";
        Assert.EndsWith(Statements, refusal, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal);

        await postgres.AdministerAsync(database, Statements);
        await using var server = await TestServer.StartAsync(database, settings);
        var own = server.Services.GetRequiredService<NpgsqlDataSource>();
        Assert.Equal("not_made_yet", await AskAsync(own, "select current_user::text"));
    }

    [Fact]
    public async Task Nodes_of_several_databases_that_start_at_once_make_the_role_once()
    {
        var databases = new List<string>();
        for (var index = 0; index < 4; index++)
        {
            var plain = await postgres.CreateEmptyDatabaseAsync();
            if (index == 0)
            {
                await postgres.AdministerAsync(plain, "create role maker login createrole password 'secret'");
            }

            var name = new NpgsqlConnectionStringBuilder(plain).Database;
            await postgres.AdministerAsync(plain, $"alter database {name} owner to maker; alter schema public owner to maker");
            databases.Add(new NpgsqlConnectionStringBuilder(plain) { Username = "maker", Password = "secret" }.ConnectionString);
        }

        var settings = new Dictionary<string, string?>(StringComparer.Ordinal) { ["Database:ServerRole"] = "made_once" };
        var nodes = await Task.WhenAll(databases.Concat(databases).Select(
            database => TestServer.StartAsync(database, settings)));
        foreach (var node in nodes)
        {
            var own = node.Services.GetRequiredService<NpgsqlDataSource>();
            Assert.Equal("made_once 0", await AskAsync(own, "select current_user || ' ' || count(*) from entry"));
            await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task An_embedded_cluster_from_before_the_role_gets_it()
    {
        using var folder = new TemporaryFolder();
        using var data = DataFolder.Hold(folder.Path);
        var stop = TestContext.Current.CancellationToken;
        await using (var before = await EmbeddedPostgres.StartAsync(data, null, null, NullLogger.Instance, stop))
        {
            await using var superuser = NpgsqlDataSource.Create(before.SuperuserConnectionString + ";Pooling=false");
            await AskAsync(superuser, "drop role chatpay_server");
        }

        await using var after = await EmbeddedPostgres.StartAsync(data, null, null, NullLogger.Instance, stop);
        var login = EmbeddedPostgres.ServerLoginOf(after.ConnectionString) + ";Pooling=false";
        await using var server = await TestServer.StartAsync(login, OwnedBy(after.ConnectionString));
        var own = server.Services.GetRequiredService<NpgsqlDataSource>();
        Assert.Equal("chatpay_server", await AskAsync(own, "select session_user::text"));
    }

    private static Dictionary<string, string?> OwnedBy(string owner) =>
        new(StringComparer.Ordinal) { ["Database:OwnerConnectionString"] = owner };

    private static async Task<string> RefusalAsync(string connectionString, Dictionary<string, string?> settings) =>
        (await Assert.ThrowsAsync<StartupException>(() => TestServer.StartAsync(connectionString, settings))).Message;

    private static async Task<string?> AskAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken) as string;
    }

    /// <summary>Tables that the server may not even read: whoever made them has not said what it may do.</summary>
    private static async Task<List<string>> ForgottenAsync(NpgsqlDataSource owner)
    {
        await using var command = owner.CreateCommand("""
            select c.relname from pg_class c
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
                and not has_table_privilege('chatpay_server', c.oid, 'select')
            order by 1
            """);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var forgotten = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            forgotten.Add(reader.GetString(0)
                + " is not in ChatPay.Server/Database/Grants.sql: say there what the server may do with it");
        }

        return forgotten;
    }

    /// <summary>A login that an administrator makes, as a connection string to the same database.</summary>
    private async Task<string> LoginAsync(string database, string name, string membership)
    {
        await postgres.AdministerAsync(database, $"create role {name} login password 'secret' {membership}");
        return new NpgsqlConnectionStringBuilder(database) { Username = name, Password = "secret" }.ConnectionString;
    }
}
