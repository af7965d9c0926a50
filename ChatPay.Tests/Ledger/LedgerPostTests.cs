using ChatPay.Core.Ledger;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Ledger;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>Groups, refunds, balancing and changes of accounts through the engine's door, stored and found again.</summary>
public sealed class LedgerPostTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private static readonly AssetCode s_eur = AssetCode.Parse("EUR");

    private GroupCommitter Committer => money.Server.Services.GetRequiredService<GroupCommitter>();

    [Fact]
    public async Task A_group_is_stored_as_a_whole_and_found_again()
    {
        var (alice, bob, carol) = (await WalletAsync(), await WalletAsync(), await WalletAsync());
        var hold = Id();
        var group = new LedgerGroup(
            new LedgerGroupId(money.NewId()),
            LedgerCommand.Hold(hold, alice, Money.Of(1_000, s_eur), 60),
            LedgerCommand.Capture(Id(), hold, alice, bob, Money.Of(600, s_eur)),
            LedgerCommand.CaptureAll(Id(), hold, alice, carol, s_eur));

        Assert.Equal([1_000L, 600L, 400L], (await PostAsync(group)).Select(outcome => outcome.Moved.Value));
        Assert.All(await PostAsync(group), outcome => Assert.True(outcome is { IsApplied: true, Replayed: true }));

        var other = new LedgerGroup(group.Id, Pay(alice, bob, 1));
        Assert.Equal(LedgerStatus.IdempotencyConflict, (await PostAsync(other))[0].Status);
        Assert.Equal((9_000, 0), await BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_group_that_fails_leaves_its_rows_and_nothing_else()
    {
        var (alice, bob) = (await WalletAsync(), await WalletAsync());
        var before = await MoneyStateAsync(alice, bob);
        var group = new LedgerGroup(
            new LedgerGroupId(money.NewId()), Pay(alice, bob, 1), Pay(alice, bob, 20_000), Pay(bob, alice, 1));
        LedgerStatus[] expected =
            [LedgerStatus.LinkedFailed, LedgerStatus.InsufficientFunds, LedgerStatus.LinkedFailed];
        Assert.Equal(expected, (await PostAsync(group)).Select(outcome => outcome.Status));
        Assert.Equal(expected, (await PostAsync(group)).Select(outcome => outcome.Status));
        Assert.Equal(before, await MoneyStateAsync(alice, bob));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Refunds_never_exceed_what_was_paid()
    {
        var (alice, bob) = (await WalletAsync(), await WalletAsync());
        var paid = Pay(alice, bob, 1_000);
        await PostAsync(paid);
        Assert.Equal(LedgerStatus.Applied, (await PostAsync(Refund(paid, 600))).Status);
        Assert.Equal(LedgerStatus.RefundExceeded, (await PostAsync(Refund(paid, 401))).Status);
        Assert.Equal(LedgerStatus.Applied, (await PostAsync(Refund(paid, 400))).Status);
        Assert.Equal(LedgerStatus.RefundExceeded, (await PostAsync(Refund(paid, 1))).Status);
        Assert.Equal((10_000, 0), await BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_balancing_transfer_moves_what_is_there_and_remembers_what_was_asked()
    {
        var (alice, bob) = (await WalletAsync(), await WalletAsync());
        await PostAsync(LedgerCommand.Hold(Id(), alice, Money.Of(4_000, s_eur), 60));
        var sweep = LedgerCommand.Balancing(Id(), alice, bob, Money.Of(50_000, s_eur));
        Assert.Equal(6_000, (await PostAsync(sweep)).Moved.Value);
        Assert.Equal(new LedgerOutcome(LedgerStatus.Applied, new(6_000), Replayed: true), await PostAsync(sweep));
        var empty = LedgerCommand.Balancing(Id(), alice, bob, Money.Of(1, s_eur));
        Assert.Equal(LedgerStatus.InsufficientFunds, (await PostAsync(empty)).Status);
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_frozen_account_receives_and_does_not_pay_and_an_empty_one_closes()
    {
        var (alice, bob) = (await WalletAsync(), await WalletAsync());
        await ChangeAsync(AccountChangeKind.Freeze, alice, LedgerStatus.Applied);
        Assert.Equal(LedgerStatus.AccountFrozen, (await PostAsync(Pay(alice, bob, 1))).Status);
        Assert.Equal(LedgerStatus.Applied, (await PostAsync(Pay(bob, alice, 1))).Status);
        await ChangeAsync(AccountChangeKind.Close, alice, LedgerStatus.AccountNotEmpty);
        await ChangeAsync(AccountChangeKind.Unfreeze, alice, LedgerStatus.Applied);
        Assert.Equal(LedgerStatus.Applied, (await PostAsync(Pay(alice, bob, 10_001))).Status);
        await ChangeAsync(AccountChangeKind.Close, alice, LedgerStatus.Applied);
        Assert.Equal(LedgerStatus.AccountClosed, (await PostAsync(Pay(bob, alice, 1))).Status);
        await ChangeAsync(AccountChangeKind.Unfreeze, alice, LedgerStatus.AccountClosed);
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Each_applied_transfer_names_its_entries()
    {
        var (alice, bob) = (await WalletAsync(), await WalletAsync());
        await PostAsync(Pay(alice, bob, 5));
        await using var connection = await money.DataSource.OpenConnectionAsync();
        var found = await connection.QuerySingleAsync<(long, long)>(
            """
            select d.posted_minor, c.posted_minor from transfer t
            join entry d on (d.account_id, d.version, d.transfer_id) = (t.debit_id, t.debit_version, t.id)
            join entry c on (c.account_id, c.version, c.transfer_id) = (t.credit_id, t.credit_version, t.id)
            where t.debit_id = @debit
            """,
            new { debit = alice.Value });
        Assert.Equal((-5, 5), found);
    }

    [Fact]
    public async Task A_wallet_opens_while_the_sandbox_is_frozen_and_gets_its_play_money_later()
    {
        var sandbox = LedgerAccountId.OfSystem(OpenWalletsCommand.SandboxName, s_eur);
        await money.PersonAsync();
        await ChangeAsync(AccountChangeKind.Freeze, sandbox, LedgerStatus.Applied);
        var person = await money.PersonAsync();
        Assert.Equal((0, 0), await money.BalanceAsync(person));
        await ChangeAsync(AccountChangeKind.Unfreeze, sandbox, LedgerStatus.Applied);
        Assert.Equal((10_000, 0), await money.BalanceAsync(person));
    }

    private TransferId Id() => new(money.NewId());

    private LedgerCommand Pay(LedgerAccountId debit, LedgerAccountId credit, long amountMinor) =>
        LedgerCommand.Transfer(Id(), debit, credit, Money.Of(amountMinor, s_eur));

    private LedgerCommand Refund(LedgerCommand paid, long amountMinor) => LedgerCommand.Refund(
        Id(), paid.Id, paid.Credit!.Value, paid.Debit, Money.Of(amountMinor, s_eur));

    private async Task<LedgerAccountId> WalletAsync() =>
        LedgerAccountId.Of((await money.PersonAsync()).Account, s_eur);

    private async Task<LedgerOutcome> PostAsync(LedgerCommand command) => (await Committer.SubmitAsync(
        new PostTransferCommand(command), TestContext.Current.CancellationToken)).Value.Outcome;

    private async Task<IReadOnlyList<LedgerOutcome>> PostAsync(LedgerGroup group) => (await Committer.SubmitAsync(
        new PostGroupCommand(group), TestContext.Current.CancellationToken)).Value.Outcomes;

    /// <summary>Twice, because the second time the outcome is the stored one.</summary>
    private async Task ChangeAsync(AccountChangeKind kind, LedgerAccountId account, LedgerStatus expected)
    {
        var change = AccountChange.Of(kind, new AccountChangeId(money.NewId()), account, "A test says so.");
        foreach (var replayed in new[] { false, true })
        {
            var decided = await Committer.SubmitAsync(
                new ChangeAccountCommand(change), TestContext.Current.CancellationToken);
            Assert.Equal(new LedgerOutcome(expected, Replayed: replayed), decided.Value.Outcome);
        }
    }

    private async Task<(long BalanceMinor, long HeldMinor)> BalanceAsync(LedgerAccountId account)
    {
        await using var connection = await money.DataSource.OpenConnectionAsync();
        return await connection.QuerySingleAsync<(long, long)>(
            "select balance_minor, held_minor from ledger_account where id = @id", new { id = account.Value });
    }

    private async Task<string> MoneyStateAsync(params LedgerAccountId[] accounts)
    {
        await using var connection = await money.DataSource.OpenConnectionAsync();
        return await connection.QuerySingleAsync<string>(
            "select string_agg(a::text, ',' order by id) from ledger_account a where id = any(@ids)",
            new { ids = accounts.Select(account => account.Value).ToArray() });
    }
}
