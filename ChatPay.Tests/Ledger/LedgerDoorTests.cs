using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>What callers of the engine may count on, alone, in a crowd, and when something on the way is lost.</summary>
public sealed class LedgerDoorTests(MoneyFixture money) : IClassFixture<MoneyFixture>, IAsyncLifetime
{
    private readonly LedgerScene _scene = new(money);

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync() => await money.AssertCleanAsync();

    [Fact]
    public async Task A_lone_transfer_is_a_batch_of_its_own()
    {
        await using var node = await LedgerNode.StartAsync(money.ConnectionString);
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        LedgerCommand[] alone = [.. Enumerable.Range(0, 5).Select(_ => _scene.Pay(alice, bob, 1))];
        foreach (var command in alone)
        {
            // Nothing else is on its way, so a batch that waited to be filled would wait for ever.
            Assert.True((await node.PostAsync(command).WaitAsync(LedgerScene.Deadline)).IsApplied);
        }

        // A transfer's place is its batch's number, and its own within the batch.
        Assert.Equal(5, await _scene.CountAsync(
            "select count(distinct seq / 1048576) from transfer where id = any(@ids) and seq % 1048576 = 1",
            new { ids = alone.Select(command => command.Id.Value).ToArray() }));
    }

    [Fact]
    public async Task A_caller_who_leaves_takes_nothing_back_and_finds_the_outcome_later()
    {
        await using var node = await LedgerNode.StartAsync(money.ConnectionString);
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        var payment = _scene.Pay(alice, bob, 700);
        using var patience = new CancellationTokenSource();
        await using var wind = await Headwind.AgainstAsync(money.DataSource, alice);
        var waiting = node.TryPostAsync(payment, patience.Token);
        await _scene.UntilWaitingAsync();
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await wind.DisposeAsync();

        Assert.Equal(
            new LedgerOutcome(LedgerStatus.Applied, new(700), Replayed: true), await node.PostAsync(payment));
        Assert.Equal((9_300, 0), await _scene.BalanceAsync(alice));
    }

    [Fact]
    public async Task A_full_queue_says_so_and_loses_nothing()
    {
        await using var node = await LedgerNode.StartAsync(
            money.ConnectionString, batchSize: 8, flights: 1, queueCapacity: 64);
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        LedgerCommand[] payments = [.. Enumerable.Range(0, 300).Select(_ => _scene.Pay(alice, bob, 3))];
        await using var wind = await Headwind.AgainstAsync(money.DataSource, alice);
        var asked = payments.Select(payment => node.TryPostAsync(payment)).ToArray();
        await _scene.UntilWaitingAsync();
        await wind.DisposeAsync();

        var answers = await Task.WhenAll(asked).WaitAsync(LedgerScene.Deadline);
        var refused = answers.Count(answer => answer.Error?.Code == ErrorCode.Overloaded);
        Assert.InRange(refused, 300 - 64 - 16, 300 - 64);
        Assert.Equal(300 - refused, answers.Count(answer => answer.IsOk && answer.Value.Outcome.IsApplied));
        Assert.Equal((10_000 - (3 * (300 - refused)), 0), await _scene.BalanceAsync(alice));

        Assert.All(
            await Task.WhenAll(payments.Select(node.PostAsync)), outcome => Assert.True(outcome.IsApplied));
        Assert.Equal((9_100, 0), await _scene.BalanceAsync(alice));
    }

    [Fact]
    public async Task A_host_that_stops_answers_everybody_and_keeps_what_it_acknowledged()
    {
        var node = await LedgerNode.StartAsync(
            money.ConnectionString, batchSize: 4, flights: 3, lockTimeoutMs: 60_000);
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        LedgerCommand[] payments = [.. Enumerable.Range(0, 60).Select(_ => _scene.Pay(alice, bob, 5))];
        await using var wind = await Headwind.AgainstAsync(money.DataSource, alice);
        var asked = payments.Select(payment => node.TryPostAsync(payment)).ToArray();
        await _scene.UntilWaitingAsync();
        await _scene.UntilWrittenAsync(2);
        var stopping = node.DisposeAsync().AsTask();
        Assert.DoesNotContain(asked, answer => answer.IsCompleted);
        await wind.DisposeAsync();
        await stopping.WaitAsync(LedgerScene.Deadline);

        var answers = await Task.WhenAll(asked).WaitAsync(LedgerScene.Deadline);
        Assert.All(answers, answer => Assert.True(answer.IsOk || answer.Error!.Code == ErrorCode.Unavailable));
        var acknowledged = answers.Count(answer => answer.IsOk);
        Assert.InRange(acknowledged, 12, 60);
        Assert.Equal((10_000 - (5 * acknowledged), 0), await _scene.BalanceAsync(alice));

        // Whoever was told that it did not happen asks the next node.
        await using var next = await LedgerNode.StartAsync(money.ConnectionString);
        Assert.All(
            await Task.WhenAll(payments.Select(next.PostAsync)), outcome => Assert.True(outcome.IsApplied));
        Assert.Equal((9_700, 0), await _scene.BalanceAsync(alice));
    }

    [Theory]
    [InlineData("lock table transfer in access exclusive mode")]
    [InlineData("lock table entry in share mode")]
    [InlineData("lock table hold in share mode")]
    [InlineData("lock table ledger_account in share mode")]
    public async Task A_connection_that_dies_in_any_phase_loses_and_doubles_nothing(string block)
    {
        await using var node = await LedgerNode.StartAsync(
            money.ConnectionString, batchSize: 2, flights: 3, lockTimeoutMs: 60_000);
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        var hold = _scene.Hold(alice, 900);
        await using var wind = await Headwind.AgainstAsync(money.DataSource, block);
        var asked = new[] { hold, _scene.Capture(hold, bob, 500), _scene.Pay(alice, bob, 40), _scene.Release(hold) }
            .Select(node.PostAsync).ToArray();
        await _scene.UntilWaitingAsync();
        await _scene.KillWaitingAsync();
        Assert.DoesNotContain(asked, answer => answer.IsCompleted);
        await wind.DisposeAsync();

        var outcomes = await Task.WhenAll(asked).WaitAsync(LedgerScene.Deadline);
        Assert.Equal([900, 500, 40, 400], outcomes.Select(outcome => outcome.Moved.Value));
        Assert.Equal((9_460, 0), await _scene.BalanceAsync(alice));
    }

    [Fact]
    public async Task A_written_batch_whose_connection_dies_is_done_once_after_the_one_before()
    {
        await using var node = await LedgerNode.StartAsync(
            money.ConnectionString, flights: 3, lockTimeoutMs: 60_000);
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        var hold = _scene.Hold(alice, 900);
        await using var wind = await Headwind.AgainstAsync(money.DataSource, alice);
        var first = node.PostAsync(hold);
        await _scene.UntilWaitingAsync();
        var second = node.PostAsync(_scene.CaptureAll(hold, bob));
        await _scene.UntilWrittenAsync();
        await _scene.UntilAsync("""
            select count(*) filter (where pg_terminate_backend(pid)) > 0 from pg_stat_activity
            where datname = current_database() and application_name = 'chatpay' and state = 'idle in transaction'
                and backend_xid is not null
            """);
        await wind.DisposeAsync();

        Assert.True((await first).IsApplied);
        Assert.Equal(900, (await second).Moved.Value);
        Assert.Equal((9_100, 0), await _scene.BalanceAsync(alice));
    }
}
