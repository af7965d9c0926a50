using ChatPay.LoadTest.Driving;
using Npgsql;
using NpgsqlTypes;

namespace ChatPay.LoadTest.Baselines;

/// <summary>How the five statements of a transaction travel.</summary>
internal enum TpcbShape
{
    /// <summary>One after the other, each answered before the next is sent: what pgbench does.</summary>
    Statements,

    /// <summary>All in one batch and one round trip, which pgbench does not do.</summary>
    Pipelined,
}

/// <summary>
/// One connection of the baseline: pgbench's built-in script "TPC-B (sort of)", one transaction at a time, with statements
/// prepared once.
/// </summary>
internal sealed class TpcbClient : Worker, IAsyncDisposable
{
    private const int DeltaMax = 5_000;

    private static readonly string[] s_statements =
    [
        "update loadtest_tpcb.pgbench_accounts set abalance = abalance + $1 where aid = $2",
        "select abalance from loadtest_tpcb.pgbench_accounts where aid = $1",
        "update loadtest_tpcb.pgbench_tellers set tbalance = tbalance + $1 where tid = $2",
        "update loadtest_tpcb.pgbench_branches set bbalance = bbalance + $1 where bid = $2",
        "insert into loadtest_tpcb.pgbench_history (tid, bid, aid, delta, mtime) "
            + "values ($1, $2, $3, $4, current_timestamp)",
    ];

    private readonly NpgsqlConnection _connection;
    private readonly int _scale;
    private readonly int _accounts;
    private readonly TpcbShape _shape;
    private readonly NpgsqlCommand[] _commands;
    private readonly NpgsqlBatch _batch;
    private readonly NpgsqlParameter<int>[][] _parameters;
    private SplitMix64 _random;

    private TpcbClient(
        NpgsqlConnection connection, int scale, int accountsPerBranch, TpcbShape shape, ulong seed, WorkerGate gate)
        : base(gate)
    {
        _connection = connection;
        _scale = scale;
        _accounts = scale * accountsPerBranch;
        _shape = shape;
        _random = new SplitMix64(seed);
        int[] parameterCounts = [2, 1, 2, 2, 4];
        _parameters =
        [
            .. parameterCounts.Select(count => Enumerable.Range(0, count)
                .Select(_ => new NpgsqlParameter<int> { NpgsqlDbType = NpgsqlDbType.Integer }).ToArray()),
        ];
        _commands = shape == TpcbShape.Statements ? new NpgsqlCommand[s_statements.Length] : [];
        _batch = new NpgsqlBatch(connection);
        for (var index = 0; index < s_statements.Length; index++)
        {
            if (shape == TpcbShape.Statements)
            {
                _commands[index] = new NpgsqlCommand(s_statements[index], connection);
                _commands[index].Parameters.AddRange(_parameters[index]);
            }
            else
            {
                var command = new NpgsqlBatchCommand(s_statements[index]);
                foreach (var parameter in _parameters[index])
                {
                    command.Parameters.Add(parameter);
                }

                _batch.BatchCommands.Add(command);
            }
        }
    }

    public static async Task<TpcbClient> ConnectAsync(
        NpgsqlDataSource dataSource, int scale, int accountsPerBranch, TpcbShape shape, ulong seed, WorkerGate gate,
        CancellationToken cancellationToken)
    {
        var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        var client = new TpcbClient(connection, scale, accountsPerBranch, shape, seed, gate);
        foreach (var command in client._commands)
        {
            await command.PrepareAsync(cancellationToken);
        }

        if (shape == TpcbShape.Pipelined)
        {
            await client._batch.PrepareAsync(cancellationToken);
        }

        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var command in _commands)
        {
            await command.DisposeAsync();
        }

        await _batch.DisposeAsync();
        await _connection.DisposeAsync();
    }

    protected override async ValueTask<bool> SettleOnceAsync()
    {
        var account = 1 + _random.Below(_accounts);
        var branch = 1 + _random.Below(_scale);
        var teller = 1 + _random.Below(_scale * TpcbStore.TellersPerBranch);
        var delta = _random.Below((2 * DeltaMax) + 1) - DeltaMax;
        Set(0, delta, account);
        Set(1, account);
        Set(2, delta, teller);
        Set(3, delta, branch);
        Set(4, teller, branch, account, delta);
        if (_shape == TpcbShape.Pipelined)
        {
            // A batch without a transaction of its own is one.
            await _batch.ExecuteNonQueryAsync();
            Step();
            return true;
        }

        await using var transaction = await _connection.BeginTransactionAsync();
        await _commands[0].ExecuteNonQueryAsync();
        await _commands[1].ExecuteScalarAsync();
        for (var index = 2; index < _commands.Length; index++)
        {
            await _commands[index].ExecuteNonQueryAsync();
        }

        await transaction.CommitAsync();
        Step();
        return true;
    }

    private void Set(int statement, params ReadOnlySpan<int> values)
    {
        for (var index = 0; index < values.Length; index++)
        {
            _parameters[statement][index].TypedValue = values[index];
        }
    }
}
