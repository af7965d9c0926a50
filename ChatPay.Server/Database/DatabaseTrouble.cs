using Npgsql;

namespace ChatPay.Server.Database;

/// <summary>Tells the database being away, restarting, failing over or full from it refusing what it was asked.</summary>
internal static class DatabaseTrouble
{
    /// <summary>
    /// Whether the very same may succeed in a moment. What has no answer of the database's own has met trouble on the way.
    /// </summary>
    public static bool IsPassing(Exception exception) => exception switch
    {
        PostgresException answered => answered.IsTransient || answered.SqlState is
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow

            // Of a primary that has just become a replica.
            or PostgresErrorCodes.ReadOnlySqlTransaction || IsTainted(answered),
        NpgsqlException => true,
        _ => IsOutOfStep(exception),
    };

    /// <summary>
    /// Whether driver and database differ about which statements are prepared on a connection, as they may after a statement
    /// was broken off while it was being prepared. It stays so for the connection's whole life: the pool has to be cleared.
    /// </summary>
    public static bool IsTainted(Exception exception) => exception is PostgresException
    {
        SqlState: PostgresErrorCodes.InvalidSqlStatementName or PostgresErrorCodes.DuplicatePreparedStatement,
    };

    /// <summary>
    /// Gives up all connections of the pool where one proved to be tainted; nobody can tell which others are. Whoever meets
    /// trouble says so here, for nobody else may ever use the statement that shows it.
    /// </summary>
    public static void ForgetTainted(this NpgsqlDataSource source, Exception? failure)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (failure is not null && IsTainted(failure))
        {
            source.Clear();
        }
    }

    /// <summary>
    /// Whether the driver met an answer that it did not expect, as it may after a crash of the database in the middle of one.
    /// It breaks the connection, and has no type of its own for saying so.
    /// </summary>
    private static bool IsOutOfStep(Exception exception) =>
        exception.GetType() == typeof(Exception) && exception.Source == "Npgsql";
}
