using System.Globalization;
using System.Security.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Server.Transparency;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Receipts;

/// <summary>The ledger log takes in what was committed: all of it, once, in order, whoever commits late or dies.</summary>
public sealed class LedgerLogTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static IReadOnlyDictionary<string, string?> Often { get; } = new Dictionary<string, string?>(StringComparer.Ordinal)
    {
        ["LedgerLog:RoundMs"] = "10",
        ["LedgerLog:PatienceMs"] = "600000",
    };

    [Fact]
    public async Task Whatever_is_decided_is_sealed_in_order_and_nothing_is_signed_while_nothing_happens()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database);
        await using var server = await TestServer.StartAsync(database, Often);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await PayAsync(group, ada, ben);
        var count = await LedgerLogScene.SealedAsync(source);
        await LedgerLogScene.AssertWholeAsync(source);
        Assert.True(await LedgerLogScene.IsInOrderAsync(source));

        // Written by the next payment's round, not before.
        var version = await RowVersionAsync(source);
        await LookAsync(server);
        Assert.Equal(version, await RowVersionAsync(source));
        await PayAsync(group, ben, ada);
        Assert.Equal(count + 1, await LedgerLogScene.SealedAsync(source));
        Assert.NotEqual(version, await RowVersionAsync(source));
    }

    /// <summary>
    /// A batch that has its number and is not committed: what was decided after it waits for it, and it is not missed; and where
    /// it hangs for good, the others go on.
    /// </summary>
    [Theory]
    [InlineData(600_000)]
    [InlineData(0)]
    public async Task A_batch_that_commits_late_is_not_missed(int patienceMs)
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database);
        var settings = new Dictionary<string, string?>(Often, StringComparer.Ordinal)
        {
            ["LedgerLog:PatienceMs"] = patienceMs.ToString(CultureInfo.InvariantCulture),
        };
        await using var server = await TestServer.StartAsync(database, settings);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await PayAsync(group, ada, ben);
        var before = await LedgerLogScene.SealedAsync(source);

        // The number is taken and no transaction id yet, as in a batch that has loaded and decided.
        await using var late = await source.OpenConnectionAsync(Cancellation);
        await using var transaction = await late.BeginTransactionAsync(Cancellation);
        await using var take = new NpgsqlCommand("select nextval('ledger_batch')", late);
        var batch = (long)(await take.ExecuteScalarAsync(Cancellation))!;
        await PayAsync(group, ada, ben);
        if (patienceMs == 0)
        {
            await Eventually.TrueAsync(
                async () => await CountAsync(source, "ledger_log_leaf") == before + 1, "the others are sealed without it");
        }
        else
        {
            await LookAsync(server);
            Assert.Equal(before, await CountAsync(source, "ledger_log_leaf"));
        }

        await using var insert = new NpgsqlCommand(
            $"""
            insert into transfer (seq, id, kind, debit_id, credit_id, amount_minor, asset, status, payload_hash, created_at,
                debit_version, credit_version)
            select {batch} * 1048576 + 1, gen_random_uuid(), kind, debit_id, credit_id, amount_minor, asset, status, payload_hash,
                created_at, debit_version, credit_version
            from transfer where kind = 1 and status = 0 limit 1
            """,
            late);
        Assert.Equal(1, await insert.ExecuteNonQueryAsync(Cancellation));
        await transaction.CommitAsync(Cancellation);
        Assert.Equal(before + 2, await LedgerLogScene.SealedAsync(source));
        await LedgerLogScene.AssertWholeAsync(source);
        Assert.Equal(patienceMs > 0, await LedgerLogScene.IsInOrderAsync(source));
    }

    /// <summary>Random traffic over two nodes, one of which dies on the way: every applied transfer is in the log once.</summary>
    [Fact]
    public async Task Two_nodes_at_once_seal_everything_once_and_one_goes_on_alone()
    {
        await using var money = new MoneyFixture(postgres);
        await money.InitializeAsync();
        var scene = new LedgerScene(money);
        var wallets = await scene.WalletsAsync(8);
        var seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        TestContext.Current.TestOutputHelper!.WriteLine($"Seed {seed}.");
        var dice = new Dice(seed);
        await using var first = await LedgerNode.StartAsync(money.ConnectionString, batchSize: 8, flights: 3);
        var second = await LedgerNode.StartAsync(money.ConnectionString, batchSize: 16, flights: 2);
        await using (second)
        {
            await Task.WhenAll(Enumerable.Range(0, 40).Select(async turn =>
            {
                var node = turn % 2 == 0 ? first : second;
                for (var i = 0; i < 10; i++)
                {
                    int from, to, amountMinor;
                    lock (dice)
                    {
                        (from, to, amountMinor) = (dice.Next(8), 1 + dice.Next(7), 1 + dice.Next(6_000));
                    }

                    await node.PostAsync(scene.Pay(wallets[from], wallets[(from + to) % 8], amountMinor));
                }
            })).WaitAsync(LedgerScene.Deadline);
        }

        await Task.WhenAll(Enumerable.Range(0, 20).Select(
            i => first.PostAsync(scene.Pay(wallets[i % 8], wallets[(i + 1) % 8], 1))));
        await LedgerLogScene.SealedAsync(money.DataSource);
        await LedgerLogScene.AssertWholeAsync(money.DataSource);
        Assert.True(await LedgerLogScene.IsInOrderAsync(money.DataSource));
        Assert.True(await CountAsync(money.DataSource, "transfer where status = 0") > 100);
        await money.AssertCleanAsync();
    }

    [Fact]
    public async Task What_a_node_had_begun_to_seal_when_it_died_is_sealed_by_another()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database);
        await using var server = await TestServer.StartAsync(database, Often);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var count = await LedgerLogScene.SealedAsync(source);

        // In the middle of a round: it has the log to itself and has written a leaf.
        await using var dying = await source.OpenConnectionAsync(Cancellation);
        await using var round = await dying.BeginTransactionAsync(Cancellation);
        await using var begin = new NpgsqlCommand(
            $"""
            select pg_backend_pid() from ledger_log for update;
            insert into ledger_log_leaf (index, transfer_id, leaf) values ({count}, gen_random_uuid(), sha256('its'));
            """,
            dying);
        var pid = (int)(await begin.ExecuteScalarAsync(Cancellation))!;
        await PayAsync(group, ada, ben);
        await LedgerLogScene.ExecuteAsync(source, $"select pg_terminate_backend({pid})");
        Assert.Equal(count + 1, await LedgerLogScene.SealedAsync(source));
        await LedgerLogScene.AssertWholeAsync(source);
    }

    /// <summary>A ledger from before there was a log, longer than one round takes.</summary>
    [Fact]
    public async Task A_ledger_that_is_far_ahead_of_its_log_is_taken_in_round_by_round()
    {
        const int Transfers = 20_000;
        var database = await postgres.CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database);
        await using (await TestServer.StartAsync(database))
        {
        }

        await LedgerLogScene.ExecuteAsync(
            source,
            $"""
            insert into transfer (seq, id, kind, debit_id, credit_id, amount_minor, asset, status, payload_hash, created_at,
                debit_version, credit_version)
            select nextval('ledger_batch') * 1048576 + 1, gen_random_uuid(), 1, gen_random_uuid(), gen_random_uuid(), n, 'EUR',
                case when n % 10 = 0 then 4006 else 0 end, sha256(n::text::bytea), now(),
                case when n % 10 > 0 then n end, case when n % 10 > 0 then n end
            from generate_series(1, {Transfers}) n
            """);
        await using var server = await TestServer.StartAsync(database, Often);
        Assert.Equal(Transfers * 9 / 10, await LedgerLogScene.SealedAsync(source));
        await LedgerLogScene.AssertWholeAsync(source);
        Assert.True(await LedgerLogScene.IsInOrderAsync(source));
    }

    [Fact]
    public async Task A_restored_database_begins_another_ledger_log_with_everything_that_it_still_has()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database);
        KeyLogView view;
        long count;
        await using (var server = await TestServer.StartAsync(database, Often))
        {
            await using var ada = await Person.JoinAsync(server.Address);
            await using var ben = await Person.JoinAsync(server.Address);
            await PayAsync(await TestGroup.DirectAsync(ada, ben), ada, ben);
            view = await ada.Client.LedgerLogAsync(Cancellation);
            count = await LedgerLogScene.SealedAsync(source);
        }

        Assert.EndsWith("/ledger", view.Origin, StringComparison.Ordinal);

        // As a backup of before the last transfer was sealed would be.
        await LedgerLogScene.ExecuteAsync(
            source,
            $"""
            delete from ledger_log_leaf where index = {count - 1};
            update ledger_log_tile set hashes = substring(hashes for {(count - 1) * 32});
            update ledger_log set size = {count - 1}, next_seq = 0;
            """);
        await using var restored = await TestServer.StartAsync(database, Often);
        Assert.Contains("ledger log had signed", restored.Log, StringComparison.Ordinal);
        await using var cy = await Person.SignUpAsync(restored.Address);
        Assert.Equal(view.Origin + "/2", (await cy.Client.LedgerLogAsync(Cancellation)).Origin);
        Assert.Equal(count + 1, await LedgerLogScene.SealedAsync(source));
        await LedgerLogScene.AssertWholeAsync(source);
    }

    [Fact]
    public async Task Anybody_reads_the_log_and_finds_hashes_alone()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database);
        await using var server = await TestServer.StartAsync(database, Often);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await PayAsync(await TestGroup.DirectAsync(ada, ben), ada, ben);
        var size = await LedgerLogScene.SealedAsync(source);
        using var log = new PublicLog(server, "ledger");
        var checkpoint = await log.CheckpointAsync(await ada.Client.LedgerLogAsync(Cancellation));
        Assert.Equal(size, checkpoint.Size);
        var (leaves, root) = await log.LeavesAsync(size);
        Assert.Equal(checkpoint.Root, root);
        Assert.All(leaves, leaf => Assert.Equal(32, leaf.Length));
        Assert.Equal(404, await log.StatusAsync("tile/0/001"));
        var grown = await ada.Client.LedgerLogConsistencyAsync(1, null, Cancellation);
        Assert.Equal(
            LogRejection.None,
            ConsistencyProof.Verify(1, size, MerkleHash.Leaf(leaves[0]), checkpoint.Root, grown.Proof));
        var beyond = await Person.ErrorOf(ada.Client.LedgerLogConsistencyAsync(1, size + 1, Cancellation));
        Assert.Equal(ErrorCode.LogSizeUnknown, (ErrorCode)beyond.Code);
    }

    internal static async Task<CardView> PayAsync(TestGroup group, Person payer, Person payee, long amountMinor = 500)
    {
        var asked = await payee.CardActAsync(
            TestCards.Post(CardKind.Request, group.Id, group.Epoch, payee.Id, payer.Id, amountMinor), Cancellation);
        return (await payer.PayAsync(asked.Card, Cancellation)).Card;
    }

    private static async Task<long> CountAsync(NpgsqlDataSource database, string what)
    {
        await using var command = database.CreateCommand($"select count(*) from {what}");
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    /// <summary>Another one whenever the log's row was written or locked.</summary>
    private static async Task<string> RowVersionAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("select concat(xmin, ' ', xmax, ' ', ctid) from ledger_log");
        return (string)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    /// <summary>Lets the log be looked at several times.</summary>
    private static async Task LookAsync(TestServer server)
    {
        var keeper = server.Services.GetRequiredService<LedgerLogKeeper>();
        var begun = keeper.Looks;
        await Eventually.TrueAsync(() => Task.FromResult(keeper.Looks >= begun + 5), "the log was looked at");
    }
}
