using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Dapper;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>What is altered behind the server's back is found and named. Each test has its own database.</summary>
public sealed class LedgerVerifyTests(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly MoneyFixture _money = new(postgres);
    private WalletHolder _alice = null!;
    private WalletHolder _bob = null!;
    private CardView _accepted = null!;
    private CardView _held = null!;
    private CardView _paid = null!;
    private CardView _open = null!;
    private CardView _declined = null!;

    private Guid AlicesEuros => LedgerAccountId.Of(_alice.Account, AssetCode.Parse("EUR")).Value;

    public async ValueTask InitializeAsync()
    {
        await _money.InitializeAsync();
        (_alice, _bob) = (await _money.PersonAsync(), await _money.PersonAsync());
        var conversation = await _money.ConversationAsync(_alice, _bob);
        _accepted = await _money.PostAsync(CardKind.Transfer, conversation, _alice, _bob, 1234);
        _held = await _money.PostAsync(CardKind.Transfer, conversation, _alice, _bob, 100);
        _declined = await _money.PostAsync(CardKind.Transfer, conversation, _alice, _bob, 200);
        _paid = await _money.PostAsync(CardKind.Request, conversation, _alice, _bob, 500);
        _open = await _money.PostAsync(CardKind.Request, conversation, _alice, _bob, 77);
        await _money.ActAsync(_bob, _accepted, CardActionKind.Accept);
        await _money.ActAsync(_bob, _declined, CardActionKind.Decline);
        await _money.ActAsync(_bob, _paid, CardActionKind.Pay);
        await _money.ActAsync(_alice, MoneyFixture.Card(CardKind.Transfer, conversation, _alice, _bob, 1_000_000));
    }

    public ValueTask DisposeAsync() => _money.DisposeAsync();

    [Fact]
    public async Task An_untouched_ledger_is_clean_and_says_what_was_checked()
    {
        var (exitCode, output) = await _money.VerifyAsync();
        Assert.Equal(0, exitCode);
        Assert.Equal(
            """
            Verifying the ledger in one snapshot.
            checked accounts against their entries: 9 accounts, 20 entries
            checked sums of all assets: 3 assets
            checked transfers against their sides: 13 transfers, 1 of them rejected
            checked holds against their captures: 3 holds
            checked held amounts against open holds: 9 accounts
            checked cards against their money: 5 cards
            The ledger is clean.

            """,
            output, ignoreLineEndingDifferences: true);
    }

    [Fact]
    public async Task A_balance_edited_by_hand_is_found() => await AssertFoundAsync(
        $"update ledger_account set balance_minor = balance_minor + 1 where id = '{AlicesEuros}'",
        $"account {AlicesEuros}: entries end at version",
        "asset EUR: balances sum to 1, entries to 0");

    [Fact]
    public async Task A_held_amount_edited_by_hand_is_found() => await AssertFoundAsync(
        $"update ledger_account set held_minor = held_minor - 1 where id = '{AlicesEuros}'",
        $"account {AlicesEuros}: entries end at version",
        $"account {AlicesEuros}: holds 99, its open holds have 100");

    [Fact]
    public async Task A_version_edited_by_hand_is_found() => await AssertFoundAsync(
        $"update ledger_account set version = version + 1 where id = '{AlicesEuros}'",
        $"account {AlicesEuros}: entries end at version");

    [Fact]
    public async Task An_altered_entry_is_found() => await AssertFoundAsync(
        Unlocked("entry", $"update entry set posted_minor = 9000 where account_id = '{AlicesEuros}' and version = 1"),
        $"account {AlicesEuros} version 1 (transfer",
        ": its entries are not the sides of a Transfer of 10000 (2 entries)",
        "asset EUR: balances sum to 0, entries to -1000");

    [Fact]
    public async Task An_entry_altered_together_with_all_that_follows_is_found() => await AssertFoundAsync(
        Unlocked("entry", $"""
            update entry set posted_minor = posted_minor + 5 where account_id = '{AlicesEuros}' and version = 1;
            update entry set balance_after_minor = balance_after_minor + 5 where account_id = '{AlicesEuros}';
            update ledger_account set balance_minor = balance_minor + 5 where id = '{AlicesEuros}'
            """),
        ": its entries are not the sides of a Transfer of 10000 (2 entries)",
        "asset EUR: balances sum to 5, entries to 5");

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    public async Task A_removed_entry_is_found(int version) => await AssertFoundAsync(
        Unlocked("entry", $"delete from entry where account_id = '{AlicesEuros}' and version = {version}"),
        $"account {AlicesEuros}",
        ": its entries are not the sides of a");

    [Fact]
    public async Task An_inserted_entry_is_found() => await AssertFoundAsync(
        $"""
        insert into entry select account_id, version + 1, transfer_id, posted_minor, held_minor,
            balance_after_minor + posted_minor, held_after_minor + held_minor, created_at
        from entry where account_id = '{AlicesEuros}' order by version desc limit 1
        """,
        $"account {AlicesEuros}: entries end at version 8",
        ": its entries are not the sides of a");

    [Fact]
    public async Task An_altered_transfer_is_found() => await AssertFoundAsync(
        Unlocked("transfer", $"update transfer set actor_id = null where card_id = '{_paid.Id}'"),
        "differs from what was decided (payload hash)");

    [Fact]
    public async Task A_rejection_turned_into_an_application_is_found() => await AssertFoundAsync(
        Unlocked("transfer", "update transfer set status = 0, debit_version = 99 where status = 4006"),
        ": its entries are not the sides of a Hold of 1000000 (0 entries)",
        ": is not on the account that its transfer debits");

    [Fact]
    public async Task An_altered_hold_is_found() => await AssertFoundAsync(
        $"update hold set remaining_minor = 99 where transfer_id = (select hold_id from card where id = '{_held.Id}')",
        ": 99 remain of 100 after 0 captured, 0 released, 0 expired",
        $"account {AlicesEuros}: holds 100, its open holds have 99",
        $"card {_held.Id}: its hold has 99 of 100");

    [Fact]
    public async Task A_hold_in_another_state_is_found() => await AssertFoundAsync(
        $"update hold set state = 2 where transfer_id = (select hold_id from card where id = '{_declined.Id}')",
        ": its state is Captured, its transfers say Released",
        $"card {_declined.Id}: it is Declined and its hold is Captured");

    [Fact]
    public async Task Card_states_that_their_money_does_not_bear_out_are_found()
    {
        var (exitCode, output) = await TamperAsync($"""
            update card set state = 3 where id = '{_accepted.Id}';
            update card set state = 2, closed_at = now() where id = '{_held.Id}';
            update card set state = 6, closed_at = null where id = '{_paid.Id}';
            update card set state = 7, closed_at = now() where id = '{_open.Id}';
            update card set state = 4 where id = '{_declined.Id}';
            """);
        Assert.Equal(1, exitCode);
        string[] findings =
        [
            $"card {_accepted.Id}: it is Declined and has 1 applied credits",
            $"card {_held.Id}: it is Accepted and has 0 applied credits",
            $"card {_paid.Id}: it is Open and has 1 applied credits",
            $"card {_open.Id}: it is Paid and has 0 applied credits",
        ];
        Assert.All(findings, finding => Assert.Contains(finding, output, StringComparison.Ordinal));

        // Declined and cancelled cards look alike to the money; the log tells them apart.
        Assert.Contains("Findings: 4.", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_card_whose_terms_were_altered_is_found() => await AssertFoundAsync(
        $"update card set amount_minor = 1 where id = '{_accepted.Id}'",
        $"card {_accepted.Id}: its credit is not of its amount from its payer to its payee");

    [Fact]
    public async Task Entries_and_transfers_can_only_be_added_to()
    {
        await using var connection = await _money.DataSource.OpenConnectionAsync();
        foreach (var attempt in new[]
        {
            "update entry set posted_minor = 1", "delete from entry", "truncate entry",
            "update transfer set status = 0", "delete from transfer", "truncate transfer cascade",
        })
        {
            var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => connection.ExecuteAsync(attempt));
            Assert.Contains("only ever added", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_database_refuses_to_let_a_guarded_account_owe()
    {
        await using var connection = await _money.DataSource.OpenConnectionAsync();
        foreach (var change in new[] { "balance_minor = held_minor - 1", "held_minor = -1" })
        {
            var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => connection.ExecuteAsync(
                $"update ledger_account set {change} where id = '{AlicesEuros}'"));
            Assert.Equal(Npgsql.PostgresErrorCodes.CheckViolation, refused.SqlState);
        }
    }

    private static string Unlocked(string table, string sql) =>
        $"alter table {table} disable trigger {table}_insert_only; {sql}; "
        + $"alter table {table} enable trigger {table}_insert_only";

    private async Task AssertFoundAsync(string tampering, params string[] findings)
    {
        var (exitCode, output) = await TamperAsync(tampering);
        Assert.Equal(1, exitCode);
        foreach (var finding in findings)
        {
            Assert.Contains(finding, output, StringComparison.Ordinal);
        }
    }

    private async Task<(int ExitCode, string Output)> TamperAsync(string sql)
    {
        Assert.Equal(0, (await _money.VerifyAsync()).ExitCode);
        await using (var connection = await _money.DataSource.OpenConnectionAsync())
        {
            await connection.ExecuteAsync(sql);
        }

        return await _money.VerifyAsync();
    }
}
