using System.Diagnostics;
using System.Globalization;
using ChatPay.Server.Database;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Database;

/// <summary>The program on its embedded PostgreSQL, ended in every way there is and started again.</summary>
public sealed class RestartTests : IAsyncLifetime
{
    private readonly ServerProcess _server = new();

    public async ValueTask InitializeAsync() => await _server.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_stop_ends_server_and_database_and_keeps_the_data()
    {
        await WriteAsync("kept");
        var postmaster = _server.PostmasterId()!.Value;
        Assert.Equal(0, await _server.StopAsync());
        Assert.Null(_server.PostmasterId());
        Assert.False(IsRunning(postmaster));
        await _server.StartAsync();
        Assert.Equal(["kept"], await ReadAsync());
    }

    [Fact]
    public async Task After_kill_9_of_the_server_the_next_start_takes_over_its_database()
    {
        await WriteAsync("kept");
        var postmaster = _server.PostmasterId()!.Value;
        await _server.KillAsync();
        Assert.True(IsRunning(postmaster));
        await _server.StartAsync();
        Assert.False(IsRunning(postmaster));
        Assert.Equal(["kept"], await ReadAsync());
    }

    [Fact]
    public async Task After_kill_9_of_both_the_next_start_recovers()
    {
        await WriteAsync("kept");
        await _server.KillWithDatabaseAsync();
        Assert.NotNull(_server.PostmasterId());
        await _server.StartAsync();
        Assert.Equal(["kept"], await ReadAsync());
    }

    [Fact]
    public async Task A_database_that_is_killed_under_the_server_comes_back()
    {
        await WriteAsync("kept");
        var postmaster = _server.PostmasterId()!.Value;
        using (var process = Process.GetProcessById(postmaster))
        {
            process.Kill();
        }

        using var http = new HttpClient { BaseAddress = _server.Address };
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        while (_server.PostmasterId() is not { } now || now == postmaster || !await IsReadyAsync(http, deadline.Token))
        {
            await Task.Delay(100, deadline.Token);
        }

        Assert.Equal(["kept"], await ReadAsync());
        Assert.Equal(0, await _server.StopAsync());
        Assert.Null(_server.PostmasterId());
    }

    [Fact]
    public async Task A_stale_process_file_that_names_a_living_stranger_blocks_nobody()
    {
        await _server.KillWithDatabaseAsync();
        var cluster = Path.Combine(_server.DataFolder, "postgres", "cluster");

        // One of PostgreSQL's own user: of others it knows that they cannot be a PostgreSQL of this cluster.
        var user = await UnprivilegedUser.FindAsync(cluster, TestContext.Current.CancellationToken);
        string[] command = [.. user?.Prefix ?? [], "sleep", "600"];
        using var stranger = Process.Start(command[0], command[1..]);
        var file = PostmasterFile.PathIn(cluster);
        var lines = await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken);
        lines[0] = stranger.Id.ToString(CultureInfo.InvariantCulture);
        await File.WriteAllLinesAsync(file, lines, TestContext.Current.CancellationToken);
        try
        {
            await _server.StartAsync();
            Assert.Empty(await ReadAsync());
            Assert.False(stranger.HasExited);
        }
        finally
        {
            stranger.Kill();
        }
    }

    [Fact]
    public async Task A_second_server_on_the_data_folder_refuses_and_the_first_serves_on()
    {
        var (exitCode, output) = await _server.RunAsync("serve", "--port", "0");
        Assert.Equal(1, exitCode);
        Assert.StartsWith("Another ChatPay server (process ", output, StringComparison.Ordinal);
        Assert.Single(output.TrimEnd().Split('\n'));
        using var http = new HttpClient { BaseAddress = _server.Address };
        Assert.Equal(
            """{"status":"ready"}""",
            await http.GetStringAsync(new Uri("/health/ready", UriKind.Relative), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_command_works_beside_the_running_server_and_without_it()
    {
        Assert.Equal(0, (await _server.RunAsync("database", "migrate")).ExitCode);
        Assert.NotNull(_server.PostmasterId());
        await _server.StopAsync();
        Assert.Equal(0, (await _server.RunAsync("database", "migrate")).ExitCode);
        Assert.Null(_server.PostmasterId());
    }

    private static async Task<bool> IsReadyAsync(HttpClient http, CancellationToken cancellationToken)
    {
        using var reply = await http.GetAsync(new Uri("/health/ready", UriKind.Relative), cancellationToken);
        return reply.IsSuccessStatusCode;
    }

    private static bool IsRunning(int process)
    {
        try
        {
            // A container without an init process leaves the dead as zombies: they have no command line any more.
            using var found = Process.GetProcessById(process);
            return File.ReadAllText($"/proc/{process}/cmdline").Length > 0;
        }
        catch (Exception gone) when (gone is ArgumentException or IOException)
        {
            return false;
        }
    }

    private async Task<NpgsqlDataSource> OpenAsync()
    {
        using var folder = DataFolder.TryHold(_server.DataFolder);
        var connectionString = await EmbeddedPostgres.FindRunningAsync(folder, TestContext.Current.CancellationToken);
        return NpgsqlDataSource.Create(connectionString + ";Pooling=false");
    }

    private async Task WriteAsync(string value)
    {
        await using var database = await OpenAsync();
        await using var command = database.CreateCommand(
            "create table if not exists note (value text); insert into note values ('" + value + "')");
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private async Task<List<string>> ReadAsync()
    {
        await using var database = await OpenAsync();
        await using var command = database.CreateCommand(
            "create table if not exists note (value text); select value from note");
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var values = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            values.Add(reader.GetString(0));
        }

        return values;
    }
}
