using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>Freezing and closing as an operator does it, beside the server that it must reach at once.</summary>
public sealed class LedgerAccountCommandTests : IAsyncLifetime
{
    private readonly ServerProcess _server = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _server.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_payer_frozen_beside_the_server_leaves_the_card_open_until_thawed()
    {
        await using var ada = await Person.JoinAsync(_server.Address);
        await using var ben = await Person.JoinAsync(_server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var posted = await ada.CardActAsync(
            TestCards.Post(CardKind.Transfer, group.Id, group.Epoch, ada.Id, ben.Id, 1234), Cancel);

        var handle = ada.Client.Account!.Handle;
        Assert.Contains(
            "is frozen: nothing leaves it",
            await RunAsync(0, "freeze", handle, "EUR", "--reason", "Reported stolen."),
            StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<ChatPayException>(
            () => ben.CardActAsync(TestCards.Act(posted.Card, CardActionKind.Accept), Cancel));
        Assert.Equal(ErrorCode.AccountFrozen, refused.Code);
        Assert.Contains("account_not_empty", await RunAsync(
            1, "close", handle, "EUR", "--reason", "Left."), StringComparison.Ordinal);

        var shown = await RunAsync(0, "show", handle, "EUR");
        foreach (var line in new[]
        {
            "state       frozen", "held        12.34 EUR in 1 open holds", "freeze    applied  Reported stolen.",
            "close     account_not_empty  Left.",
        })
        {
            Assert.Contains(line, shown, StringComparison.Ordinal);
        }

        await RunAsync(0, "unfreeze", handle, "EUR", "--reason", "It was found.");
        var accepted = await ben.CardActAsync(TestCards.Act(posted.Card, CardActionKind.Accept), Cancel);
        Assert.Equal(CardState.Accepted, accepted.Card.State);
        var (exitCode, output) = await _server.RunAsync("ledger", "verify");
        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task What_does_not_exist_is_said_and_a_reason_is_asked_for()
    {
        Assert.Contains("There is no ledger account of nobody in EUR", await RunAsync(
            1, "show", "nobody", "EUR"), StringComparison.Ordinal);
        Assert.Contains("There is no ledger account of system:mint in EUR", await RunAsync(
            1, "freeze", "system:mint", "EUR", "--reason", "A test."), StringComparison.Ordinal);
        Assert.Contains("--reason", await RunAsync(1, "freeze", "nobody", "EUR"), StringComparison.Ordinal);
        Assert.Contains("at most 200 characters", await RunAsync(
            1, "freeze", "nobody", "EUR", "--reason", new string('x', 201)), StringComparison.Ordinal);
        await using var ada = await Person.JoinAsync(_server.Address);
        Assert.Contains(
            "without limit: it may owe", await RunAsync(0, "show", "system:sandbox", "EUR"), StringComparison.Ordinal);
    }

    private async Task<string> RunAsync(int expected, params string[] arguments)
    {
        var (exitCode, output) = await _server.RunAsync(["ledger", "account", .. arguments]);
        Assert.True(exitCode == expected, output);
        return output;
    }
}
