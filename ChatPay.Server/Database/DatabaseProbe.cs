using Npgsql;

namespace ChatPay.Server.Database;

/// <summary>Whether the database answers.</summary>
internal static class DatabaseProbe
{
    /// <summary>A database that takes longer to say one word is not there for a user either.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    public static async Task<bool> AnswersAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Timeout);
        try
        {
            await using var command = database.CreateCommand("select 1");
            await command.ExecuteScalarAsync(deadline.Token);
            return true;
        }
        catch (Exception failure)
        {
            cancellationToken.ThrowIfCancellationRequested();
            database.ForgetTainted(failure);
            return false;
        }
    }
}
