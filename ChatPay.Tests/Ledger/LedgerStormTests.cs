using System.Collections.Concurrent;
using System.Security.Cryptography;
using ChatPay.Core.Ledger;
using ChatPay.Tests.Support;
using Dapper;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>
/// Two nodes in a storm: statements fail as if other transactions had been quicker, connections are ended in whatever they
/// are doing, callers leave and ask again elsewhere, the clock goes back and forth.
/// </summary>
public sealed class LedgerStormTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private const int Callers = 12;
    private const int ActsPerCaller = 50;

    private readonly LedgerScene _scene = new(money);

    [Fact]
    public async Task Whoever_asks_until_answered_is_told_what_is_stored()
    {
        var seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        TestContext.Current.TestOutputHelper!.WriteLine($"Seed {seed}.");
        var dice = new Dice(seed);
        await using var one = await LedgerNode.StartAsync(
            money.ConnectionString, batchSize: 8, flights: 3, lockTimeoutMs: 200, queueCapacity: 64);
        await using var two = await LedgerNode.StartAsync(
            money.ConnectionString, batchSize: 32, flights: 2, cachedAccounts: 4, lockTimeoutMs: 200);
        LedgerNode[] nodes = [one, two];
        TrafficAccount[] accounts =
        [
            .. (await _scene.WalletsAsync(5)).Select(wallet => new TrafficAccount(wallet, LedgerScene.Eur)),
            new(LedgerScene.Bank, LedgerScene.Eur, MayChange: false),
        ];
        var traffic = new LedgerTraffic(dice, accounts, dice.NextId, scaleMinor: 20, rivals: 8);
        LedgerAct[] acts = [.. Enumerable.Range(0, Callers * ActsPerCaller).Select(_ => traffic.Next())];
        var answers = new ConcurrentBag<(LedgerAct Act, NaiveOutcome[] Outcomes)>();

        await BlowAsync(percent: 4);
        using var calm = new CancellationTokenSource();
        var storm = Task.Run(() => KillAsync(new Dice(seed + 1), calm.Token));
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var chance = new Dice(seed + 2 + (ulong)caller);
            for (var index = caller; index < acts.Length; index += Callers)
            {
                var act = acts[index];
                if (act is LedgerAct.Single single && chance.Chance(30))
                {
                    // It is decided all the same, or refused by a full queue, and asked for again below.
                    using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(chance.Next(6)));
                    await Task.WhenAny(chance.Pick(nodes).TryPostAsync(single.Command, patience.Token));
                }

                foreach (var outcomes in await Task.WhenAll(
                    nodes.Take(chance.Chance(50) ? 2 : 1).Select(node => node.PostAsync(act))))
                {
                    answers.Add((act, [.. outcomes.Select(NaiveOutcome.Of)]));
                }
            }
        }))).WaitAsync(TimeSpan.FromMinutes(3));
        await calm.CancelAsync();
        var killed = await storm;
        await BlowAsync(percent: 0);

        Assert.True(killed >= 20, $"Only {killed} connections were ended.");
        await AssertStoredAsync(answers);
        Assert.Equal(0, await _scene.CountAsync(
            """
            select count(*) from entry a join transfer t on t.id = a.transfer_id
            join entry b on b.account_id = a.account_id and b.version = a.version + 1
            join transfer u on u.id = b.transfer_id
            where u.seq <= t.seq or b.created_at < a.created_at
            """));
        await money.AssertCleanAsync();
    }

    private async Task AssertStoredAsync(IEnumerable<(LedgerAct Act, NaiveOutcome[] Outcomes)> answers)
    {
        await using var connection = await money.DataSource.OpenConnectionAsync();
        var stored = (await connection.QueryAsync<(Guid Id, byte[] Payload, int Status, long Minor)>(
            """
            select id, payload_hash, status, case when status = 0 then amount_minor else 0 end from transfer
            union all
            select id, payload_hash, status, 0 from ledger_account_change
            """))
            .ToDictionary(row => row.Id, row => (
                Payload: PayloadHash.From(row.Payload), Outcome: new NaiveOutcome((LedgerStatus)row.Status, row.Minor)));
        var conflict = new NaiveOutcome(LedgerStatus.IdempotencyConflict, 0);
        var statuses = new HashSet<LedgerStatus>();
        foreach (var (act, outcomes) in answers)
        {
            (Guid Id, PayloadHash Payload)[] parts = act switch
            {
                LedgerAct.Single single => [(single.Command.Id.Value, single.Command.HashPayload())],
                LedgerAct.Linked linked =>
                    [.. linked.Group.Members.Select(member => (member.Id.Value, member.HashPayload()))],
                LedgerAct.Change change => [(change.What.Id.Value, change.What.HashPayload())],
                _ => throw new InvalidOperationException("No such act."),
            };
            var known = Array.TrueForAll(
                parts, part => stored.TryGetValue(part.Id, out var row) && row.Payload == part.Payload);
            Assert.Equal(parts.Select(part => known ? stored[part.Id].Outcome : conflict), outcomes);
            statuses.UnionWith(outcomes.Select(outcome => outcome.Status));
        }

        Assert.Superset(
            new HashSet<LedgerStatus>
            {
                LedgerStatus.Applied, LedgerStatus.IdempotencyConflict, LedgerStatus.LinkedFailed,
                LedgerStatus.InsufficientFunds,
            },
            statuses);
    }

    /// <summary>So many of a hundred statements of each kind fail.</summary>
    private async Task BlowAsync(int percent)
    {
        await using var connection = await money.DataSource.OpenConnectionAsync();
        await connection.ExecuteAsync($"""
            create or replace function test.storm() returns trigger language plpgsql as $$
            begin
                if random() * 100 < {percent} then
                    raise exception 'a storm' using errcode = 'serialization_failure';
                end if;
                return null;
            end
            $$;
            create or replace trigger storm after insert on transfer execute function test.storm();
            create or replace trigger storm after insert on entry execute function test.storm();
            create or replace trigger storm after insert or update on hold execute function test.storm();
            create or replace trigger storm after insert or update on refunded execute function test.storm();
            create or replace trigger storm after update on ledger_account execute function test.storm();
            create or replace trigger storm after insert on ledger_account_change execute function test.storm();
            """);
    }

    private async Task<int> KillAsync(Dice dice, CancellationToken calm)
    {
        var killed = 0;
        await using var connection = await money.DataSource.OpenConnectionAsync(CancellationToken.None);
        while (!calm.IsCancellationRequested)
        {
            killed += await connection.QuerySingleAsync<int>("""
                select count(*) filter (where pg_terminate_backend(pid))::integer from (
                    select pid from pg_stat_activity
                    where datname = current_database() and application_name = 'chatpay' and state <> 'idle'
                    order by random() limit 1) one
                """);
            if (dice.Chance(20))
            {
                await money.AdvanceAsync(TimeSpan.FromSeconds(dice.Chance(30) ? -100 : 20));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10 + dice.Next(40)), CancellationToken.None);
        }

        return killed;
    }
}
