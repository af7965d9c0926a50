using System.Globalization;
using ChatPay.Server.Ledger;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>The worked examples of docs/LEDGER.md come out as they are recorded there.</summary>
/// <remarks>
/// To add or change one, write its commands into the document and run this class: the failure prints the block to
/// paste.
/// </remarks>
public sealed class LedgerExampleTests(LedgerExampleFixture fixture) : IClassFixture<LedgerExampleFixture>
{
    private const int ExamplesMin = 6;

    public static TheoryData<string> Titles() => new(LedgerExample.ReadAll().Select(example => example.Title));

    [Theory]
    [MemberData(nameof(Titles))]
    public async Task The_example_prints_what_is_recorded(string title)
    {
        var recorded = LedgerExample.ReadAll().Single(example => example.Title == title).Block;
        var actual = await new LedgerExampleRunner(fixture.Money, fixture.Node).RunAsync(recorded);
        Assert.True(
            recorded == actual,
            $"'{title}' came out otherwise. If it should, docs/LEDGER.md records:\n\n```\n{actual}\n```\n");

        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        var exitCode = await fixture.Node.Server.Services.VerifyLedgerAsync(
            output, TestContext.Current.CancellationToken);
        Assert.True(exitCode == 0, output.ToString());
    }

    /// <summary>Otherwise a slip in the document would leave nothing to test, and the tests green.</summary>
    [Fact]
    public void There_are_examples() =>
        Assert.InRange(LedgerExample.ReadAll().Count, ExamplesMin, int.MaxValue);
}

/// <summary>A server that keeps tickets beside money, on a database whose clock can be put forward.</summary>
public sealed class LedgerExampleFixture(PostgresFixture postgres) : IAsyncLifetime
{
    private LedgerNode? _node;

    public MoneyFixture Money { get; } = new(postgres);

    internal LedgerNode Node => _node!;

    public async ValueTask InitializeAsync()
    {
        await Money.InitializeAsync();
        var settings = new Dictionary<string, string?>(MoneyFixture.Settings, StringComparer.Ordinal)
        {
            ["Ledger:Assets:3:Code"] = "TICKET",
            ["Ledger:Assets:3:Exponent"] = "0",
            ["Ledger:Assets:3:Kind"] = "Unit",
        };
        _node = new LedgerNode(await TestServer.StartAsync(Money.ConnectionString, settings));
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }

        await Money.DisposeAsync();
    }
}
