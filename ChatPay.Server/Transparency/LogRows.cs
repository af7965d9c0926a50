using Npgsql;

namespace ChatPay.Server.Transparency;

/// <summary>A log as it was last signed.</summary>
/// <param name="VerifierKey">Ed25519, 32 bytes: whose log the database holds.</param>
/// <param name="Number">Which log of that key; another one was begun where a database had been restored.</param>
/// <param name="Root">32 bytes.</param>
/// <param name="Note">The signed checkpoint.</param>
internal sealed record LogRow(byte[] VerifierKey, int Number, long Size, byte[] Root, string Note)
{
    public LogMark Mark => new(Number, Size, Root);

    /// <summary>Whether this is certainly older than what was signed.</summary>
    public bool IsBehind(LogMark mark) => Number < mark.Number
        || (Number == mark.Number && (Size < mark.Size || (Size == mark.Size && !Root.AsSpan().SequenceEqual(mark.Root))));
}

/// <summary>Reads a log's one row.</summary>
internal static class LogRows
{
    /// <summary>As the connection sees it; null where the log has not begun.</summary>
    /// <param name="isLocked">Whether nobody else may change the log until the transaction ends.</param>
    public static async Task<LogRow?> FindAsync(
        NpgsqlConnection connection, LogDefinition log, bool isLocked, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(log);
        await using var command = new NpgsqlCommand(
            $"select verifier_key, number, size, root, note from {log.Tables}{(isLocked ? " for update" : "")}", connection);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken)
            ? new LogRow(
                row.GetFieldValue<byte[]>(0), row.GetInt32(1), row.GetInt64(2), row.GetFieldValue<byte[]>(3), row.GetString(4))
            : null;
    }
}
