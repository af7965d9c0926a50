using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Server.Cluster;
using ChatPay.Server.Conversations;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Conversations;

/// <summary>
/// What is asked on every message, reconnect and page stays as cheap in a database of 100,000 conversations, and with a
/// log of a million events, as in an empty one: each statement goes through named indexes and touches what it returns,
/// hardly more.
/// </summary>
public sealed class PlanTests(PlanBench bench) : IClassFixture<PlanBench>
{
    private const int Page = Limits.EventsPerSyncPage;

    private readonly ConversationStore _store = new(bench.DataSource);

    /// <summary>From the long log's beginning to its end.</summary>
    public static TheoryData<long> Depths => [1, PlanBench.LongEvents / 2, PlanBench.LongEvents - 10];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Guid Hero => PlanBench.Hero.Value;

    private static Guid Long => PlanBench.Long.Value;

    private static Member Reader => new(PlanBench.Hero, MemberRole.Member, 1, null);

    [Theory]
    [MemberData(nameof(Depths))]
    public async Task A_page_backwards_costs_the_same_at_any_depth(long before)
    {
        await BothAsync(
            () => _store.EventsAsync(PlanBench.Long, Reader, 0, before, Page, Cancellation), "order by e.seq desc",
            plan => plan.ShouldUse("conversation_pkey event_pkey", Page + 1, 40), Long, 1L, before - 1, Page, 1 << 20);
    }

    [Theory]
    [MemberData(nameof(Depths))]
    public async Task A_page_forwards_costs_the_same_at_any_depth(long after)
    {
        await BothAsync(
            () => _store.EventsAsync(PlanBench.Long, Reader, after, null, Page, Cancellation), "order by e.seq asc",
            plan => plan.ShouldUse("conversation_pkey event_pkey", Page + 1, 40),
            Long, after + 1, long.MaxValue, Page, 1 << 20);
    }

    [Theory]
    [MemberData(nameof(Depths))]
    public async Task A_sync_of_many_conversations_touches_their_pages_only(long after)
    {
        Cursor[] cursors =
            [new(PlanBench.Long, after), .. Enumerable.Range(1, 19).Select(i => new Cursor(PlanBench.Conversation(i * 500), 0))];
        var ids = cursors.Select(cursor => cursor.Conversation.Value).ToArray();
        var seqs = cursors.Select(cursor => cursor.Seq).ToArray();
        Task SyncAsync() => _store.SnapshotsAsync(PlanBench.Hero, cursors, Cancellation);

        // The events, then what the views are made of: heads, members, leaves and receipts.
        await BothAsync(
            SyncAsync, "greatest(k.seq + 1, m.joined_seq",
            plan => plan.ShouldUse("conversation_pkey event_pkey member_by_account member_pkey", Page + 200, 400),
            Hero, ids, seqs, Page, 1 << 20);
        await BothAsync(
            SyncAsync, "coalesce(m.left_seq, c.head),\n",
            plan => plan.ShouldUse("conversation_pkey event_pkey member_by_account member_pkey", 60, 300), Hero, ids);
        await BothAsync(
            SyncAsync, "m.role, m.joined_seq\n", plan => plan.ShouldUse("member_by_account member_pkey", 700, 600), Hero, ids);
        await BothAsync(
            SyncAsync, "l.leaf_index, l.device_id",
            plan => plan.ShouldUse(
                "leaf_conversation_id_device_id_key leaf_pkey member_by_account member_pkey", 700, 600),
            Hero, ids);
        await BothAsync(
            SyncAsync, "join receipt r on r.conversation_id = k.id",
            plan => plan.ShouldUse(
                "leaf_conversation_id_device_id_key member_by_account member_pkey receipt_pkey", 1500, 4000), Hero, ids);
    }

    [Fact]
    public async Task A_batch_of_sends_loads_a_few_rows_for_each()
    {
        var sends = Enumerable.Range(0, 100).Select(i => (
            Conversation: PlanBench.Conversation(i % 2 == 0 ? 0 : i * 900), Account: PlanBench.Account(i),
            Device: PlanBench.Device(i), ClientId: PlanBench.ClientId(i * 37))).ToArray();
        async Task LoadAsync()
        {
            var rows = new ConversationRows(null!, null!, null!, null!);
            foreach (var send in sends)
            {
                rows.NeedMember(send.Conversation, send.Account);
                rows.NeedDuplicateCheck(send.Conversation, send.Device, send.ClientId);
            }

            await using var batch = bench.DataSource.CreateBatch();
            rows.AddLoads(batch);
            await batch.ExecuteNonQueryAsync(Cancellation);
        }

        var ids = sends.Select(send => send.Conversation.Value).ToArray();
        await BothAsync(
            LoadAsync, "order by id for update", plan => plan.ShouldUse("conversation_pkey", 60, 500),
            ids.Distinct().ToArray());
        await BothAsync(
            LoadAsync, "join member m using (conversation_id, account_id)",
            plan => plan.ShouldUse("member_pkey", 100, 500), ids, sends.Select(send => send.Account.Value).ToArray());
        await BothAsync(
            LoadAsync, "join event e on e.device_id = k.device_id",
            plan => plan.ShouldUse("event_by_client_id", 100, 600), ids,
            sends.Select(send => send.Device.Value).ToArray(), sends.Select(send => send.ClientId.Value).ToArray());
    }

    [Fact]
    public async Task A_batch_of_sends_moves_the_heads_of_its_own_conversations()
    {
        ConversationId[] sentTo = [.. Enumerable.Range(0, 100).Select(i => PlanBench.Conversation(i * 900))];
        async Task WriteAsync()
        {
            var rows = new ConversationRows(null!, null!, null!, null!);
            Array.ForEach(sentTo, rows.Need);
            await using var connection = await bench.DataSource.OpenConnectionAsync(Cancellation);
            await using var transaction = await connection.BeginTransactionAsync(Cancellation);
            await using var load = new NpgsqlBatch(connection);
            rows.AddLoads(load);
            await using (var reader = await load.ExecuteReaderAsync(Cancellation))
            {
                await rows.ReadLoadsAsync(new LoadReader(reader), Cancellation);
            }

            Array.ForEach(sentTo, id => rows.Find(id)!.NextSeq());
            await using var write = new NpgsqlBatch(connection);
            rows.AddWrites(write);
            await write.ExecuteNonQueryAsync(Cancellation);
            await transaction.RollbackAsync(Cancellation);
        }

        // Three looks into the key for each, and a page to write on.
        await BothAsync(
            WriteAsync, "update conversation c set head", plan => plan.ShouldUse("conversation_pkey", 100, 1000),
            sentTo.Select(id => id.Value).ToArray(), sentTo.Select(_ => 1_000_000L).ToArray(),
            sentTo.Select(_ => 1L).ToArray());
    }

    [Fact]
    public async Task The_commit_that_won_an_epoch_is_found_at_once()
    {
        var epoch = PlanBench.LongEvents / PlanBench.EventsPerEpoch / 2;
        Assert.NotNull(await _store.WinningCommitAsync(PlanBench.Long, PlanBench.Hero, epoch, Cancellation));
        await BothAsync(
            () => _store.WinningCommitAsync(PlanBench.Long, PlanBench.Hero, epoch, Cancellation), "kind = 2 and exists",
            plan => plan.ShouldUse("event_commit member_pkey", 2, 12), Long, epoch, Hero);
    }

    [Fact]
    public async Task A_hello_reads_the_accounts_conversations_and_no_others()
    {
        var caller = new Caller(PlanBench.Hero, PlanBench.Device(0));
        Task ArriveAsync() => _store.ArriveAsync(caller, Cancellation);
        var own = PlanBench.HeroConversations + 1;
        var plan = await bench.GenericAsync(ArriveAsync, "c.id, m.joined_seq, c.head from member m", Hero);
        plan.ShouldUse("conversation_pkey member_by_account", 3 * own, 6 * own);

        // Who is in twenty pays for twenty, whatever else there is.
        var few = await bench.CustomAsync(
            ArriveAsync, "c.id, m.joined_seq, c.head from member m", PlanBench.Account(1500).Value);
        few.ShouldUse("conversation_pkey member_by_account", 300, 800);
        await BothAsync(
            ArriveAsync, "from device_message where device_id", waiting => waiting.ShouldUse("device_message_by_device", 20, 20),
            PlanBench.Device(7).Value);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5000)]
    [InlineData(PlanBench.HeroConversations)]
    public async Task A_page_of_an_accounts_conversations_is_read_from_one_index_wherever_it_begins(int after)
    {
        var last = after == 0 ? default : PlanBench.Conversation(after);
        await BothAsync(
            () => _store.OfAccountAsync(PlanBench.Hero, last, Limits.ConversationsPerPage, Cancellation),
            "order by conversation_id limit",
            plan => plan.ShouldUse("member_by_account", Limits.ConversationsPerPage, 20),
            Hero, last.Value, Limits.ConversationsPerPage);
    }

    [Fact]
    public async Task Heads_of_watched_conversations_are_compared_one_by_one()
    {
        var store = new WatchStore(bench.DataSource);
        Cursor[] heard = [.. Enumerable.Range(1, 2000).Select(i => new Cursor(PlanBench.Conversation(i * 40), 2))];
        var ids = heard.Select(cursor => cursor.Conversation.Value).ToArray();
        var seqs = heard.Select(cursor => cursor.Seq).ToArray();
        var ahead = await bench.GenericAsync(
            () => store.AheadAsync(heard, Cancellation), "c.head > k.delivered", ids, seqs);
        ahead.ShouldUse("conversation_pkey", 2000, 9000);
        Cursor[] behind = [new(PlanBench.Long, PlanBench.LongEvents / 2), heard[0] with { Seq = 0 }];
        await BothAsync(
            () => store.NextAsync(behind, Cancellation), "where e.conversation_id = k.id and e.seq > k.seq order by e.seq",
            plan => plan.ShouldUse("event_pkey", 210, 60),
            behind.Select(cursor => cursor.Conversation.Value).ToArray(), behind.Select(cursor => cursor.Seq).ToArray(), 200,
            1 << 20);
    }

    [Fact]
    public async Task Receipts_are_raised_through_keys()
    {
        var store = new ReceiptStore(bench.DataSource);
        var node = TestGroup.NewId().Value;
        Receipt[] marks = [.. Enumerable.Range(1, 150).Select(
            i => new Receipt(PlanBench.Long, PlanBench.Account(i), PlanBench.Device(i), 5, 5))];
        await BothAsync(
            () => store.RaiseAsync(marks, node, Cancellation), "insert into receipt as r",
            // Either index of members has the row; the one by account lies in more pages.
            plan => plan.ShouldUse("conversation_pkey member_by_account member_pkey", 450, 4500),
            marks.Select(_ => Long).ToArray(), marks.Select(mark => mark.Device.Value).ToArray(),
            marks.Select(mark => mark.Account.Value).ToArray(), marks.Select(_ => 9L).ToArray(),
            marks.Select(_ => 9L).ToArray(), node);
    }

    [Fact]
    public async Task Device_messages_are_read_and_removed_through_their_queue()
    {
        var store = new DeviceMessageStore(bench.DataSource);
        var device = PlanBench.Device(7);
        await BothAsync(
            () => store.PageAsync(device, Cancellation), "over () as total",
            plan => plan.ShouldUse("device_message_by_device", 20, 20), device.Value, 100, 1 << 20);
        var unknown = TestGroup.NewId().Value;
        await BothAsync(
            () => store.RemoveAsync(device, [unknown], Cancellation), "delete from device_message where device_id = $1 and id",
            plan => plan.ShouldUse("device_message_by_device device_message_pkey", 30, 20), device.Value, new[] { unknown });
    }

    /// <summary>Every second, of all connections of a node.</summary>
    [Fact]
    public async Task Sessions_are_looked_at_one_by_one_where_there_are_no_statistics_too()
    {
        var store = new SessionStore(bench.DataSource, TimeProvider.System);
        byte[][] hashes = [.. Enumerable.Range(1, 300).Select(PlanBench.TokenHash)];
        Assert.Empty(await store.EndedAsync(hashes, Cancellation));
        await BothAsync(
            () => store.EndedAsync(hashes, Cancellation), "select asked.hash",
            plan => plan.ShouldUse("device_pkey session_pkey", 600, 2400), (object)hashes);
    }

    [Fact]
    public async Task A_sweeper_finds_what_is_due_without_looking_at_the_rest()
    {
        var store = new RetentionStore(bench.DataSource);
        await BothAsync(
            () => store.SettingsAsync(Cancellation), "with recursive setting",
            plan => plan.ShouldUse("conversation_by_oldest", 10, 60));

        // Nothing is 3,000 days old, so looking changes nothing.
        Task SweepAsync() => store.SweepAsync(0, 3000, 500, Cancellation);
        await BothAsync(
            SweepAsync, "for update skip locked", plan => plan.ShouldUse("conversation_by_oldest", 20, 100), 0, 30, 20);
    }

    [Fact]
    public async Task Removing_the_beginning_of_logs_touches_the_rows_that_go()
    {
        var store = new RetentionStore(bench.DataSource);
        Guid[] ids = [Long, PlanBench.Conversation(50_000).Value];
        long[] first = [1, 1];
        long[] next = [400, 2];
        DateTimeOffset[] oldest = [DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch];

        // Two passes, each of a few events.
        Task SweepAsync() => store.SweepAsync(365, 1, 10, Cancellation);
        await BothAsync(
            SweepAsync, "k.place, e.created_at", plan => plan.ShouldUse("event_pkey", 505, 60), ids, first, 501);
        await BothAsync(
            SweepAsync, "update conversation c set first_seq", plan => plan.ShouldUse("conversation_pkey", 2, 60),
            ids, next, oldest);
        await BothAsync(
            SweepAsync, "delete from event e using", plan => plan.ShouldUse("event_pkey", 2, 20), ids, next, next);
    }

    /// <summary>As planned for these values, and as planned once for all.</summary>
    private async Task BothAsync(Func<Task> call, string fragment, Action<Plan> check, params object[] values)
    {
        check(await bench.GenericAsync(call, fragment, values));
        check(await bench.CustomAsync(call, fragment, values));
    }
}
