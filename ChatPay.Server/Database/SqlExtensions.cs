using Npgsql;

namespace ChatPay.Server.Database;

/// <summary>Statements with positional parameters ($1, $2, …), as stores and rows write them.</summary>
internal static class SqlExtensions
{
    /// <param name="values">Of the parameters, in order; an <see cref="NpgsqlParameter"/> where the type must be said.</param>
    public static void Add(this NpgsqlBatch batch, string sql, params ReadOnlySpan<object> values)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(Parameter(value));
        }

        batch.BatchCommands.Add(command);
    }

    /// <inheritdoc cref="Add(NpgsqlBatch, string, ReadOnlySpan{object})"/>
    public static NpgsqlCommand CreateCommand(
        this NpgsqlDataSource dataSource, string sql, params ReadOnlySpan<object> values)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        var command = dataSource.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(Parameter(value));
        }

        return command;
    }

    /// <summary>The next parameter.</summary>
    public static void Add(this NpgsqlCommand command, object value)
    {
        ArgumentNullException.ThrowIfNull(command);
        command.Parameters.Add(Parameter(value));
    }

    private static NpgsqlParameter Parameter(object value) =>
        value as NpgsqlParameter ?? new NpgsqlParameter { Value = value };
}
