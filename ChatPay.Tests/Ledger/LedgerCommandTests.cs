using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>The command as an operator runs it: beside the server, after a kill, and without it.</summary>
public sealed class LedgerCommandTests : IAsyncLifetime
{
    private readonly ServerProcess _server = new();

    public async ValueTask InitializeAsync() => await _server.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Verify_is_clean_beside_the_server_after_a_kill_and_without_it()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using (var ada = await Person.JoinAsync(_server.Address))
        await using (var ben = await Person.JoinAsync(_server.Address))
        {
            var group = await TestGroup.DirectAsync(ada, ben);
            var posted = await ada.CardActAsync(
                TestCards.Post(CardKind.Transfer, group.Id, group.Epoch, ada.Id, ben.Id, 1234), cancellation);
            await ben.CardActAsync(TestCards.Act(posted.Card, CardActionKind.Accept), cancellation);
        }

        await AssertCleanAsync();
        await _server.KillWithDatabaseAsync();
        await _server.StartAsync();
        await AssertCleanAsync();
        await _server.StopAsync();
        await AssertCleanAsync();
    }

    private async Task AssertCleanAsync()
    {
        var (exitCode, output) = await _server.RunAsync("ledger", "verify");
        Assert.True(exitCode == 0, output);
        Assert.Contains("their entries and transfers: 3 accounts, 7 entries", output, StringComparison.Ordinal);
        Assert.Contains("checked cards against their money: 1 cards", output, StringComparison.Ordinal);
        Assert.Contains("The ledger is clean.", output, StringComparison.Ordinal);
    }
}
