using Npgsql;

namespace ChatPay.Server.Database.GroupCommit;

/// <summary>
/// The write path's own few connections. The pool that everybody shares hands out the connection that has rested longest,
/// so each batch would come to another of many backends of PostgreSQL, all of them cold: that took PostgreSQL up to three
/// times as long for a message.
/// </summary>
internal sealed class CommitSource(NpgsqlDataSource dataSource) : IAsyncDisposable
{
    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) =>
        dataSource.OpenConnectionAsync(cancellationToken);

    /// <summary>Closes what is open, where the failure says that a connection cannot be used any more.</summary>
    public void Forget(Exception? failure) => dataSource.ForgetTainted(failure);

    public ValueTask DisposeAsync() => dataSource.DisposeAsync();
}
