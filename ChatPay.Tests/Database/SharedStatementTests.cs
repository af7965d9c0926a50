using System.Collections.Concurrent;
using ChatPay.Server.Database;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Database;

/// <summary>
/// Callers who share statements that add to rows, or read them. A row that somebody else has locked keeps a statement on its
/// way, for the clock stands still until a test moves it.
/// </summary>
public sealed class SharedStatementTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const int Rows = 400;
    private const int Missing = Rows + 1;

    /// <summary>More than a row takes: its statement fails.</summary>
    private const int TooMuch = 1001;

    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(1);

    private readonly ManualTime _time = new();
    private readonly ConcurrentQueue<int[]> _sent = new();
    private NpgsqlDataSource? _source;
    private SharedStatement<Addition, int, int?>? _add;
    private SharedStatement<int, int, int?>? _read;
    private int _underWay;
    private int _underWayAtMost;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _source = NpgsqlDataSource.Create(await postgres.CreateEmptyDatabaseAsync());
        await ExecuteAsync(
            $"""
            create table row (id integer primary key, sum integer not null default 0 check (sum < {TooMuch}));
            insert into row select generate_series(1, {Rows});
            """);
        _add = new(additions => SendAsync([.. additions.Select(static addition => addition.Row)], AddTo(additions)),
            static addition => addition.Row, isRead: false, _time);
        _read = new(rows => SendAsync([.. rows], Read(rows)), static row => row, isRead: true, _time);
    }

    public async ValueTask DisposeAsync() => await _source!.DisposeAsync();

    [Fact]
    public async Task Who_asks_while_a_statement_is_on_its_way_shares_the_next_and_gets_the_own_rows_answer()
    {
        Task<int?>[] answers;
        Task<int?> first;
        await using (await LockAsync(1))
        {
            first = await SentAsync(AddAsync(1, 1));
            answers = [.. Enumerable.Range(2, 40).Select(row => AddAsync(row, 10 * row)), AddAsync(Missing, 1)];
        }

        Assert.Equal(1, await first);
        Assert.Equal([.. Enumerable.Range(2, 40).Select(static row => (int?)(10 * row)), null], await Task.WhenAll(answers));
        Assert.Equal([1, 41], _sent.Select(static rows => rows.Length));
    }

    [Fact]
    public async Task A_lone_caller_is_answered_without_the_clock_moving() => Assert.Equal(5, await AddAsync(1, 5));

    [Fact]
    public async Task What_is_more_than_a_statement_takes_goes_with_the_next()
    {
        Task<int?>[] answers;
        await using (await LockAsync(1))
        {
            await SentAsync(AddAsync(1, 1));
            answers = [.. Enumerable.Range(2, 300).Select(row => AddAsync(row, row))];
        }

        Assert.Equal(Enumerable.Range(2, 300).Select(static row => (int?)row), await Task.WhenAll(answers));
        Assert.Equal([1, 256, 44], _sent.Select(static rows => rows.Length));
        Assert.Equal(1, _underWayAtMost);
    }

    [Fact]
    public async Task Of_two_who_change_one_row_each_has_a_statement_and_of_two_who_read_it_both_have_one()
    {
        Task<int?>[] answers;
        await using (await LockAsync(1))
        {
            await SentAsync(AddAsync(1, 1));
            answers = [AddAsync(2, 1), AddAsync(2, 1), AddAsync(3, 1), AddAsync(2, 1)];
        }

        Assert.Equal([1, 2, 1, 3], await Task.WhenAll(answers));
        Assert.Equal([[1], [2, 3], [2], [2]], _sent);

        _sent.Clear();
        await using (await LockAsync(1))
        {
            await SentAsync(ReadAsync(1));
            answers = [ReadAsync(2), ReadAsync(3), ReadAsync(2), ReadAsync(2)];
        }

        Assert.Equal([3, 1, 3, 3], await Task.WhenAll(answers));
        Assert.Equal([[1], [2, 3]], _sent);
    }

    [Fact]
    public async Task A_statement_that_fails_fails_who_is_in_it_changes_nothing_and_the_next_one_works()
    {
        Task<int?>[] inIt;
        Task<int?> after;
        await using (await LockAsync(2))
        {
            await using (await LockAsync(1))
            {
                await SentAsync(AddAsync(1, 1));
                inIt = [AddAsync(2, 1), AddAsync(3, TooMuch), AddAsync(4, 1)];
            }

            await SentAsync(count: 2);
            after = AddAsync(4, 7);
        }

        foreach (var caller in inIt)
        {
            Assert.Equal(
                PostgresErrorCodes.CheckViolation,
                (await Assert.ThrowsAsync<PostgresException>(() => caller)).SqlState);
        }

        Assert.Equal(7, await after);
        Assert.Equal([0, 0, 7], await Task.WhenAll(ReadAsync(2), ReadAsync(3), ReadAsync(4)));
    }

    [Fact]
    public async Task A_connection_that_breaks_fails_who_is_on_it_and_the_next_statement_takes_another()
    {
        await using (await LockAsync(1))
        {
            var broken = await SentAsync(AddAsync(1, 1));
            var after = AddAsync(2, 1);
            await Eventually.TrueAsync(
                async () => await ScalarAsync(
                    "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                    + "where datname = current_database() and wait_event_type = 'Lock'") is 1L,
                "the statement waits for its row");
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => broken);
            Assert.Equal(1, await after);
        }

        Assert.Equal(0, await ReadAsync(1));
    }

    [Fact]
    public async Task A_statement_that_takes_long_is_waited_for_by_nobody_who_asked_after_it()
    {
        Task<int?> stuck;
        await using (await LockAsync(1))
        {
            stuck = await SentAsync(AddAsync(1, 1));
            var waiting = AddAsync(2, 2);
            Assert.Single(_sent);

            // Nobody else asks: what waits goes once the second has passed. Who comes then finds nothing to wait for.
            await SecondPassesAsync();
            Assert.Equal(2, await waiting);
            Assert.Equal(3, await AddAsync(3, 3));
            Assert.Equal([4, 5], await Task.WhenAll(AddAsync(4, 4), AddAsync(5, 5)));
            Assert.False(stuck.IsCompleted);
        }

        Assert.Equal(1, await stuck);
        Assert.Equal([1, 2, 3, 4, 5], _sent.SelectMany(static rows => rows));
    }

    [Fact]
    public async Task No_more_than_three_statements_are_stuck_and_the_first_that_comes_free_takes_what_waits()
    {
        var locks = new List<IAsyncDisposable>();
        var stuck = new List<Task<int?>>();
        for (var row = 1; row <= 3; row++)
        {
            locks.Add(await LockAsync(row));
            stuck.Add(AddAsync(row, row));
            await SentAsync(count: row);
            await SecondPassesAsync();
        }

        var waiting = AddAsync(4, 4);
        await locks[0].DisposeAsync();
        Assert.Equal(1, await stuck[0]);
        Assert.Equal(4, await waiting);
        Assert.Equal(3, _underWayAtMost);
        Assert.All(stuck[1..], static task => Assert.False(task.IsCompleted));
        foreach (var held in locks[1..])
        {
            await held.DisposeAsync();
        }

        Assert.Equal([1, 2, 3], await Task.WhenAll(stuck));
    }

    [Fact]
    public async Task Who_hangs_up_before_the_statement_is_sent_has_asked_for_nothing_and_afterwards_it_is_done()
    {
        using var one = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        using var two = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task<int?> other;
        await using (await LockAsync(1))
        {
            var sent = await SentAsync(AddAsync(1, 1, one.Token));
            var unsent = AddAsync(2, 1, two.Token);
            other = AddAsync(3, 1);
            await one.CancelAsync();
            await two.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sent);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => unsent);
        }

        Assert.Equal(1, await other);
        Assert.Equal([[1], [3]], _sent);
        Assert.Equal([1, 0, 1], await Task.WhenAll(ReadAsync(1), ReadAsync(2), ReadAsync(3)));
    }

    [Fact]
    public async Task Where_too_many_wait_one_more_is_refused_at_once_and_those_who_wait_are_answered()
    {
        const int CallersMax = 16_384;
        Task<int?>[] answers;
        await using (await LockAsync(1))
        {
            await SentAsync(ReadAsync(1));
            answers = [.. Enumerable.Range(0, CallersMax).Select(number => ReadAsync(2 + (number % 8)))];
            var refused = await Assert.ThrowsAsync<NpgsqlException>(() => ReadAsync(2));
            Assert.IsType<TimeoutException>(refused.InnerException);
        }

        Assert.All(await Task.WhenAll(answers), static answer => Assert.Equal(0, answer));
        Assert.Equal(2, _sent.Count);
    }

    private Task<int?> AddAsync(int row, int by, CancellationToken? hangUp = null) =>
        _add!.AskAsync(new Addition(row, by), hangUp ?? Cancellation).WaitAsync(TimeSpan.FromSeconds(30), Cancellation);

    private Task<int?> ReadAsync(int row) =>
        _read!.AskAsync(row, Cancellation).WaitAsync(TimeSpan.FromSeconds(30), Cancellation);

    /// <summary>A caller whose statement, the first one, is on its way.</summary>
    private async Task<Task<int?>> SentAsync(Task<int?> caller)
    {
        await SentAsync(count: 1);
        return caller;
    }

    private Task SentAsync(int count) =>
        Eventually.TrueAsync(() => Task.FromResult(_sent.Count == count), $"{count} statements have been sent");

    /// <summary>For the one statement that is waited for: the clock moves once it looks at it.</summary>
    private async Task SecondPassesAsync()
    {
        await Eventually.TrueAsync(() => Task.FromResult(_time.Alarms == 1), "one statement is waited for");
        _time.Advance(s_long);
    }

    private Func<NpgsqlCommand> AddTo(IReadOnlyList<Addition> additions) => () => Command(
        """
        with locked as materialized (
            select r.id, a.by from unnest($1::integer[], $2::integer[]) a (id, by) join row r on r.id = a.id
            order by r.id for update of r
        )
        update row r set sum = sum + l.by from locked l where r.id = l.id returning r.id, r.sum
        """,
        additions.Select(static addition => addition.Row).ToArray(), additions.Select(static addition => addition.By).ToArray());

    private Func<NpgsqlCommand> Read(IReadOnlyList<int> rows) =>
        () => Command("select id, sum from row where id = any ($1::integer[]) order by id for share", rows.ToArray());

    private NpgsqlCommand Command(string sql, params int[][] values)
    {
        var command = _source!.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return command;
    }

    private async Task<IReadOnlyDictionary<int, int?>> SendAsync(int[] rows, Func<NpgsqlCommand> statement)
    {
        _underWayAtMost = Math.Max(_underWayAtMost, Interlocked.Increment(ref _underWay));
        try
        {
            _sent.Enqueue(rows);
            var answers = new Dictionary<int, int?>();
            await using var command = statement();
            await using var reader = await command.ExecuteReaderAsync(Cancellation);
            while (await reader.ReadAsync(Cancellation))
            {
                answers.Add(reader.GetInt32(0), reader.GetInt32(1));
            }

            return answers;
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
        }
    }

    /// <summary>Locks a row on a connection of its own, until it is disposed of.</summary>
    private async Task<IAsyncDisposable> LockAsync(int row)
    {
        var connection = await _source!.OpenConnectionAsync(Cancellation);
        await using var command = new NpgsqlCommand(
            string.Create(
                System.Globalization.CultureInfo.InvariantCulture, $"begin; select from row where id = {row} for update"),
            connection);
        await command.ExecuteNonQueryAsync(Cancellation);
        return connection;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _source!.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private async Task<object?> ScalarAsync(string sql)
    {
        await using var command = _source!.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Cancellation);
    }

    private readonly record struct Addition(int Row, int By);
}
