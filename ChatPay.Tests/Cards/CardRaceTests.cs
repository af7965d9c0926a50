using ChatPay.Core.Protocol;
using ChatPay.Server.Cards;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>Many at once, on two nodes, and with the database going away in the middle.</summary>
public sealed class CardRaceTests(MoneyFixture money) : IClassFixture<MoneyFixture>, IAsyncLifetime
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    private TestServer? _second;

    private CardService[] Nodes => [money.Cards, _second!.Services.GetRequiredService<CardService>()];

    public async ValueTask InitializeAsync() =>
        _second = await TestServer.StartAsync(money.ConnectionString, MoneyFixture.Settings);

    public async ValueTask DisposeAsync() => await _second!.DisposeAsync();

    [Fact]
    public async Task Accepting_a_hundred_times_settles_once()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 700);
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(turn => Nodes[turn % 2].ActAsync(
            bob.Caller, new CardActRequest(card.Id, 1, CardActionKind.Accept, money.NewId()), CancellationToken.None)));

        Assert.Equal(1, results.Count(result => result.IsOk));
        Assert.All(
            results.Where(result => !result.IsOk), result => Assert.Equal(ErrorCode.CardTerminal, result.Error!.Code));
        Assert.Equal((10_700, 0), await money.BalanceAsync(bob));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task One_key_sent_a_hundred_times_gets_one_answer()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 700);
        var accept = new CardActRequest(card.Id, 1, CardActionKind.Accept, money.NewId());
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(turn =>
            Nodes[turn % 2].ActAsync(bob.Caller, accept, CancellationToken.None)));

        Assert.All(results, result => Assert.True(result.IsOk));
        Assert.Single(results.Select(result => (result.Value.Seq, result.Value.At)).Distinct());
        Assert.Equal((10_700, 0), await money.BalanceAsync(bob));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task One_post_sent_to_two_nodes_at_once_makes_one_card()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        foreach (var kind in new[] { CardKind.Transfer, CardKind.Request })
        {
            var post = MoneyFixture.Card(kind, conversation, alice, bob, 10);
            var results = await Task.WhenAll(Enumerable.Range(0, 40).Select(turn =>
                Nodes[turn % 2].ActAsync(alice.Caller, money.Sign(alice, post), CancellationToken.None)));
            Assert.All(results, result => Assert.Null(result.Error));
            Assert.Single(results.Select(result => result.Value.Seq).Distinct());
        }

        Assert.Equal((10_000, 10), await money.BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Of_accept_cancel_and_expiry_one_wins()
    {
        for (var round = 0; round < 10; round++)
        {
            var (alice, bob, conversation) = await money.PairAsync();
            var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 500, lifetimeSeconds: 60);
            if (round % 2 == 1)
            {
                await money.AdvanceAsync(TimeSpan.FromSeconds(60));
            }

            var toAccept = new CardActRequest(card.Id, 1, CardActionKind.Accept, money.NewId());
            var accept = Nodes[round % 2].ActAsync(bob.Caller, toAccept, CancellationToken.None);
            var toCancel = new CardActRequest(card.Id, 1, CardActionKind.Cancel, money.NewId());
            var cancel = Nodes[(round + 1) % 2].ActAsync(alice.Caller, toCancel, CancellationToken.None);
            var sweep = money.Sweeper.SweepAsync(CancellationToken.None);
            var wins = new[] { (await accept).IsOk, (await cancel).IsOk, await sweep > 0 };

            Assert.Equal(1, wins.Count(won => won));
            Assert.Equal(round % 2 == 1, wins[2]);
            Assert.Equal((wins[0] ? 9_500 : 10_000, 0), await money.BalanceAsync(alice));
        }

        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Two_sweepers_expire_a_card_once()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        for (var count = 0; count < 20; count++)
        {
            await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 10, lifetimeSeconds: 60);
        }

        await money.AdvanceAsync(TimeSpan.FromSeconds(60));
        var other = _second!.Services.GetRequiredService<CardSweeper>();
        var closed = await Task.WhenAll(
            money.Sweeper.SweepAsync(CancellationToken.None), other.SweepAsync(CancellationToken.None));
        Assert.Equal(20, closed.Sum());
        Assert.Equal((10_000, 0), await money.BalanceAsync(alice));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Payments_back_and_forth_at_once_keep_the_books()
    {
        var people = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => money.PersonAsync()));
        var conversation = await money.ConversationAsync(people);
        var payments = Enumerable.Range(0, 200).Select(async turn =>
        {
            var (from, to) = (people[turn % 4], people[(turn + 1 + (turn / 4 % 3)) % 4]);
            var post = MoneyFixture.Card(CardKind.Transfer, conversation, from, to, 1 + (turn * 37 % 900));
            var posted = await Nodes[turn % 2].ActAsync(
                from.Caller, money.Sign(from, post), CancellationToken.None);
            if (posted.IsOk)
            {
                var action = turn % 5 == 0 ? CardActionKind.Decline : CardActionKind.Accept;
                var closed = await Nodes[turn / 2 % 2].ActAsync(
                    to.Caller, new CardActRequest(post.Card, 1, action, money.NewId()), CancellationToken.None);
                Assert.Null(closed.Error);
            }
            else
            {
                Assert.Equal(ErrorCode.InsufficientFunds, posted.Error!.Code);
            }
        });
        await Task.WhenAll(payments);

        var balances = await Task.WhenAll(people.Select(person => money.BalanceAsync(person)));
        Assert.Equal(40_000, balances.Sum(balance => balance.BalanceMinor));
        Assert.All(balances, balance => Assert.Equal(0, balance.HeldMinor));
        await money.AssertCleanAsync();
    }

    [Theory]
    [InlineData("select from ledger_account where owner_id = @payer for update")]
    [InlineData("lock table card_action in share mode")]
    public async Task A_connection_that_dies_in_the_middle_of_a_batch_is_replaced_and_the_batch_done_once(string block)
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var post = MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 300);

        // Holds the batch up while it loads, or while it writes.
        await using var blocker = await money.DataSource.OpenConnectionAsync();
        await using var blocking = await blocker.BeginTransactionAsync();
        await blocker.ExecuteAsync(block, new { payer = alice.Account.Value });
        var posting = money.ActAsync(alice, post);
        await KillWaitingAsync();
        Assert.False(posting.IsCompleted);
        await blocking.RollbackAsync();

        var posted = await posting.WaitAsync(s_deadline);
        Assert.Null(posted.Error);
        Assert.Equal((10_000, 300), await money.BalanceAsync(alice));
        Assert.Equal(1, await CountAsync("select count(*) from event where conversation_id = @id", conversation));
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task Connections_that_keep_dying_lose_and_double_nothing()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        using var done = new CancellationTokenSource();
        var killer = Task.Run(async () =>
        {
            await using var connection = await money.DataSource.OpenConnectionAsync();
            for (var killed = 0L; killed < 15 && !done.IsCancellationRequested;)
            {
                killed += await connection.QuerySingleAsync<long>("""
                    select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity
                    where datname = current_database() and application_name = 'chatpay' and state <> 'idle'
                    """);
                await Task.Delay(TimeSpan.FromMilliseconds(10), CancellationToken.None);
            }
        });

        var answered = await Task.WhenAll(Enumerable.Range(0, 60).Select(async turn =>
        {
            var post = MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 10);
            while (true)
            {
                // A client that gets a retryable error, or none at all, asks again with the same ids.
                try
                {
                    var result = await Nodes[turn % 2].ActAsync(alice.Caller, money.Sign(alice, post), CancellationToken.None);
                    if (result.Error is not { Retryable: true })
                    {
                        return result;
                    }
                }
                catch (NpgsqlException)
                {
                    continue;
                }
            }
        })).WaitAsync(s_deadline);
        await done.CancelAsync();
        await killer;

        Assert.All(answered, result => Assert.Null(result.Error));
        Assert.Equal((10_000, 600), await money.BalanceAsync(alice));
        Assert.Equal(60, await CountAsync("select count(*) from event where conversation_id = @id", conversation));
        Assert.Equal(60, await CountAsync("select head from conversation where id = @id", conversation));
        await money.AssertCleanAsync();
    }

    private async Task KillWaitingAsync()
    {
        await using var connection = await money.DataSource.OpenConnectionAsync();
        using var deadline = new CancellationTokenSource(s_deadline);
        while (await connection.QuerySingleAsync<long>("""
            select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity
            where datname = current_database() and application_name = 'chatpay' and wait_event_type = 'Lock'
            """) == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), deadline.Token);
        }
    }

    private async Task<long> CountAsync(string sql, ConversationId conversation)
    {
        await using var connection = await money.DataSource.OpenConnectionAsync();
        return await connection.QuerySingleAsync<long>(sql, new { id = conversation.Value });
    }
}
