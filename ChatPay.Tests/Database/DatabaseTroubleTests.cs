using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Database;

/// <summary>A database that is away, restarts or fails over: callers are told to try again, and the primary is found.</summary>
public sealed class DatabaseTroubleTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(PostgresErrorCodes.AdminShutdown)]
    [InlineData(PostgresErrorCodes.CrashShutdown)]
    [InlineData(PostgresErrorCodes.CannotConnectNow)]
    [InlineData(PostgresErrorCodes.TooManyConnections)]
    [InlineData(PostgresErrorCodes.ReadOnlySqlTransaction)]
    [InlineData(PostgresErrorCodes.InvalidSqlStatementName)]
    public void Trouble_that_passes_is_answered_with_an_error_that_may_be_retried(string state)
    {
        var error = ErrorEdge.OfException(new PostgresException("no", "ERROR", "ERROR", state));
        Assert.Equal((ErrorCode.Unavailable, true), (error.Code, error.Retryable));
    }

    /// <summary>What the driver says of several hosts none of which is a primary just now.</summary>
    [Fact]
    public void A_database_without_a_primary_is_trouble_that_passes() =>
        Assert.Equal(ErrorCode.Unavailable, ErrorEdge.OfException(new NpgsqlException("No suitable host was found.")).Code);

    [Fact]
    public void A_statement_that_is_wrong_is_no_trouble_that_passes() => Assert.Equal(
        ErrorCode.Internal,
        ErrorEdge.OfException(new PostgresException("no", "ERROR", "ERROR", PostgresErrorCodes.SyntaxError)).Code);

    [Fact]
    public async Task Of_several_hosts_the_one_that_is_a_primary_is_used()
    {
        var one = new NpgsqlConnectionStringBuilder(await postgres.CreateDatabaseAsync());
        var several = new NpgsqlConnectionStringBuilder(one.ConnectionString)
        {
            Host = $"127.0.0.1:9,{one.Host}:{one.Port}",
            TargetSessionAttributes = "primary",
            Pooling = false,
        };
        await using var source = PrimarySource.Create(several);
        await using var command = source.CreateCommand("select pg_is_in_recovery()");
        Assert.False((bool)(await command.ExecuteScalarAsync(Cancellation))!);
    }

    /// <summary>As the driver's connections are after a statement was broken off at a bad moment.</summary>
    [Fact]
    public async Task Connections_whose_statements_are_in_disorder_are_given_up_whoever_notices()
    {
        const int Connections = 6;
        const int Calls = 60;
        await using var server = await TestServer.StartAsync(
            await postgres.CreateDatabaseAsync(),
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["Database:MaxPoolSize"] = "6" });
        await using var ada = await Person.JoinAsync(server.Address);
        for (var call = 0; call < Calls; call++)
        {
            await ada.Client.ConversationsAsync(Cancellation);
        }

        var pool = server.Services.GetRequiredService<NpgsqlDataSource>();
        var all = new List<NpgsqlConnection>();
        for (var i = 0; i < Connections; i++)
        {
            all.Add(await pool.OpenConnectionAsync(Cancellation));
            await using var forget = new NpgsqlCommand("deallocate all", all[^1]);
            await forget.ExecuteNonQueryAsync(Cancellation);
        }

        foreach (var connection in all)
        {
            await connection.DisposeAsync();
        }

        var refused = 0;
        for (var call = 0; call < Calls; call++)
        {
            try
            {
                await ada.Client.ConversationsAsync(Cancellation);
            }
            catch (ChatPayException again) when (again.Retryable)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 0, Connections);
    }
}
