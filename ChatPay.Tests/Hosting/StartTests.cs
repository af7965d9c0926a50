using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Hosting;

/// <summary>What a person who makes a mistake is told: one sentence, and no stack trace.</summary>
public sealed class StartTests
{
    [Theory]
    [InlineData("Hosting__ShutdownTimeoutSeconds", "abc", "Hosting:ShutdownTimeoutSeconds")]
    [InlineData("Hosting__ShutdownTimeoutSeconds", "0", "ShutdownTimeoutSeconds")]
    [InlineData("Hosting__NoSuchKey", "1", "NoSuchKey")]
    [InlineData("Hosting__SecretsFolder", "/no/such/folder", "/no/such/folder")]
    [InlineData("Telemetry__OtlpEndpoint", "localhost", "Telemetry:OtlpEndpoint is no address")]
    [InlineData("Database__ConnectionString", "secret-nonsense", "Database:ConnectionString is not one")]
    [InlineData("Database__ConnectionString", "Host=127.0.0.1;Port=1;Username=x", "cannot be reached")]
    public async Task A_wrong_setting_is_named(string name, string value, string told)
    {
        // A database of one's own that is not there, so that none is started.
        await using var server = new ServerProcess(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Database__ConnectionString"] = "Host=127.0.0.1;Port=1;Username=x",
            [name] = value,
        });

        AssertOneSentence(await server.RunAsync("serve", "--port", "0"), told);
    }

    [Theory]
    [InlineData("--port", "99999", "is no address to listen on")]
    [InlineData("--urls", "foo://bar", "is no address to listen on")]
    [InlineData("--urls", "nonsense", "is no address to listen on")]
    [InlineData("--urls", "http://192.0.2.1:5080", "does not have the address")]
    public async Task A_wrong_address_is_named(string option, string value, string told)
    {
        await using var server = WithoutDatabase();
        AssertOneSentence(await server.RunAsync("serve", option, value), told);
    }

    [Fact]
    public async Task A_busy_port_is_named()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        await using var server = WithoutDatabase();

        AssertOneSentence(await server.RunAsync("serve", "--port", port), "choose another port with --port");
    }

    [Fact]
    public async Task A_broken_configuration_file_is_named()
    {
        await using var server = WithoutDatabase();
        Directory.CreateDirectory(server.DataFolder);
        var file = Path.Combine(Path.GetDirectoryName(server.DataFolder)!, "appsettings.json");
        await File.WriteAllTextAsync(file, "{ \"Hosting\": {", TestContext.Current.CancellationToken);

        AssertOneSentence(await server.RunAsync("serve"), file);
    }

    [Fact]
    public async Task A_secret_in_a_file_wins_over_the_environment()
    {
        using var secrets = new TemporaryFolder();
        await File.WriteAllTextAsync(
            Path.Combine(secrets.Path, "Database__ConnectionString"), "Host=127.0.0.1;Port=2;Username=x\n",
            TestContext.Current.CancellationToken);
        await using var server = new ServerProcess(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Database__ConnectionString"] = "Host=127.0.0.1;Port=1;Username=x",
            ["Hosting__SecretsFolder"] = secrets.Path,
        });

        AssertOneSentence(await server.RunAsync("serve", "--port", "0"), "127.0.0.1:2");
    }

    private static ServerProcess WithoutDatabase() => new(new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Database__ConnectionString"] = "Host=127.0.0.1;Port=1;Username=x",
    });

    private static void AssertOneSentence((int ExitCode, string Output) run, string told)
    {
        Assert.Equal(1, run.ExitCode);
        var lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.Contains(" warn: ", StringComparison.Ordinal)).ToArray();
        Assert.Contains(told, Assert.Single(lines), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", run.Output, StringComparison.Ordinal);
    }
}
