using ChatPay.Server.Database;
using ChatPay.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Database;

/// <summary>The PostgreSQL that a server without a connection string starts for itself.</summary>
public sealed class EmbeddedPostgresTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_is_postgres_18_that_writes_before_it_answers()
    {
        using var data = DataFolder.Hold(_folder.Path);
        await using var postgres = await StartAsync(data);
        Assert.StartsWith("18.", await AskAsync(postgres.ConnectionString, "show server_version"), StringComparison.Ordinal);
        Assert.Equal("on", await AskAsync(postgres.ConnectionString, "show fsync"));
        Assert.Equal("on", await AskAsync(postgres.ConnectionString, "show synchronous_commit"));
        Assert.Equal("127.0.0.1", await AskAsync(postgres.ConnectionString, "show listen_addresses"));
        Assert.Equal("UTF8", await AskAsync(postgres.ConnectionString, "show server_encoding"));
    }

    private static Task<EmbeddedPostgres> StartAsync(DataFolder data) =>
        EmbeddedPostgres.StartAsync(data, null, null, NullLogger.Instance, TestContext.Current.CancellationToken);

    private static async Task<string?> AskAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString + ";Pooling=false");
        await using var command = source.CreateCommand(sql);
        return (string?)await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}
