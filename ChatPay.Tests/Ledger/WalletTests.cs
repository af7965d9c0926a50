using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using ChatPay.Tests.Support;
using Dapper;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>Wallets, statements and play money.</summary>
public sealed class WalletTests(MoneyFixture money, PostgresFixture postgres) : IClassFixture<MoneyFixture>
{
    [Fact]
    public async Task A_new_account_has_a_wallet_of_play_money_in_every_asset()
    {
        var alice = await money.PersonAsync();
        var wallet = (await money.Wallets.ReadAsync(alice.Account, TestContext.Current.CancellationToken)).Value;
        Assert.True(wallet.Sandbox);
        Assert.Equal(
            [
                new WalletBalance("EUR", 2, 10_000, 0), new WalletBalance("JPY", 0, 1_000, 0),
                new WalletBalance("KWD", 3, 1_000_000, 0),
            ],
            wallet.Balances);
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Play_money_is_given_once_however_often_an_account_is_opened()
    {
        var alice = await money.PersonAsync();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ =>
            money.Wallets.AccountOpenedAsync(alice.Account, TestContext.Current.CancellationToken)));
        Assert.Equal((10_000, 0), await money.BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_missing_wallet_is_repaired_when_it_is_read()
    {
        var alice = await money.PersonAsync(withWallets: false);
        Assert.Equal((10_000, 0), await money.BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_statement_pages_from_the_newest_to_the_first_without_gaps()
    {
        var (alice, bob) = (await money.PersonAsync(), await money.PersonAsync());
        var conversation = await money.ConversationAsync(alice, bob);
        for (var count = 0; count < 3; count++)
        {
            var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 100 + count);
            await money.ActAsync(bob, card, count == 1 ? CardActionKind.Decline : CardActionKind.Accept);
        }

        var entries = new List<StatementEntry>();
        long? before = null;
        do
        {
            var page = await money.Statements.ReadPageAsync(
                alice.Account, "EUR", before, 2, null, null, default, TestContext.Current.CancellationToken);
            entries.AddRange(page.Value.Entries);
            before = page.Value.Before;
        }
        while (before is not null);

        Assert.Equal([7, 6, 5, 4, 3, 2, 1], entries.Select(entry => entry.Version));
        Assert.Equal(
            "capture hold release hold capture hold funding", string.Join(' ', entries.Select(entry => entry.Kind)));
        Assert.Equal([-102, 0, 0, 0, -100, 0, 10_000], entries.Select(entry => entry.PostedMinor));
        Assert.Equal([-102, 102, -101, 101, -100, 100, 0], entries.Select(entry => entry.HeldMinor));
        Assert.Equal((9_798, 0), (entries[0].BalanceAfterMinor, entries[0].HeldAfterMinor));
        Assert.All(entries.SkipLast(1), entry =>
        {
            Assert.Equal(bob.Account, entry.Counterparty?.Id);
            Assert.Equal(conversation, entry.Conversation);
            Assert.NotNull(entry.Card);
        });
        Assert.Null(entries[^1].Counterparty);

        var theirs = await money.Statements.ReadPageAsync(
            bob.Account, "EUR", null, 1, null, null, default, TestContext.Current.CancellationToken);
        Assert.Equal(alice.Account, theirs.Value.Entries[0].Counterparty?.Id);
        Assert.Equal(102, theirs.Value.Entries[0].PostedMinor);
    }

    [Theory]
    [InlineData("XAU", null, 10, ErrorCode.AssetUnknown)]
    [InlineData("nonsense", null, 10, ErrorCode.AssetUnknown)]
    [InlineData("EUR", null, 0, ErrorCode.InvalidArgument)]
    [InlineData("EUR", null, Limits.StatementPageEntries + 1, ErrorCode.InvalidArgument)]
    [InlineData("EUR", 0L, 10, ErrorCode.InvalidArgument)]
    public async Task A_bad_page_is_refused(string asset, long? before, int limit, ErrorCode code)
    {
        var alice = await money.PersonAsync();
        var page = await money.Statements.ReadPageAsync(
            alice.Account, asset, before, limit, null, null, default, TestContext.Current.CancellationToken);
        Assert.Equal(code, page.Error?.Code);
    }

    [Fact]
    public async Task In_Production_nobody_is_given_play_money()
    {
        var connectionString = await postgres.CreateDatabaseAsync();
        await using var server = await TestServer.StartAsync(connectionString, environment: "Production");
        await using var bank = new Npgsql.NpgsqlConnection(connectionString);
        var account = new AccountId(money.NewId());
        await bank.ExecuteAsync(
            """
            insert into account (id, handle, skeleton, display_name, password_hash)
            values (@id, 'someone', 'someone', 'Someone', '')
            """,
            new { id = account.Value });
        var wallets = (Server.Ledger.WalletService)server.Services.GetService(typeof(Server.Ledger.WalletService))!;
        var wallet = (await wallets.ReadAsync(account, TestContext.Current.CancellationToken)).Value;
        Assert.False(wallet.Sandbox);
        Assert.Equal([new WalletBalance("EUR", 2, 0, 0)], wallet.Balances);
    }

    [Fact]
    public async Task In_Production_play_money_needs_to_be_asked_for_twice()
    {
        var connectionString = await postgres.CreateDatabaseAsync();
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal) { ["Ledger:Sandbox:Enabled"] = "true" };
        var refused = await Assert.ThrowsAsync<StartupException>(
            () => TestServer.StartAsync(connectionString, settings, "Production"));
        Assert.Contains("Ledger:Sandbox:AllowOutsideDevelopment", refused.Message, StringComparison.Ordinal);

        settings["Ledger:Sandbox:AllowOutsideDevelopment"] = "true";
        await using var server = await TestServer.StartAsync(connectionString, settings, "Production");
    }

    [Fact]
    public async Task An_asset_never_changes_its_decimals()
    {
        var connectionString = await postgres.CreateDatabaseAsync();
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Ledger:Assets:0:Code"] = "EUR",
            ["Ledger:Assets:0:Exponent"] = "2",
        };
        await using (await TestServer.StartAsync(connectionString, settings))
        {
        }

        settings["Ledger:Assets:0:Exponent"] = "3";
        var refused = await Assert.ThrowsAsync<StartupException>(
            () => TestServer.StartAsync(connectionString, settings));
        Assert.Contains("EUR", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("eur", "2", "is not 3 to 12")]
    [InlineData("EUR", "10", "exponent of 0 to 9")]
    public async Task Assets_out_of_bounds_stop_the_start(string code, string exponent, string complaint)
    {
        var connectionString = await postgres.CreateDatabaseAsync();
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Ledger:Assets:0:Code"] = code,
            ["Ledger:Assets:0:Exponent"] = exponent,
        };
        var refused = await Assert.ThrowsAsync<StartupException>(
            () => TestServer.StartAsync(connectionString, settings));
        Assert.Contains(complaint, refused.Message, StringComparison.Ordinal);
    }
}
