using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>The table of hard cases, each through the engine's door on two nodes at once where that can matter.</summary>
public sealed class LedgerHardCaseTests(MoneyFixture money) : IClassFixture<MoneyFixture>, IAsyncLifetime
{
    private readonly LedgerScene _scene = new(money);
    private LedgerNode[] _nodes = [];

    private LedgerNode One => _nodes[0];

    private LedgerNode Two => _nodes[1];

    public async ValueTask InitializeAsync() => _nodes =
        [await LedgerNode.StartAsync(money.ConnectionString), await LedgerNode.StartAsync(money.ConnectionString)];

    public async ValueTask DisposeAsync()
    {
        await One.DisposeAsync();
        await Two.DisposeAsync();
        await money.AssertCleanAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_capture_release_and_expiry_at_the_same_instant_one_wins(bool timeIsUp)
    {
        for (var round = 0; round < 10; round++)
        {
            var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
            var hold = _scene.Hold(alice, 700, lifetimeSeconds: 600);
            Assert.True((await One.PostAsync(hold)).IsApplied);
            await money.AdvanceAsync(TimeSpan.FromSeconds(timeIsUp ? 600 : 300));

            var outcomes = await Task.WhenAll(
                _nodes[round % 2].PostAsync(_scene.CaptureAll(hold, bob)),
                _nodes[(round + 1) % 2].PostAsync(_scene.Release(hold)),
                _nodes[round / 2 % 2].PostAsync(_scene.Expire(hold)));
            Assert.Equal(1, outcomes.Count(outcome => outcome.IsApplied));
            Assert.False(outcomes[timeIsUp ? 0 : 2].IsApplied);
            LedgerStatus[] late =
                [LedgerStatus.HoldClosed, timeIsUp ? LedgerStatus.HoldExpired : LedgerStatus.HoldNotExpired];
            Assert.All(outcomes.Where(outcome => !outcome.IsApplied), outcome => Assert.Contains(outcome.Status, late));
            Assert.Equal((outcomes[0].IsApplied ? 9_300 : 10_000, 0), await _scene.BalanceAsync(alice));
        }
    }

    /// <summary>On a clock that stands still: a microsecond before the end of a hold, and exactly at it.</summary>
    [Fact]
    public async Task At_the_very_end_of_a_hold_it_is_not_captured_and_a_microsecond_before_not_expired()
    {
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        LedgerCommand[] holds = [_scene.Hold(alice, 100, 60), _scene.Hold(alice, 100, 60)];
        Assert.All(
            await One.PostAsync(_scene.Group(holds)), outcome => Assert.True(outcome.IsApplied));
        try
        {
            await StopClockAsync(TimeSpan.FromMicroseconds(-1));
            Assert.Equal(LedgerStatus.HoldNotExpired, (await Two.PostAsync(_scene.Expire(holds[0]))).Status);
            Assert.True((await One.PostAsync(_scene.CaptureAll(holds[0], bob))).IsApplied);
            Assert.Equal(LedgerStatus.HoldNotExpired, (await Two.PostAsync(_scene.Expire(holds[1]))).Status);

            await StopClockAsync(TimeSpan.Zero);
            Assert.Equal(LedgerStatus.HoldExpired, (await One.PostAsync(_scene.Capture(holds[1], bob, 1))).Status);
            Assert.Equal(LedgerStatus.HoldExpired, (await Two.PostAsync(_scene.CaptureAll(holds[1], bob))).Status);
            Assert.True((await Two.PostAsync(_scene.Expire(holds[1]))).IsApplied);
        }
        finally
        {
            await ExecuteAsync("select pg_catalog.clock_timestamp() + ahead from test.clock");
        }

        Assert.Equal((9_900, 0), await _scene.BalanceAsync(alice));

        async Task StopClockAsync(TimeSpan fromTheEnd) => await ExecuteAsync(
            $"select expires_at + {fromTheEnd.TotalMicroseconds:F0} * interval '1 microsecond' from public.hold "
                + $"where transfer_id = '{holds[0].Id}'");

        async Task ExecuteAsync(string clock)
        {
            await using var command = money.DataSource.CreateCommand(
                "create or replace function test.clock_timestamp() returns timestamptz language sql volatile as "
                    + $"$$ {clock} $$");
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Of_two_captures_that_together_exceed_a_hold_one_is_paid()
    {
        for (var round = 0; round < 10; round++)
        {
            var (alice, bob, carol) = (await _scene.WalletAsync(), await _scene.WalletAsync(), await _scene.WalletAsync());
            var hold = _scene.Hold(alice, 1_000);
            Assert.True((await _nodes[round % 2].PostAsync(hold)).IsApplied);
            var outcomes = await Task.WhenAll(
                _nodes[0].PostAsync(_scene.Capture(hold, bob, 600)), _nodes[1].PostAsync(_scene.Capture(hold, carol, 600)));
            Assert.Single(outcomes, outcome => outcome.IsApplied);
            Assert.Single(outcomes, outcome => outcome.Status == LedgerStatus.HoldExceeded);
            Assert.Equal((9_400, 400), await _scene.BalanceAsync(alice));
        }
    }

    [Fact]
    public async Task A_refund_and_a_dispute_of_one_payment_return_it_once()
    {
        for (var round = 0; round < 10; round++)
        {
            var (buyer, shop) = (await _scene.WalletAsync(), await _scene.WalletAsync());
            var payment = _scene.Pay(buyer, shop, 5_000);
            Assert.True((await _nodes[round % 2].PostAsync(payment)).IsApplied);

            // The shop gives it back, and so does whoever judges disputes: another actor, another id.
            var dispute = LedgerCommand.Refund(
                _scene.Id(), payment.Id, shop, buyer, Money.Of(5_000, LedgerScene.Eur),
                new TransferCause(new AccountId(money.NewId())));
            var outcomes = await Task.WhenAll(
                _nodes[0].PostAsync(_scene.Refund(payment, 5_000)), _nodes[1].PostAsync(dispute));
            Assert.Single(outcomes, outcome => outcome.IsApplied);
            Assert.Single(outcomes, outcome => outcome.Status == LedgerStatus.RefundExceeded);
            Assert.Equal((10_000, 0), await _scene.BalanceAsync(buyer));
        }
    }

    [Fact]
    public async Task Bursts_from_A_to_B_and_from_B_to_A_keep_the_books()
    {
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 2_000).Select(async turn =>
        {
            var (from, to) = turn / 2 % 2 == 0 ? (alice, bob) : (bob, alice);
            var amountMinor = 1 + (turn * 37 % 900);
            var outcome = await _nodes[turn % 2].PostAsync(_scene.Pay(from, to, amountMinor));
            return (From: from, Minor: outcome.IsApplied ? amountMinor : 0, outcome.Status);
        }));
        Assert.All(outcomes, outcome =>
            Assert.True(outcome.Status is LedgerStatus.Applied or LedgerStatus.InsufficientFunds));
        var paidMinor = outcomes.Sum(outcome => outcome.From == alice ? outcome.Minor : -outcome.Minor);
        Assert.Equal((10_000 - paidMinor, 0), await _scene.BalanceAsync(alice));
        Assert.Equal((10_000 + paidMinor, 0), await _scene.BalanceAsync(bob));
    }

    [Fact]
    public async Task A_later_credit_of_a_batch_does_not_fund_an_earlier_debit()
    {
        await using var node = await LedgerNode.StartAsync(money.ConnectionString, flights: 1, lockTimeoutMs: 60_000);
        var (alice, carol, dave) = (await _scene.WalletAsync(), await _scene.WalletAsync(), await _scene.WalletAsync());
        var bob = await _scene.EmptyWalletAsync(node);
        LedgerCommand[] batch = [_scene.Pay(bob, alice, 500), _scene.Pay(carol, dave, 5), _scene.Pay(alice, bob, 500)];
        var debit = batch[0];

        // While a batch is held up, with no second one in the air, what is asked for gathers in the next.
        await using (var wind = await Headwind.AgainstAsync(money.DataSource, carol))
        {
            var before = node.PostAsync(_scene.Pay(carol, dave, 1));
            await _scene.UntilWaitingAsync();
            var asked = batch.Select(node.PostAsync).ToArray();
            await wind.DisposeAsync();
            Assert.True((await before).IsApplied);
            Assert.Equal(
                [LedgerStatus.InsufficientFunds, LedgerStatus.Applied, LedgerStatus.Applied],
                (await Task.WhenAll(asked)).Select(outcome => outcome.Status));
        }

        Assert.Equal(1, await _scene.CountAsync(
            "select count(distinct seq / 1048576) from transfer where id = any(@ids)",
            new { ids = batch.Select(command => command.Id.Value).ToArray() }));

        var group = await One.PostAsync(_scene.Group(_scene.Pay(bob, alice, 501), _scene.Pay(alice, bob, 1)));
        Assert.Equal(
            [LedgerStatus.InsufficientFunds, LedgerStatus.LinkedFailed], group.Select(outcome => outcome.Status));
        Assert.Equal(LedgerStatus.InsufficientFunds, (await One.PostAsync(debit)).Status);
        Assert.Equal((500, 0), await _scene.BalanceAsync(bob));
    }

    [Fact]
    public async Task Of_ten_thousand_claimants_on_a_hundred_shares_a_hundred_get_one()
    {
        var (pool, claimants) = (LedgerAccountId.OfSystem("pool", LedgerScene.Share), new LedgerAccountId[10_000]);
        await OpenAsync(LedgerAccount.Open(LedgerOwner.OfSystem("pool"), LedgerScene.Share) with { Guarded = true });
        for (var index = 0; index < claimants.Length; index++)
        {
            claimants[index] = LedgerAccountId.OfSystem($"claimant{index}", LedgerScene.Share);
        }

        await OpenAsync([.. Enumerable.Range(0, claimants.Length)
            .Select(index => LedgerAccount.Open(LedgerOwner.OfSystem($"claimant{index}"), LedgerScene.Share))]);
        var source = LedgerAccount.Open(LedgerOwner.OfSystem("shares"), LedgerScene.Share);
        await OpenAsync(source);
        Assert.True((await One.PostAsync(
            LedgerCommand.Transfer(_scene.Id(), source.Id, pool, Money.Of(100, LedgerScene.Share)))).IsApplied);

        // One id per claimant: who asks twice, on both nodes, still gets one.
        LedgerCommand[] claims = [.. claimants.Select(claimant =>
            LedgerCommand.Transfer(_scene.Id(), pool, claimant, Money.Of(1, LedgerScene.Share)))];
        var outcomes = await Task.WhenAll(claims.Concat(claims.Take(1_000)).Select((claim, turn) =>
            _nodes[turn % 2].PostAsync(claim)));
        Assert.Equal(100, outcomes[..10_000].Count(outcome => outcome.IsApplied));
        Assert.Equal(9_900, outcomes[..10_000].Count(outcome => outcome.Status == LedgerStatus.InsufficientFunds));
        Assert.Equal(
            outcomes[..1_000].Select(outcome => outcome.Status), outcomes[10_000..].Select(outcome => outcome.Status));
        Assert.Equal((0, 0), await _scene.BalanceAsync(pool));
    }

    [Fact]
    public async Task A_flash_sale_whose_payment_fails_leaves_the_unit_to_the_next_buyer()
    {
        var stock = LedgerAccountId.OfSystem("stock", LedgerScene.Share);
        var sold = LedgerAccountId.OfSystem("sold", LedgerScene.Share);
        var maker = LedgerAccount.Open(LedgerOwner.OfSystem("maker"), LedgerScene.Share);
        await OpenAsync(
            LedgerAccount.Open(LedgerOwner.OfSystem("stock"), LedgerScene.Share) with { Guarded = true },
            LedgerAccount.Open(LedgerOwner.OfSystem("sold"), LedgerScene.Share), maker);
        Assert.True((await One.PostAsync(
            LedgerCommand.Transfer(_scene.Id(), maker.Id, stock, Money.Of(1, LedgerScene.Share)))).IsApplied);
        var shop = await _scene.WalletAsync();
        var poor = await _scene.EmptyWalletAsync(One);

        var failed = await _nodes[0].PostAsync(Purchase(poor));
        Assert.Equal(
            [LedgerStatus.LinkedFailed, LedgerStatus.InsufficientFunds, LedgerStatus.LinkedFailed],
            failed.Select(outcome => outcome.Status));
        Assert.Equal((1, 0), await _scene.BalanceAsync(stock));

        var rich = await _scene.WalletsAsync(8);
        var rush = await Task.WhenAll(rich.Select((buyer, turn) => _nodes[turn % 2].PostAsync(Purchase(buyer))));
        Assert.Single(rush, outcomes => outcomes.All(outcome => outcome.IsApplied));
        Assert.Equal(7, rush.Count(outcomes => outcomes[0].Status == LedgerStatus.InsufficientFunds
            && outcomes.Skip(1).All(outcome => outcome.Status == LedgerStatus.LinkedFailed)));
        Assert.Equal((12_000, 0), await _scene.BalanceAsync(shop));
        Assert.Equal((0, 0), await _scene.BalanceAsync(stock));

        LedgerGroup Purchase(LedgerAccountId buyer)
        {
            var reservation = LedgerCommand.Hold(_scene.Id(), stock, Money.Of(1, LedgerScene.Share), 60);
            return _scene.Group(reservation, _scene.Pay(buyer, shop, 2_000), _scene.CaptureAll(reservation, sold));
        }
    }

    [Fact]
    public async Task A_reservation_whose_payment_fails_is_given_back_and_sold_to_the_next_buyer()
    {
        var stock = LedgerAccountId.OfSystem("last piece", LedgerScene.Share);
        var sold = LedgerAccountId.OfSystem("pieces sold", LedgerScene.Share);
        var maker = LedgerAccount.Open(LedgerOwner.OfSystem("workshop"), LedgerScene.Share);
        await OpenAsync(
            LedgerAccount.Open(LedgerOwner.OfSystem("last piece"), LedgerScene.Share) with { Guarded = true },
            LedgerAccount.Open(LedgerOwner.OfSystem("pieces sold"), LedgerScene.Share), maker);
        Assert.True((await One.PostAsync(
            LedgerCommand.Transfer(_scene.Id(), maker.Id, stock, Money.Of(1, LedgerScene.Share)))).IsApplied);
        var (shop, rich) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        var poor = await _scene.EmptyWalletAsync(One);

        var reserved = Reserve();
        Assert.True((await One.PostAsync(reserved)).IsApplied);
        Assert.Equal(LedgerStatus.InsufficientFunds, (await Two.PostAsync(Reserve())).Status);
        Assert.Equal(LedgerStatus.InsufficientFunds, (await One.PostAsync(_scene.Pay(poor, shop, 2_000))).Status);
        Assert.True((await One.PostAsync(_scene.Release(reserved))).IsApplied);

        var again = Reserve();
        Assert.True((await Two.PostAsync(again)).IsApplied);
        Assert.True((await Two.PostAsync(_scene.Pay(rich, shop, 2_000))).IsApplied);
        Assert.Equal(LedgerStatus.HoldClosed, (await One.PostAsync(_scene.CaptureAll(reserved, sold))).Status);
        Assert.True((await Two.PostAsync(_scene.CaptureAll(again, sold))).IsApplied);
        Assert.Equal(LedgerStatus.InsufficientFunds, (await One.PostAsync(Reserve())).Status);
        Assert.Equal((0, 0), await _scene.BalanceAsync(stock));
        Assert.Equal((1, 0), await _scene.BalanceAsync(sold));

        LedgerCommand Reserve() => LedgerCommand.Hold(_scene.Id(), stock, Money.Of(1, LedgerScene.Share), 60);
    }

    [Fact]
    public async Task The_same_key_with_another_payload_is_refused_and_the_first_stands()
    {
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        var first = _scene.Pay(alice, bob, 100);
        LedgerCommand[] rivals =
        [
            LedgerCommand.Transfer(first.Id, alice, bob, Money.Of(101, LedgerScene.Eur)),
            LedgerCommand.Transfer(first.Id, bob, alice, Money.Of(100, LedgerScene.Eur)),
            LedgerCommand.Balancing(first.Id, alice, bob, Money.Of(100, LedgerScene.Eur)),
            LedgerCommand.Hold(first.Id, alice, Money.Of(100, LedgerScene.Eur), 60),
        ];
        Assert.True((await One.PostAsync(first)).IsApplied);
        foreach (var (rival, turn) in rivals.Select((rival, turn) => (rival, turn)))
        {
            Assert.Equal(LedgerStatus.IdempotencyConflict, (await _nodes[turn % 2].PostAsync(rival)).Status);
        }

        Assert.Equal(new LedgerOutcome(LedgerStatus.Applied, new(100), Replayed: true), await Two.PostAsync(first));

        // All at once on two nodes: whichever comes first stands, and the others are refused.
        var id = _scene.Id();
        var outcomes = await Task.WhenAll(Enumerable.Range(1, 20).Select(amountMinor => _nodes[amountMinor % 2].PostAsync(
            LedgerCommand.Transfer(id, alice, bob, Money.Of(amountMinor, LedgerScene.Eur)))));
        Assert.Single(outcomes, outcome => outcome.IsApplied);
        Assert.Equal(19, outcomes.Count(outcome => outcome.Status == LedgerStatus.IdempotencyConflict));
    }

    [Fact]
    public async Task A_balance_that_would_leave_64_bits_is_refused()
    {
        var (mint, hoard) = (LedgerAccount.Open(LedgerOwner.OfSystem("mint"), LedgerScene.Share),
            LedgerAccount.Open(LedgerOwner.OfSystem("hoard"), LedgerScene.Share));
        await OpenAsync(mint, hoard);
        var steps = (int)(long.MaxValue / Limits.AmountMaxMinor);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, steps).Select(turn =>
            One.PostAsync(Give(Limits.AmountMaxMinor))));
        Assert.All(outcomes, outcome => Assert.True(outcome.IsApplied));
        var rest = long.MaxValue - (steps * Limits.AmountMaxMinor);
        Assert.Equal(LedgerStatus.AmountOverflow, (await One.PostAsync(Give(rest + 1))).Status);
        Assert.True((await Two.PostAsync(Give(rest))).IsApplied);
        Assert.Equal(LedgerStatus.AmountOverflow, (await One.PostAsync(Give(1))).Status);
        Assert.Equal(LedgerStatus.AmountOverflow, (await One.PostAsync(Give(Limits.AmountMaxMinor + 1))).Status);
        Assert.Equal((long.MaxValue, 0), await _scene.BalanceAsync(hoard.Id));

        LedgerCommand Give(long amountMinor) =>
            LedgerCommand.Transfer(_scene.Id(), mint.Id, hoard.Id, Money.Of(amountMinor, LedgerScene.Share));
    }

    [Fact]
    public async Task Zero_negative_self_and_wrong_asset_are_refused()
    {
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        var before = await money.StateAsync();
        (LedgerCommand Command, LedgerStatus Status)[] cases =
        [
            (_scene.Pay(alice, bob, 0), LedgerStatus.AmountNotPositive),
            (_scene.Pay(alice, bob, -1), LedgerStatus.AmountNotPositive),
            (_scene.Pay(alice, bob, long.MinValue), LedgerStatus.AmountNotPositive),
            (_scene.Hold(alice, -1), LedgerStatus.AmountNotPositive),
            (_scene.Pay(alice, alice, 1), LedgerStatus.SelfTransfer),
            (_scene.Pay(alice, new LedgerAccountId(money.NewId()), 1), LedgerStatus.AccountUnknown),
            (PayIn("JPY"), LedgerStatus.AssetMismatch),
            (PayIn("XAU"), LedgerStatus.AssetUnknown),
        ];
        foreach (var (command, status) in cases)
        {
            Assert.Equal(status, (await One.PostAsync(command)).Status);
            Assert.Equal(new LedgerOutcome(status, Replayed: true), await Two.PostAsync(command));
        }

        Assert.Equal(before, await money.StateAsync());

        LedgerCommand PayIn(string asset) =>
            LedgerCommand.Transfer(_scene.Id(), alice, bob, Money.Of(1, AssetCode.Parse(asset)));
    }

    [Fact]
    public async Task A_start_that_changes_an_assets_exponent_is_refused()
    {
        var settings = new Dictionary<string, string?>(MoneyFixture.Settings, StringComparer.Ordinal)
        {
            ["Ledger:Assets:0:Exponent"] = "3",
        };
        var refused = await Assert.ThrowsAsync<StartupException>(
            () => TestServer.StartAsync(money.ConnectionString, settings));
        Assert.Contains("EUR", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clock_that_steps_back_orders_no_entry_before_another()
    {
        var (alice, bob) = (await _scene.WalletAsync(), await _scene.WalletAsync());
        await money.AdvanceAsync(TimeSpan.FromHours(2));
        var hold = _scene.Hold(alice, 100, lifetimeSeconds: 60);
        Assert.True((await _nodes[0].PostAsync(hold)).IsApplied);
        await money.AdvanceAsync(TimeSpan.FromHours(-1));
        Assert.True((await _nodes[1].PostAsync(_scene.Pay(alice, bob, 1))).IsApplied);
        Assert.Equal(LedgerStatus.HoldNotExpired, (await _nodes[0].PostAsync(_scene.Expire(hold))).Status);
        Assert.True((await _nodes[0].PostAsync(_scene.Capture(hold, bob, 40))).IsApplied);
        await money.AdvanceAsync(TimeSpan.FromHours(2));
        Assert.Equal(LedgerStatus.HoldExpired, (await _nodes[1].PostAsync(_scene.CaptureAll(hold, bob))).Status);
        Assert.Equal(60, (await _nodes[0].PostAsync(_scene.Expire(hold))).Moved.Value);
        Assert.Equal(0, await _scene.CountAsync(
            """
            select count(*) from entry a join entry b on b.account_id = a.account_id and b.version = a.version + 1
            where b.created_at < a.created_at
            """));
    }

    private Task OpenAsync(params LedgerAccount[] accounts) => LedgerScene.OpenAsync(money.DataSource, accounts);
}
