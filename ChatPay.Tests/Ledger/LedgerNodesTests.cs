using System.Collections.Concurrent;
using System.Security.Cryptography;
using ChatPay.Core.Ledger;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>Several nodes, each with a poster and a cache of its own, at work on one database with the same ids.</summary>
public sealed class LedgerNodesTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private static readonly string[] s_traffics = ["one hot account", "uniform", "holds", "groups", "freezing"];

    private readonly LedgerScene _scene = new(money);

    public static TheoryData<int, string> Crowds =>
        new(s_traffics.Select(traffic => (2, traffic)).Concat(s_traffics.Select(traffic => (4, traffic))));

    [Theory]
    [MemberData(nameof(Crowds))]
    public async Task The_same_shuffled_ids_on_every_node_are_each_decided_once(int nodeCount, string traffic)
    {
        var seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        TestContext.Current.TestOutputHelper!.WriteLine($"Seed {seed}.");
        var dice = new Dice(seed);
        var nodes = new List<LedgerNode>();
        try
        {
            for (var index = 0; index < nodeCount; index++)
            {
                // Small batches and three in the air, so that much meets.
                nodes.Add(await LedgerNode.StartAsync(
                    money.ConnectionString, batchSize: 16 << index, flights: 1 + (index % 3), cachedAccounts: 1_024));
            }

            var wallets = await _scene.WalletsAsync(8);
            var before = await TotalAsync(wallets);
            var acts = Acts(dice, traffic, wallets);
            var answers = new ConcurrentDictionary<LedgerAct, ConcurrentBag<string>>(ReferenceEqualityComparer.Instance);
            await Task.WhenAll(nodes.Select(async node =>
            {
                foreach (var burst in Shuffle(new Dice(seed + (ulong)nodes.IndexOf(node)), acts).Chunk(150))
                {
                    await Task.WhenAll(burst.Select(async act => answers.GetOrAdd(act, _ => []).Add(
                        string.Join(' ', (await node.PostAsync(act)).Select(NaiveOutcome.Of)))));
                }
            })).WaitAsync(LedgerScene.Deadline);

            Assert.All(answers.Values, all => Assert.Single(all.Distinct()));
            Assert.Equal(acts.Count, answers.Count);
            Assert.Contains(answers.Values, all => all.First().Contains("Applied", StringComparison.Ordinal));
            Assert.Equal(before, await TotalAsync(wallets));
            await AssertStoredOnceAsync(acts);
            await money.AssertCleanAsync();
        }
        finally
        {
            foreach (var node in nodes)
            {
                await node.DisposeAsync();
            }
        }
    }

    private List<LedgerAct> Acts(Dice dice, string traffic, LedgerAccountId[] wallets)
    {
        var acts = new List<LedgerAct>();
        for (var turn = 0; turn < 150; turn++)
        {
            var (from, to) = (dice.Next(wallets.Length), 1 + dice.Next(wallets.Length - 1));
            var (payer, payee) = (wallets[from], wallets[(from + to) % wallets.Length]);
            var amountMinor = 1 + dice.Next(3_000);
            switch (traffic)
            {
                case "one hot account":
                    acts.Add(Single(payer == wallets[0]
                        ? _scene.Pay(payer, payee, amountMinor)
                        : _scene.Pay(payer, wallets[0], amountMinor)));
                    break;
                case "holds":
                    var hold = _scene.Hold(payer, amountMinor);
                    var capture = _scene.Capture(hold, payee, 1 + (amountMinor / 2));
                    acts.AddRange(new[]
                    {
                        hold, capture, _scene.CaptureAll(hold, payee), _scene.Release(hold), _scene.Expire(hold),
                        _scene.Refund(capture, 1 + (amountMinor / 3)), _scene.Refund(capture, 1 + (amountMinor / 3)),
                    }.Select(Single));
                    break;
                case "groups":
                    var reserved = _scene.Hold(payer, amountMinor);
                    acts.Add(new LedgerAct.Linked(_scene.Group(
                        reserved, _scene.Pay(payee, payer, amountMinor), _scene.CaptureAll(reserved, payee))));
                    break;
                case "freezing" when turn % 4 == 0:
                    acts.Add(new LedgerAct.Change(_scene.Change(
                        dice.Chance(40) ? AccountChangeKind.Freeze : AccountChangeKind.Unfreeze, payer)));
                    break;
                default:
                    acts.Add(Single(_scene.Pay(payer, payee, amountMinor)));
                    break;
            }
        }

        return acts;
    }

    private static LedgerAct Single(LedgerCommand command) => new LedgerAct.Single(command);

    private static List<LedgerAct> Shuffle(Dice dice, IReadOnlyList<LedgerAct> acts)
    {
        var shuffled = acts.ToList();
        for (var index = shuffled.Count - 1; index > 0; index--)
        {
            var other = dice.Next(index + 1);
            (shuffled[index], shuffled[other]) = (shuffled[other], shuffled[index]);
        }

        return shuffled;
    }

    private async Task<long> TotalAsync(LedgerAccountId[] wallets) => await _scene.CountAsync(
        "select sum(balance_minor)::bigint from ledger_account where id = any(@ids)",
        new { ids = wallets.Select(wallet => wallet.Value).ToArray() });

    private async Task AssertStoredOnceAsync(List<LedgerAct> acts)
    {
        Guid[] ids =
        [
            .. acts.OfType<LedgerAct.Single>().Select(act => act.Command.Id.Value),
            .. acts.OfType<LedgerAct.Linked>().SelectMany(act => act.Group.Members).Select(member => member.Id.Value),
        ];
        Assert.Equal(ids.Length, await _scene.CountAsync("select count(*) from transfer where id = any(@ids)", new { ids }));
    }
}
