using Npgsql;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>A running <c>copy</c> on a connection of its own.</summary>
internal sealed class CopySource(NpgsqlConnection connection, NpgsqlRawCopyStream stream) : IAsyncDisposable
{
    private bool _isComplete;

    public Stream Stream => stream;

    /// <summary>All rows were read.</summary>
    public void Complete() => _isComplete = true;

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!_isComplete)
            {
                // Reading the rest would take as long as verifying does.
                await stream.CancelAsync();
            }

            await stream.DisposeAsync();
        }
        catch (Exception failure) when (failure is NpgsqlException or OperationCanceledException or IOException)
        {
            // It was given up or is broken; closing the connection ends it either way.
        }

        await connection.DisposeAsync();
    }
}
