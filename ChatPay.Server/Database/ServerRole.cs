using System.Security.Cryptography;
using System.Text;
using ChatPay.Server.Hosting;
using Npgsql;

namespace ChatPay.Server.Database;

/// <summary>
/// The role that the server works as. It owns nothing and may do what <c>Grants.sql</c> says and no more, so a mistake in the
/// server, or whoever speaks through one, cannot rewrite what is only ever added to. The tables belong to somebody else,
/// as whom only migrations run.
/// </summary>
internal sealed class ServerRole
{
    public const string DefaultName = "chatpay_server";

    /// <summary>An identifier that needs no escaping, and none of the words that PostgreSQL reserves among roles.</summary>
    public const string NamePattern = "^(?!pg_|none$|public$)[a-z_][a-z0-9_]{0,62}$";

    /// <summary>Roles belong to the whole cluster: databases that are set up at the same moment meet there.</summary>
    private const int Attempts = 10;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);

    private readonly string _name;
    private readonly string _grants;
    private readonly string _mark;

    /// <param name="name">As <see cref="NamePattern"/> says.</param>
    /// <param name="grants">As <see cref="DatabaseSchema.Grants"/> says; null for the server's own tables.</param>
    public ServerRole(string name, string? grants = null)
    {
        _name = name;
        _grants = (grants ?? DatabaseSchema.Main.Grants).Replace(DefaultName, Quoted, StringComparison.Ordinal);
        _mark = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(_grants)));
    }

    private string Quoted => $"\"{_name}\"";

    /// <summary>The same connections, but as this role from their first moment and again after every reset.</summary>
    public NpgsqlConnectionStringBuilder Assume(NpgsqlConnectionStringBuilder connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return new NpgsqlConnectionStringBuilder(connection.ConnectionString)
        {
            Options = $"{connection.Options} -c role={_name}".TrimStart(),
        };
    }

    /// <summary>Before anything is made: it would belong to whoever makes it.</summary>
    /// <exception cref="StartupException">That is this role.</exception>
    public void RefuseAsOwner(string? user)
    {
        if (user == _name)
        {
            throw new StartupException($"Migrations would run as {_name}, which must own nothing; name the owner of the "
                + "database in Database:OwnerConnectionString.");
        }
    }

    /// <summary>
    /// Makes sure, as the owner and under the migrations' lock, that the role exists and has the rights it should have.
    /// </summary>
    /// <param name="forOwnLogin">Whether the server logs in as the owner does, and takes this role after that.</param>
    /// <exception cref="StartupException">The owner may not make roles; an administrator has to.</exception>
    public async Task EnsureAsync(NpgsqlConnection owner, bool forOwnLogin, CancellationToken cancellationToken)
    {
        await CreateAsync(owner, forOwnLogin, cancellationToken);
        if (await ReadMarkAsync(owner, cancellationToken) == await StateAsync(owner, cancellationToken))
        {
            return;
        }

        await using var transaction = await owner.BeginTransactionAsync(cancellationToken);
        await ScalarAsync(owner, _grants, cancellationToken);
        var state = await StateAsync(owner, cancellationToken);
        await ScalarAsync(owner, $"comment on table schema_migration is '{state}'", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>For a server that does not know the owner: refuses rights that are not this build's.</summary>
    /// <exception cref="StartupException">They are not.</exception>
    public async Task RequireGrantedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var mark = await ReadMarkAsync(connection, cancellationToken);
        if (mark is null || !mark.StartsWith(_mark, StringComparison.Ordinal))
        {
            throw new StartupException($"The role {_name} has other rights than this version of ChatPay needs; run the command "
                + "database migrate as the owner of the database.");
        }
    }

    /// <summary>What to tell a person whose server cannot take the role; null if that is not what went wrong.</summary>
    public string? Explain(PostgresException failure, string? user)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return failure.SqlState switch
        {
            PostgresErrorCodes.InvalidParameterValue =>
                $"The database has no role {_name} yet; start the server, or run the command: database migrate",
            PostgresErrorCodes.InsufficientPrivilege =>
                $"The database user {user} may not work as {_name}; let an administrator of the database run: "
                + $"grant {Quoted} to \"{user}\"",
            _ => null,
        };
    }

    private static async Task<object?> ScalarAsync(
        NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        return await command.ExecuteScalarAsync(cancellationToken);
    }

    private static async Task<string?> ReadMarkAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await ScalarAsync(connection, "select obj_description('schema_migration'::regclass)", cancellationToken) as string;

    private async Task CreateAsync(NpgsqlConnection owner, bool forOwnLogin, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (await ScalarAsync(
                    owner, $"select exists (select from pg_roles where rolname = '{_name}')", cancellationToken) is false)
                {
                    await ScalarAsync(owner, $"create role {Quoted} nologin", cancellationToken);
                }

                // Before version 16, whoever was a member could take the role.
                var right = owner.PostgreSqlVersion.Major >= 16 ? "set" : "member";
                if (forOwnLogin && await ScalarAsync(
                    owner, $"select pg_has_role(current_user, '{_name}', '{right}')", cancellationToken) is false)
                {
                    await ScalarAsync(owner, $"grant {Quoted} to current_user", cancellationToken);
                }

                return;
            }
            catch (PostgresException failure) when (attempt < Attempts && IsRace(failure))
            {
                await Task.Delay(RetryDelay, cancellationToken);
            }
            catch (PostgresException failure) when (failure.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                // Going on with the owner's rights would break the promise without anybody noticing.
                var user = await ScalarAsync(owner, "select current_user::text", cancellationToken);
                throw new StartupException(
                    $"The server works as the role {_name}, which the database user {user} may not make; let an "
                    + $"administrator of the database run, where it is still missing: create role {Quoted} nologin; "
                    + $"grant {Quoted} to \"{user}\"",
                    failure);
            }
        }
    }

    /// <summary>Another database's owner was quicker, or is changing the same row of the shared catalogue.</summary>
    private static bool IsRace(PostgresException failure) => failure.SqlState is PostgresErrorCodes.DuplicateObject
        or PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.InternalError;

    /// <summary>
    /// The rights as they should be and as they are: rights that a dump left behind or that somebody changed by hand are
    /// noticed and set again.
    /// </summary>
    private async Task<string> StateAsync(NpgsqlConnection owner, CancellationToken cancellationToken)
    {
        var rights = (string?)await ScalarAsync(
            owner,
            """
            select md5(string_agg(concat_ws(' ', c.relname, a.attname, coalesce(a.attacl, c.relacl)::text), ','
                order by c.relname, a.attnum))
            from pg_class c
            left join pg_attribute a on a.attrelid = c.oid and a.attacl is not null
            where c.relnamespace = (select relnamespace from pg_class where oid = 'schema_migration'::regclass)
                and c.relkind in ('r', 'p', 'v', 'm', 'S') and pg_has_role(c.relowner, 'usage')
            """,
            cancellationToken);
        return $"{_mark} {rights}";
    }
}
