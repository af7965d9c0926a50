using ChatPay.Core.Ledger;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>The database goes away and comes back as another: restored to an earlier state, or a replica in its place.</summary>
public sealed class LedgerLostDatabaseTests(MoneyFixture money, PostgresFixture postgres) : IClassFixture<MoneyFixture>
{
    private readonly LedgerScene _scene = new(money);

    /// <summary>
    /// The restored account reaches the version that the node remembers by another payment, so that no version tells
    /// one state from the other.
    /// </summary>
    [Fact]
    public async Task What_a_node_remembers_of_a_lost_database_is_forgotten()
    {
        await using var node = await LedgerNode.StartAsync(money.ConnectionString);
        var (alice, bob) = await RestoreAsync(node);
        var (carol, dave) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        await postgres.AdministerAsync(money.ConnectionString, """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()
            """);
        money.DataSource.Clear();
        Assert.True((await node.PostAsync(_scene.Pay(carol, dave, 1))).IsApplied);
        await AssertForgottenAsync(node, alice, bob);
    }

    /// <summary>All that tells it is when PostgreSQL was started: the connections that broke were somebody else's.</summary>
    [Fact]
    public async Task A_database_that_was_started_anew_while_the_node_was_idle_is_not_taken_for_the_old_one()
    {
        await postgres.AdministerAsync(money.ConnectionString, """
            create table test.restart (later interval not null);
            insert into test.restart values ('0');
            grant select on test.restart to chatpay_server;
            create function test.pg_postmaster_start_time() returns timestamptz language sql stable as
                $$ select pg_catalog.pg_postmaster_start_time() + later from test.restart $$;
            """);
        await using var node = await LedgerNode.StartAsync(money.ConnectionString);
        var (alice, bob) = await RestoreAsync(node);
        await postgres.AdministerAsync(money.ConnectionString, "update test.restart set later = '1 minute'");
        await AssertForgottenAsync(node, alice, bob);
    }

    /// <summary>A payment of 2 that the node remembers is lost, and another node has made one of everything instead.</summary>
    private async Task<(LedgerAccountId Alice, LedgerAccountId Bob)> RestoreAsync(LedgerNode node)
    {
        await using var other = await LedgerNode.StartAsync(money.ConnectionString);
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        var lost = _scene.Pay(alice, bob, 2);
        Assert.True((await node.PostAsync(lost)).IsApplied);
        await postgres.AdministerAsync(money.ConnectionString, $"""
            set session_replication_role = replica;
            delete from entry where transfer_id = '{lost.Id.Value}';
            delete from transfer where id = '{lost.Id.Value}';
            update ledger_account a
            set version = e.version, balance_minor = e.balance_after_minor, held_minor = e.held_after_minor
            from entry e
            where e.account_id = a.id and e.version = a.version - 1 and a.id in ('{alice.Value}', '{bob.Value}')
            """);
        Assert.True((await other.PostAsync(_scene.Pay(alice, bob, 10_000))).IsApplied);
        return (alice, bob);
    }

    private async Task AssertForgottenAsync(LedgerNode node, LedgerAccountId alice, LedgerAccountId bob)
    {
        Assert.Equal(LedgerStatus.InsufficientFunds, (await node.PostAsync(_scene.Pay(alice, bob, 1))).Status);
        Assert.Equal((20_000, 0), await _scene.BalanceAsync(bob));
        var (exitCode, findings) = await VerifyScene.VerifyAsync(money.ConnectionString);
        Assert.True(exitCode == 0, findings);
    }
}
