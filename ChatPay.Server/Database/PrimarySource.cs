using Npgsql;

namespace ChatPay.Server.Database;

/// <summary>Connections to a database that may have replicas, which the connection string names as Host=one,two.</summary>
internal static class PrimarySource
{
    private const string TargetKeyword = "Target Session Attributes";

    /// <summary>
    /// Connections to whichever host is the primary now, and after a fail-over to the one that has become it. With one host
    /// there is nothing to choose.
    /// </summary>
    public static NpgsqlDataSource BuildForPrimary(this NpgsqlDataSourceBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);

        // The driver has this chosen here and refuses it in the string; everything in it is written, so nothing else helps.
        builder.ConnectionStringBuilder.Remove(TargetKeyword);
        return builder.ConnectionStringBuilder.Host?.Contains(',', StringComparison.Ordinal) == true
            ? builder.BuildMultiHost().WithTargetSession(TargetSessionAttributes.Primary)
            : builder.Build();
    }

    /// <inheritdoc cref="BuildForPrimary"/>
    public static NpgsqlDataSource Create(NpgsqlConnectionStringBuilder connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return new NpgsqlDataSourceBuilder(connection.ConnectionString).BuildForPrimary();
    }
}
