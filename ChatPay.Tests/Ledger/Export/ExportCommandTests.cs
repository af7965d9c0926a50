using System.Xml.Linq;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary><c>ledger export</c> as an operator runs it.</summary>
public sealed class ExportCommandTests : IAsyncLifetime
{
    private readonly ServerProcess _server = new();
    private readonly TemporaryFolder _folder = new();

    public async ValueTask InitializeAsync() => await _server.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Export_writes_a_file_or_says_what_is_wrong_and_leaves_none()
    {
        string handle;
        await using (var ada = await Person.SignUpAsync(_server.Address))
        {
            handle = ada.Client.Account!.Handle;
        }

        var file = Path.Combine(_folder.Path, "statement.xml");
        var (exitCode, output) = await RunAsync(handle, "camt053", file);
        Assert.True(exitCode == 0, output);
        Assert.Contains($"Wrote 1 entries to {file}", output, StringComparison.Ordinal);
        await using (var written = File.OpenRead(file))
        {
            Assert.Empty(CamtGrammar.Check(
                await XDocument.LoadAsync(written, LoadOptions.None, TestContext.Current.CancellationToken)));
        }

        (exitCode, output) = await RunAsync("nobody_here", "csv", file + "2");
        Assert.Equal(1, exitCode);
        Assert.Contains("Nobody has this handle", output, StringComparison.Ordinal);
        (exitCode, output) = await RunAsync(handle, "pdf", file + "2");
        Assert.Equal(1, exitCode);
        Assert.Contains("The format is one of csv, json, ofx, camt053.", output, StringComparison.Ordinal);
        (exitCode, output) = await RunAsync(handle, "csv", Path.Combine(_folder.Path, "missing", "statement.csv"));
        Assert.Equal(1, exitCode);
        Assert.Contains("cannot be written", output, StringComparison.Ordinal);
        Assert.Equal([file], Directory.GetFiles(_folder.Path));
    }

    private Task<(int ExitCode, string Output)> RunAsync(string handle, string format, string file) => _server.RunAsync(
        "ledger", "export", "--account", handle, "--asset", "EUR", "--format", format, "--output", file);
}
