using Npgsql;

namespace ChatPay.Server.Database;

/// <summary>Tells the database being away, restarting, failing over or full from it refusing what it was asked.</summary>
internal static class DatabaseTrouble
{
    /// <summary>
    /// Whether the very same may succeed in a moment. What has no answer of the database's own has met trouble on the way.
    /// </summary>
    public static bool IsPassing(NpgsqlException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception.IsTransient || exception is not PostgresException || exception.SqlState is
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow

            // Of a primary that has just become a replica.
            or PostgresErrorCodes.ReadOnlySqlTransaction || IsTainted(exception);
    }

    /// <summary>
    /// Whether driver and database differ about which statements are prepared on a connection, as they may after a statement
    /// was broken off while it was being prepared. It stays so for the connection's whole life: the pool has to be cleared.
    /// </summary>
    public static bool IsTainted(NpgsqlException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception.SqlState is
            PostgresErrorCodes.InvalidSqlStatementName or PostgresErrorCodes.DuplicatePreparedStatement;
    }
}
