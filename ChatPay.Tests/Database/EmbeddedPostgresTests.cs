using System.Diagnostics;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
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
        var version = await AskAsync(postgres.ConnectionString, "show server_version");
        Assert.StartsWith("18.", version, StringComparison.Ordinal);
        Assert.Equal("on", await AskAsync(postgres.ConnectionString, "show fsync"));
        Assert.Equal("on", await AskAsync(postgres.ConnectionString, "show synchronous_commit"));
        Assert.Equal("127.0.0.1", await AskAsync(postgres.ConnectionString, "show listen_addresses"));
        Assert.Equal("UTF8", await AskAsync(postgres.ConnectionString, "show server_encoding"));
    }

    [Fact]
    public async Task A_package_whose_links_npm_left_out_works_all_the_same()
    {
        var incomplete = Path.Combine(_folder.Path, "native");
        CopyWithoutLinks(new DirectoryInfo(PostgresBinaries.Find(null).Folder), incomplete);
        using var data = DataFolder.Hold(Path.Combine(_folder.Path, "data"));
        await using var postgres = await StartAsync(data, incomplete);
        Assert.Equal("on", await AskAsync(postgres.ConnectionString, "show fsync"));
    }

    [Fact]
    public async Task Root_in_a_private_folder_gets_a_database_that_its_user_can_reach()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            Assert.Skip("Only root on Linux has to become somebody else.");
            return;
        }

        var secluded = Directory.CreateDirectory(Path.Combine(_folder.Path, "private"));
        var mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        File.SetUnixFileMode(secluded.FullName, mode);
        var binaries = Path.Combine(secluded.FullName, "native");
        using (var copy = Process.Start("cp", ["-a", PostgresBinaries.Find(null).Folder, binaries]))
        {
            await copy.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        using var data = DataFolder.Hold(Path.Combine(secluded.FullName, "data"));
        try
        {
            await using (var postgres = await StartAsync(data, binaries))
            {
                await AskAsync(postgres.ConnectionString, "create table kept (id int); select 'done'");
            }

            await using (var again = await StartAsync(data, binaries))
            {
                Assert.Equal("0", await AskAsync(again.ConnectionString, "select count(*)::text from kept"));
            }

            Assert.Equal(mode, File.GetUnixFileMode(secluded.FullName));
        }
        finally
        {
            var home = await data.ReadSecretAsync("postgres-home", TestContext.Current.CancellationToken);
            Assert.StartsWith("/var/lib/chatpay/", home, StringComparison.Ordinal);
            Directory.Delete(home!, recursive: true);
        }
    }

    [Fact]
    public void A_folder_without_postgres_is_refused_with_one_sentence()
    {
        var refusal = Assert.Throws<StartupException>(() => PostgresBinaries.Find(_folder.Path)).Message;
        Assert.StartsWith($"There is no PostgreSQL in {_folder.Path}", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cluster_of_another_version_is_refused_and_left_alone()
    {
        var cluster = Directory.CreateDirectory(Path.Combine(_folder.Path, "postgres", "cluster")).FullName;
        await File.WriteAllTextAsync(Path.Combine(cluster, "PG_VERSION"), "17\n", TestContext.Current.CancellationToken);
        using var data = DataFolder.Hold(_folder.Path);
        var refusal = (await Assert.ThrowsAsync<StartupException>(() => StartAsync(data))).Message;
        Assert.Contains("PostgreSQL 17", refusal, StringComparison.Ordinal);
        Assert.Equal(["PG_VERSION"], Directory.EnumerateFileSystemEntries(cluster).Select(Path.GetFileName));
    }

    private static Task<EmbeddedPostgres> StartAsync(DataFolder data, string? binaries = null) =>
        EmbeddedPostgres.StartAsync(data, binaries, null, NullLogger.Instance, TestContext.Current.CancellationToken);

    private static void CopyWithoutLinks(DirectoryInfo source, string target)
    {
        Directory.CreateDirectory(target);
        foreach (var entry in source.EnumerateFileSystemInfos().Where(entry => entry.LinkTarget is null))
        {
            var path = Path.Combine(target, entry.Name);
            if (entry is DirectoryInfo folder)
            {
                CopyWithoutLinks(folder, path);
            }
            else
            {
                File.Copy(entry.FullName, path);
            }
        }
    }

    private static async Task<string?> AskAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString + ";Pooling=false");
        await using var command = source.CreateCommand(sql);
        return (string?)await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}
