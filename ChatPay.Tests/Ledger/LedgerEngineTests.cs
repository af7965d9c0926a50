using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Ledger;
using ChatPay.Tests.Support;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>The write path and the real PostgreSQL against the naive model: loading, deciding, writing.</summary>
public sealed class LedgerEngineTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private const int CommandsMin = 200_000;
    private const int StreamsPerShape = 18;
    private const int ActsPerStream = 2_400;
    private const int ActsPerBurst = 200;

    /// <summary>Makes the traffic's amounts scarce in wallets of 10,000.</summary>
    private const int Scale = 20;

    /// <summary>Whole bursts in a batch; many small batches in the air; each alone; accounts that the cache soon drops.</summary>
    private static readonly (int BatchSize, int Flights, int CachedAccounts)[] s_shapes =
        [(1_024, 2, 262_144), (16, 3, 262_144), (40, 1, 262_144), (10, 4, 2)];

    private readonly HashSet<LedgerStatus> _seen = [];
    private int _commands;

    /// <summary>A failure prints the seed to replay it.</summary>
    [Fact]
    public async Task Engine_and_naive_model_agree_on_every_outcome_and_balance()
    {
        foreach (var (batchSize, flights, cachedAccounts) in s_shapes)
        {
            await using var node = await LedgerNode.StartAsync(
                money.ConnectionString, batchSize, flights, cachedAccounts);
            Prop.ForAll(Gen.Choose(1, int.MaxValue - 1).ToArbitrary(), seed => AgreesAsync(node, seed))
                .Check(Config.QuickThrowOnFailure.WithMaxTest(StreamsPerShape));
        }

        Assert.InRange(_commands, CommandsMin, int.MaxValue);
        Assert.Empty(Enum.GetValues<LedgerStatus>().Except(_seen));
        await money.AssertCleanAsync();
    }

    private async Task<bool> AgreesAsync(LedgerNode node, int seed)
    {
        var committer = node.Server.Services.GetRequiredService<GroupCommitter>();
        var dice = new Dice((ulong)seed);
        var (accounts, model) = await AccountsAsync(node);

        // The system account is shared with earlier streams, whose holds are nothing to this one's model.
        var (_, heldBeforeMinor) = await BalanceAsync(accounts[^1].Id);
        var traffic = new LedgerTraffic(dice, accounts, money.NewId, Scale);
        foreach (var burst in Enumerable.Range(0, ActsPerStream).Select(_ => traffic.Next()).Chunk(ActsPerBurst))
        {
            // The queue keeps the order in which one caller puts commands into it, whatever batches they end up in.
            var decided = await Task.WhenAll(burst.Select(act => SubmitAsync(committer, act)));
            foreach (var (act, (outcomes, now)) in burst.Zip(decided))
            {
                var expected = model.Decide(act, now);
                _commands += expected.Length;
                _seen.UnionWith(expected.Select(outcome => outcome.Status));
                var actual = outcomes.Select(NaiveOutcome.Of).ToArray();
                if (!expected.AsSpan().SequenceEqual(actual))
                {
                    throw new InvalidOperationException(
                        $"{act}: the model says {string.Join(", ", expected)}, the engine {string.Join(", ", actual)}.");
                }
            }

            // Holds expire from burst to burst, and now and then the clock steps back.
            await money.AdvanceAsync(TimeSpan.FromSeconds(dice.Chance(15) ? -40 : 25));
        }

        foreach (var account in accounts)
        {
            var (balanceMinor, heldMinor) = model.Balance(account.Id);
            var earlierMinor = account == accounts[^1] ? heldBeforeMinor : 0;
            Assert.Equal((balanceMinor, heldMinor + earlierMinor), await BalanceAsync(account.Id));
        }

        return true;
    }

    private static async Task<(IReadOnlyList<LedgerOutcome> Outcomes, DateTimeOffset Now)> SubmitAsync(
        GroupCommitter committer, LedgerAct act)
    {
        switch (act)
        {
            case LedgerAct.Linked linked:
                var group = (await committer.SubmitAsync(new PostGroupCommand(linked.Group), default)).Value;
                return (group.Outcomes, group.Now);
            case LedgerAct.Change change:
                return One(await committer.SubmitAsync(new ChangeAccountCommand(change.What), default));
            case LedgerAct.Single single:
                return One(await committer.SubmitAsync(new PostTransferCommand(single.Command), default));
            default:
                throw new InvalidOperationException("No such act.");
        }

        static (IReadOnlyList<LedgerOutcome>, DateTimeOffset) One(Result<LedgerDecision> decided) =>
            ([decided.Value.Outcome], decided.Value.Now);
    }

    /// <summary>Three wallets with euros, one with yen, and the system account they came from.</summary>
    private async Task<(TrafficAccount[] Accounts, NaiveLedger Model)> AccountsAsync(LedgerNode node)
    {
        var (eur, jpy) = (AssetCode.Parse("EUR"), AssetCode.Parse("JPY"));
        var people = new WalletHolder[3];
        for (var index = 0; index < people.Length; index++)
        {
            // By the node itself: another one's hand on the system account would make it lock first for a while.
            people[index] = await money.PersonAsync(withWallets: false);
            await node.Server.Services.GetRequiredService<WalletService>().AccountOpenedAsync(
                people[index].Account, TestContext.Current.CancellationToken);
        }

        TrafficAccount[] accounts =
        [
            .. people.Select(person => new TrafficAccount(LedgerAccountId.Of(person.Account, eur), eur)),
            new(LedgerAccountId.Of(people[0].Account, jpy), jpy),
            new(LedgerAccountId.OfSystem("sandbox", eur), eur, MayChange: false),
        ];
        var model = new NaiveLedger(eur, jpy, AssetCode.Parse("KWD"));
        foreach (var account in accounts)
        {
            var (balanceMinor, _) = await BalanceAsync(account.Id);
            model.Open(account.Id, account.Asset, guarded: account.MayChange, balanceMinor);
        }

        // What happened before lies so far back that no step of the clock reaches it: the model does not know of it.
        await money.AdvanceAsync(TimeSpan.FromHours(1));
        return (accounts, model);
    }

    private async Task<(long BalanceMinor, long HeldMinor)> BalanceAsync(LedgerAccountId account)
    {
        await using var command = money.DataSource.CreateCommand(
            "select balance_minor, held_minor from ledger_account where id = $1");
        command.Parameters.AddWithValue(account.Value);
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        return (reader.GetInt64(0), reader.GetInt64(1));
    }
}
