using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>
/// One batch on top of another that is not committed yet. Each test holds a batch in the air, by a lock on a row it will
/// write last, and looks at what is decided on it.
/// </summary>
public sealed class LedgerFlightTests(MoneyFixture money) : IClassFixture<MoneyFixture>, IAsyncLifetime
{
    /// <summary>A batch is decided, has nothing to write early, and waits for the one before it.</summary>
    private const string Decided = "state = 'idle in transaction' and query like 'select clock_timestamp()%'";

    private readonly LedgerScene _scene = new(money);
    private LedgerNode? _node;

    private LedgerNode Node => _node!;

    private LedgerNode Other { get; } = new(money.Server);

    /// <summary>Anew for each test: a node that has met another locks first for a while.</summary>
    public async ValueTask InitializeAsync() =>
        _node = await LedgerNode.StartAsync(money.ConnectionString, flights: 4, lockTimeoutMs: 60_000);

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task A_hold_that_is_not_committed_yet_is_captured()
    {
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        var hold = _scene.Hold(alice, 700);
        await using var wind = await HeadwindAsync(alice);
        var holding = Node.PostAsync(hold);
        await _scene.UntilWaitingAsync();
        var capturing = Node.PostAsync(_scene.Capture(hold, bob, 300));
        await _scene.UntilWrittenAsync();
        await wind.DisposeAsync();

        Assert.True((await holding).IsApplied);
        Assert.True((await capturing).IsApplied);
        Assert.Equal((9_700, 400), await _scene.BalanceAsync(alice));
        await money.AssertCleanAsync();
        Assert.Equal(400, (await Node.PostAsync(_scene.CaptureAll(hold, bob))).Moved.Value);
        Assert.Equal((9_300, 0), await _scene.BalanceAsync(alice));
    }

    [Fact]
    public async Task A_payment_that_is_not_committed_yet_is_refunded_once()
    {
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        var payment = _scene.Pay(alice, bob, 500);
        await using var wind = await HeadwindAsync(alice);
        var paying = Node.PostAsync(payment);
        await _scene.UntilWaitingAsync();
        var first = Node.PostAsync(_scene.Refund(payment, 400));
        await _scene.UntilWrittenAsync();
        var second = Node.PostAsync(_scene.Refund(payment, 400));
        await _scene.UntilWrittenAsync(2);
        await wind.DisposeAsync();

        Assert.True((await paying).IsApplied);
        Assert.True((await first).IsApplied);
        Assert.Equal(LedgerStatus.RefundExceeded, (await second).Status);
        Assert.Equal((9_900, 0), await _scene.BalanceAsync(alice));
    }

    [Fact]
    public async Task Money_and_ids_that_are_not_committed_yet_count()
    {
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        var payment = _scene.Pay(alice, bob, 500);
        await using var wind = await HeadwindAsync(alice);
        var paying = Node.PostAsync(payment);
        await _scene.UntilWaitingAsync();
        var again = Node.PostAsync(payment);
        var spending = Node.PostAsync(_scene.Pay(bob, alice, 10_500));
        var overspending = Node.PostAsync(_scene.Pay(bob, alice, 1));
        await _scene.UntilWrittenAsync();
        Assert.False(again.IsCompleted || spending.IsCompleted || overspending.IsCompleted);
        await wind.DisposeAsync();

        Assert.Equal(new LedgerOutcome(LedgerStatus.Applied, new(500)), await paying);
        Assert.Equal(new LedgerOutcome(LedgerStatus.Applied, new(500), Replayed: true), await again);
        Assert.True((await spending).IsApplied);
        Assert.Equal(LedgerStatus.InsufficientFunds, (await overspending).Status);
        Assert.Equal((0, 0), await _scene.BalanceAsync(bob));
    }

    [Fact]
    public async Task Batches_fall_with_the_one_they_build_on_and_are_each_done_once()
    {
        var (alice, bob, carol) = (await _scene.WalletAsync(), await _scene.WalletAsync(), await _scene.WalletAsync());
        foreach (var emptied in new[] { bob, carol })
        {
            Assert.True((await Node.PostAsync(_scene.Pay(emptied, alice, 10_000))).IsApplied);
        }

        await using var wind = await HeadwindAsync(alice);
        var first = Node.PostAsync(_scene.Pay(alice, bob, 900));
        await _scene.UntilWaitingAsync();
        var hold = _scene.Hold(bob, 900);
        var second = Node.PostAsync(hold);
        await _scene.UntilWrittenAsync();
        var third = Node.PostAsync(_scene.Capture(hold, carol, 900));
        await _scene.UntilWrittenAsync(2);
        await _scene.KillWaitingAsync();
        await wind.DisposeAsync();

        Assert.All(await Task.WhenAll(first, second, third), outcome => Assert.True(outcome.IsApplied));
        Assert.Equal((29_100, 0), await _scene.BalanceAsync(alice));
        Assert.Equal((900, 0), await _scene.BalanceAsync(carol));

        // Nothing of what fell is left in the cache.
        Assert.True((await Node.PostAsync(_scene.Pay(carol, alice, 900))).IsApplied);
    }

    /// <summary>
    /// Between the decision and the commit of the first batch another node spends the money, so it is decided again, and
    /// otherwise; so is the second, which had built on the first one's version of the account and now meets the same number.
    /// </summary>
    [Fact]
    public async Task What_a_failed_batch_thought_of_an_account_is_forgotten()
    {
        await using var other = await LedgerNode.StartAsync(money.ConnectionString, lockTimeoutMs: 60_000);
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        Assert.True((await Node.PostAsync(_scene.Pay(bob, alice, 1))).IsApplied);
        await using var wind = await HeadwindAsync(alice);
        var elsewhere = other.PostAsync(_scene.Pay(alice, bob, 10_000));
        await _scene.UntilWaitingAsync();
        var first = Node.PostAsync(_scene.Pay(alice, bob, 2));
        await _scene.UntilWaitingAsync(2);
        var second = Node.PostAsync(_scene.Pay(alice, bob, 3));
        await _scene.UntilWrittenAsync();
        await wind.DisposeAsync();

        Assert.True((await elsewhere).IsApplied);
        Assert.Equal(LedgerStatus.InsufficientFunds, (await first).Status);
        Assert.Equal(LedgerStatus.InsufficientFunds, (await second).Status);
        Assert.Equal(LedgerStatus.InsufficientFunds, (await Node.PostAsync(_scene.Pay(alice, bob, 4))).Status);
        Assert.True((await Node.PostAsync(_scene.Pay(alice, bob, 1))).IsApplied);
        Assert.Equal((0, 0), await _scene.BalanceAsync(alice));
    }

    /// <summary>
    /// Another node gives the accounts the versions that they had only in the batch that came to nothing, so that these
    /// do not tell one state from the other.
    /// </summary>
    [Fact]
    public async Task What_a_batch_that_was_given_up_thought_of_an_account_is_forgotten()
    {
        await using var tired = await LedgerNode.StartAsync(
            money.ConnectionString, lockTimeoutMs: 60_000, maxAttempts: 1);
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        await using var wind = await HeadwindAsync(alice);
        var lost = tired.TryPostAsync(_scene.Pay(alice, bob, 2));
        foreach (var attempt in new[] { "with written as (%", "%for no key update" })
        {
            await KillAsync($"query like '{attempt}'");
        }

        Assert.Equal(ErrorCode.Unavailable, (await lost.WaitAsync(LedgerScene.Deadline)).Error?.Code);
        await wind.DisposeAsync();
        Assert.True((await Other.PostAsync(_scene.Pay(alice, bob, 10_000))).IsApplied);
        Assert.Equal(LedgerStatus.InsufficientFunds, (await tired.PostAsync(_scene.Pay(alice, bob, 1))).Status);
        Assert.Equal((20_000, 0), await _scene.BalanceAsync(bob));
    }

    /// <summary>
    /// The second batch only repeats what the first decided and changes nothing, so no version tells that the first is
    /// not committed. Meanwhile the money arrives, and the first is decided again, and otherwise.
    /// </summary>
    [Fact]
    public async Task An_answer_of_a_batch_that_falls_is_not_repeated_by_the_one_after()
    {
        await using var other = await LedgerNode.StartAsync(money.ConnectionString, lockTimeoutMs: 60_000);
        var (bob, dave) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        var carol = await _scene.EmptyWalletAsync(Node);
        var payment = _scene.Pay(carol, bob, 500);
        await using var wind = await HeadwindAsync(carol);
        await using var place = await Headwind.AgainstAsync(money.DataSource, payment.Id);
        var first = Node.PostAsync(payment);
        await _scene.UntilWaitingAsync();
        var second = Node.PostAsync(payment);
        await UntilAsync("count(*) > 0", Decided);
        var elsewhere = other.PostAsync(_scene.Pay(dave, carol, 500));
        await _scene.UntilWaitingAsync(2);
        await KillAsync("query like 'insert into transfer%'");

        // The first is being tried again, behind the other node's payment; the second is done with its own attempt.
        await _scene.UntilWaitingAsync(2);
        await UntilAsync("count(*) = 0", Decided);
        await wind.DisposeAsync();
        await place.DisposeAsync();

        Assert.True((await elsewhere).IsApplied);
        Assert.Equal(new LedgerOutcome(LedgerStatus.Applied, new(500)), await first);
        Assert.Equal(new LedgerOutcome(LedgerStatus.Applied, new(500), Replayed: true), await second);
    }

    [Fact]
    public async Task A_rejection_is_never_recorded_on_what_another_node_has_changed()
    {
        var bob = await _scene.WalletAsync();
        var alice = await _scene.EmptyWalletAsync(Node);
        Assert.True((await Other.PostAsync(_scene.Pay(bob, alice, 600))).IsApplied);
        Assert.True((await Node.PostAsync(_scene.Pay(alice, bob, 600))).IsApplied);

        Assert.True((await Other.PostAsync(_scene.Pay(bob, alice, 600))).IsApplied);
        Assert.Equal(600, (await Node.PostAsync(_scene.Group(_scene.Pay(alice, bob, 600))))[0].Moved.Value);
    }

    [Fact]
    public async Task A_freeze_on_one_node_stops_the_other_and_an_unfreeze_lets_it_go_on()
    {
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        Assert.True((await Node.PostAsync(_scene.Pay(alice, bob, 1))).IsApplied);
        Assert.True((await Other.PostAsync(_scene.Change(AccountChangeKind.Freeze, alice))).IsApplied);
        Assert.Equal(LedgerStatus.AccountFrozen, (await Node.PostAsync(_scene.Pay(alice, bob, 1))).Status);
        Assert.True((await Other.PostAsync(_scene.Change(AccountChangeKind.Unfreeze, alice))).IsApplied);
        Assert.True((await Node.PostAsync(_scene.Pay(alice, bob, 1))).IsApplied);
    }

    [Fact]
    public async Task Changes_of_accounts_in_one_batch_are_numbered_in_the_order_they_were_decided_in()
    {
        await using var node = await LedgerNode.StartAsync(money.ConnectionString, flights: 1, lockTimeoutMs: 60_000);
        var (alice, bob) = (await _scene.EmptyWalletAsync(node), await _scene.EmptyWalletAsync(node));
        var (carol, dave) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        AccountChangeKind[] kinds =
        [
            AccountChangeKind.Freeze, AccountChangeKind.Freeze, AccountChangeKind.Unfreeze, AccountChangeKind.Unfreeze,
            AccountChangeKind.Freeze, AccountChangeKind.Close, AccountChangeKind.Close, AccountChangeKind.Unfreeze,
        ];
        AccountChange[] changes =
            [.. kinds.SelectMany(kind => new[] { _scene.Change(kind, bob), _scene.Change(kind, alice) })];

        // While a batch is held up, with no second one in the air, what is asked for gathers in the next.
        await using var wind = await HeadwindAsync(carol);
        var before = node.PostAsync(_scene.Pay(carol, dave, 1));
        await _scene.UntilWaitingAsync();
        var changing = changes.Select(node.PostAsync).ToArray();
        await wind.DisposeAsync();

        Assert.True((await before).IsApplied);
        var statuses = (await Task.WhenAll(changing)).Select(outcome => outcome.Status).ToArray();
        Assert.All(statuses[..^2], status => Assert.Equal(LedgerStatus.Applied, status));
        Assert.All(statuses[^2..], status => Assert.Equal(LedgerStatus.AccountClosed, status));
        Assert.Equal(changes.Select(change => change.Id.Value), await _scene.ChangesAsync(alice, bob));
        Assert.Equal(1, await _scene.CountAsync(
            "select count(distinct xmin::text) from ledger_account_change where account_id = any(@ids)",
            new { ids = new[] { alice.Value, bob.Value } }));
    }

    /// <summary>The first change is in a batch that is held up while it writes, the others in batches on top of it.</summary>
    [Fact]
    public async Task Changes_of_an_account_over_several_flights_are_numbered_in_the_order_they_were_decided_in()
    {
        var alice = await _scene.EmptyWalletAsync(Node);
        var (carol, dave) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        await using var node = await LedgerNode.StartAsync(
            money.ConnectionString, batchSize: 2, flights: 4, lockTimeoutMs: 60_000);
        var late = _scene.Pay(carol, dave, 2);
        AccountChange[] changes =
        [
            _scene.Change(AccountChangeKind.Freeze, alice), _scene.Change(AccountChangeKind.Unfreeze, alice),
            _scene.Change(AccountChangeKind.Freeze, alice), _scene.Change(AccountChangeKind.Close, alice),
        ];
        await using var wind = await Headwind.AgainstAsync(money.DataSource, late.Id);
        await using var noLoads = await Headwind.AgainstAsync(
            money.DataSource, "lock table ledger_account in access exclusive mode");
        var before = node.PostAsync(_scene.Pay(carol, dave, 1));
        await _scene.UntilWaitingAsync();
        var paying = node.PostAsync(late);
        var changing = changes.Select(node.PostAsync).ToArray();
        await noLoads.DisposeAsync();

        // Two batches of changes are decided, and stay unwritten before the one that they build on is committed.
        Assert.True((await before).IsApplied);
        await _scene.UntilWaitingAsync();
        await _scene.UntilAsync("""
            select count(*) = 2 from pg_stat_activity
            where datname = current_database() and application_name = 'chatpay' and state = 'idle in transaction'
            """);
        await wind.DisposeAsync();

        Assert.True((await paying).IsApplied);
        Assert.All(await Task.WhenAll(changing), outcome => Assert.True(outcome.IsApplied));
        Assert.Equal(changes.Select(change => change.Id.Value), await _scene.ChangesAsync(alice));
        Assert.Equal(3, await _scene.CountAsync(
            "select count(distinct xmin::text) from ledger_account_change where account_id = @id",
            new { id = alice.Value }));
    }

    [Fact]
    public async Task A_rejection_is_never_recorded_for_a_freeze_that_another_node_has_lifted()
    {
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        Assert.True((await Node.PostAsync(_scene.Change(AccountChangeKind.Freeze, alice))).IsApplied);
        Assert.Equal(LedgerStatus.AccountFrozen, (await Node.PostAsync(_scene.Pay(alice, bob, 1))).Status);

        // No version tells of it, because nothing was posted.
        Assert.True((await Other.PostAsync(_scene.Change(AccountChangeKind.Unfreeze, alice))).IsApplied);
        Assert.True((await Node.PostAsync(_scene.Pay(alice, bob, 1))).IsApplied);
    }

    /// <summary>
    /// A command that names another's hold by mistake makes its batch look at the hold, though not at the account that
    /// guards it. A later batch that does must not take the hold from there.
    /// </summary>
    [Fact]
    public async Task What_an_earlier_batch_only_looked_at_is_not_believed()
    {
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        var (carol, dave) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        var (hold, payment) = (_scene.Hold(alice, 100), _scene.Pay(bob, alice, 100));
        foreach (var command in new[] { hold, _scene.Hold(alice, 500), payment })
        {
            Assert.True((await Other.PostAsync(command)).IsApplied);
        }

        await using var wind = await HeadwindAsync(carol);
        var first = Node.PostAsync(_scene.Pay(carol, dave, 1));
        await _scene.UntilWaitingAsync();
        var mistakes = Node.PostAsync(_scene.Group(
            LedgerCommand.Capture(_scene.Id(), hold.Id, carol, dave, Money.Of(1, LedgerScene.Eur)),
            LedgerCommand.Refund(_scene.Id(), payment.Id, carol, dave, Money.Of(1, LedgerScene.Eur))));
        await _scene.UntilWrittenAsync();
        Assert.True((await Other.PostAsync(_scene.CaptureAll(hold, bob))).IsApplied);
        Assert.True((await Other.PostAsync(_scene.Refund(payment, 100))).IsApplied);
        var captured = Node.PostAsync(_scene.Capture(hold, bob, 100));
        await _scene.UntilWrittenAsync(2);
        var refunded = Node.PostAsync(_scene.Refund(payment, 100));
        await _scene.UntilWrittenAsync(3);
        await wind.DisposeAsync();

        Assert.True((await first).IsApplied);
        Assert.Equal(LedgerStatus.HoldUnknown, (await mistakes)[0].Status);
        Assert.Equal(LedgerStatus.HoldClosed, (await captured).Status);
        Assert.Equal(LedgerStatus.RefundExceeded, (await refunded).Status);
        Assert.Equal((9_900, 500), await _scene.BalanceAsync(alice));
    }

    /// <summary>
    /// Of two nodes each waits for an id that the other has written; on one of them the writer waits for the batch
    /// before, which is why PostgreSQL sees no circle.
    /// </summary>
    [Fact]
    public async Task Nodes_that_wait_for_each_other_in_a_circle_get_out_of_it()
    {
        // Long enough for a busy machine to lay the circle before anybody gives up waiting.
        await using var one = await LedgerNode.StartAsync(money.ConnectionString, lockTimeoutMs: 10_000);
        await using var two = await LedgerNode.StartAsync(money.ConnectionString, lockTimeoutMs: 10_000);
        var wallets = await _scene.WalletsAsync(3);
        LedgerCommand[] pays = [.. wallets.Select((from, index) => _scene.Pay(from, wallets[(index + 1) % 3], 10))];
        await using var wind = await Headwind.AgainstAsync(money.DataSource, pays[0].Id);
        var first = one.PostAsync(_scene.Group(pays[0], pays[1]));
        await _scene.UntilWaitingAsync();
        var second = one.PostAsync(pays[2]);
        await _scene.UntilWrittenAsync();
        var elsewhere = two.PostAsync(_scene.Group(pays[1], pays[2]));
        await _scene.UntilWaitingAsync(2);
        await wind.DisposeAsync();

        // Well before the deadline of a statement, after which everything would be decided again as well.
        await Task.WhenAll(first, second, elsewhere).WaitAsync(TimeSpan.FromSeconds(25));
        var applied = await _scene.CountAsync(
            "select count(*) from transfer where id = any(@ids) and status = 0",
            new { ids = pays.Select(pay => pay.Id.Value).ToArray() });
        Assert.Equal((await first)[0].IsApplied ? 3 : 2, applied);
        Assert.NotEqual((await first)[0].IsApplied, (await elsewhere)[0].IsApplied);
    }

    private Task<Headwind> HeadwindAsync(LedgerAccountId account) => Headwind.AgainstAsync(money.DataSource, account);

    /// <summary>Kills the connection that waits for a lock in such a statement, once it does.</summary>
    private Task KillAsync(string which) =>
        UntilAsync("count(*) filter (where pg_terminate_backend(pid)) > 0", $"wait_event_type = 'Lock' and {which}");

    private Task UntilAsync(string what, string which) => _scene.UntilAsync($"""
        select {what} from pg_stat_activity
        where datname = current_database() and application_name = 'chatpay' and {which}
        """);
}
