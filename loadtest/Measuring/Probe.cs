using ChatPay.LoadTest.Database;
using Npgsql;

namespace ChatPay.LoadTest.Measuring;

/// <summary>Reads everything that a section is charged for, at its begin and at its end.</summary>
internal sealed class Probe : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly PostgresCpu? _postgres;
    private readonly BatchSizes _batches;

    private Probe(NpgsqlConnection connection, PostgresCpu? postgres, BatchSizes batches)
    {
        _connection = connection;
        _postgres = postgres;
        _batches = batches;
    }

    public static async Task<Probe> OpenAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        var backend = await MeasuredStore.ReadBackendAsync(connection, cancellationToken);
        return new Probe(connection, PostgresCpu.Find(backend), new BatchSizes());
    }

    public async Task<Reading> ReadAsync(CancellationToken cancellationToken)
    {
        var (walBytes, tableBytes) = await MeasuredStore.ReadSizesAsync(_connection, cancellationToken);
        var (batches, commands) = _batches.Read();
        return new Reading(
            Environment.CpuUsage.TotalTime, _postgres?.Read(), walBytes, tableBytes, batches,
            commands);
    }

    public async ValueTask DisposeAsync()
    {
        _batches.Dispose();
        await _connection.DisposeAsync();
    }
}

/// <param name="PostgresCpu">Null where PostgreSQL is on another machine.</param>
internal readonly record struct Reading(
    TimeSpan ProcessCpu, TimeSpan? PostgresCpu, long WalBytes, long TableBytes, long Batches, long BatchedCommands)
{
    public static Reading operator -(Reading end, Reading start) => new(
        end.ProcessCpu - start.ProcessCpu,
        end.PostgresCpu - start.PostgresCpu,
        end.WalBytes - start.WalBytes,
        end.TableBytes - start.TableBytes,
        end.Batches - start.Batches,
        end.BatchedCommands - start.BatchedCommands);
}
