using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Serving;
using Npgsql;

namespace ChatPay.LoadTest.Measuring;

/// <summary>Reads what a section of a server in its own process is charged for.</summary>
internal sealed class ServingProbe : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly PostgresCpu? _postgres;

    private ServingProbe(NpgsqlConnection connection, PostgresCpu? postgres) =>
        (_connection, _postgres) = (connection, postgres);

    public static async Task<ServingProbe> OpenAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return new ServingProbe(
            connection, PostgresCpu.Find(await MeasuredStore.ReadBackendAsync(connection, cancellationToken)));
    }

    public async Task<ServingReading> ReadAsync(ServedProcess server, CancellationToken cancellationToken)
    {
        var (walBytes, tableBytes) = await MeasuredStore.ReadSizesAsync(_connection, cancellationToken);
        return new(server.Cpu, _postgres?.Read(), Environment.CpuUsage.TotalTime, walBytes, tableBytes);
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}

/// <param name="Server">Of the server's process alone.</param>
/// <param name="Postgres">Null where PostgreSQL is on another machine.</param>
/// <param name="Driver">Of this process, which plays the clients.</param>
internal readonly record struct ServingReading(
    TimeSpan Server, TimeSpan? Postgres, TimeSpan Driver, long WalBytes, long TableBytes)
{
    public static ServingReading operator -(ServingReading end, ServingReading start) => new(
        end.Server - start.Server, end.Postgres - start.Postgres, end.Driver - start.Driver,
        end.WalBytes - start.WalBytes, end.TableBytes - start.TableBytes);
}
