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
        catch (Exception)
        {
            // It was given up or is broken, in whatever state the interruption found it; closing the connection ends it
            // either way. What went wrong before this, if anything did, is what the reader is to learn.
        }

        await connection.DisposeAsync();
    }
}
