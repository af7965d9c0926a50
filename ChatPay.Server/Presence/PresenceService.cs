using ChatPay.Core.Protocol;
using ChatPay.Server.Cluster;
using ChatPay.Server.Hosting;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.Presence;

/// <summary>What presence can do for hub and endpoints.</summary>
internal sealed class PresenceService(
    PresenceBook book, PresenceStore store, PresenceSharing sharing, HintOutbox outbox)
{
    public Task<PresenceVisibility> VisibilityAsync(AccountId account, CancellationToken cancellationToken) =>
        store.VisibilityAsync(account, cancellationToken);

    public async Task<Result<Unit>> ChangeAsync(
        Caller caller, ChangePresenceRequest request, CancellationToken cancellationToken)
    {
        if (!Enum.IsDefined(request.Presence))
        {
            return new Error(ErrorCode.InvalidArgument, "presence is either \"contacts\" or \"nobody\".");
        }

        await store.ChangeAsync(caller.Account, request.Presence, cancellationToken);
        book.Changed(caller.Account);
        outbox.PresenceVisibility(caller.Account);
        return default(Unit);
    }

    /// <summary>First watched, then read: what changes in between is pushed, and at worst told twice.</summary>
    public async Task<Result<PresenceReply>> WatchAsync(
        ClientConnection connection, WatchPresenceRequest request, CancellationToken cancellationToken)
    {
        if (request.Accounts.Count > Limits.PresenceWatched)
        {
            return new Error(
                ErrorCode.InvalidArgument, $"At most {Limits.PresenceWatched} at once.",
                new Dictionary<string, object>(StringComparer.Ordinal) { ["max"] = Limits.PresenceWatched });
        }

        var watcher = connection.Caller.Account;
        AccountId[] asked = [.. request.Accounts.Distinct()];
        var known = asked.Length == 0 ? [] : await store.SharingAsync(watcher, asked, cancellationToken);
        var fresh = book.Watch(connection, [.. known.Select(one => one.Account)]);
        await sharing.ReadAsync(fresh, cancellationToken);
        var isBlind = await store.VisibilityAsync(watcher, cancellationToken) is PresenceVisibility.Nobody;
        return new PresenceReply(book.Views(watcher, isBlind, known));
    }
}
