using System.Runtime.CompilerServices;
using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using ChatPay.Server.Conversations.Commands;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Conversations;

/// <summary>What conversations can do for hub and endpoints: bounds are checked here, rules in the batch.</summary>
internal sealed class ConversationService(
    GroupCommitter committer, ConversationStore store, DeviceMessageStore deviceMessages, ConversationViews views,
    HandshakeReader handshakes)
{
    public async Task<Result<SendReply>> SendAsync(
        Caller caller, SendRequest request, CancellationToken cancellationToken)
    {
        if (request.Body.Length > Limits.MessageBodyBytes)
        {
            return ConversationErrors.BodyTooLarge(Limits.MessageBodyBytes);
        }

        var sent = await committer.SubmitAsync(new SendCommand(caller, request), cancellationToken);
        return sent.IsOk ? sent : await ExplainAsync(caller, sent, request.Conversation, request.Epoch, cancellationToken);
    }

    public async Task<Result<CommitReply>> CommitAsync(
        Caller caller, CommitRequest request, CancellationToken cancellationToken)
    {
        var read = await handshakes.ReadAsync(caller, request, cancellationToken);
        if (!read.IsOk)
        {
            return read.Error!;
        }

        var committed = await committer.SubmitAsync(new CommitCommand(caller, read.Value), cancellationToken);
        return await ExplainAsync(caller, committed, request.Conversation, request.Epoch, cancellationToken);
    }

    public async Task<Result<ConversationView>> CreateAsync(
        Caller caller, CreateConversationRequest request, CancellationToken cancellationToken)
    {
        if (!Enum.IsDefined(request.Kind) || request.Id.Value == Guid.Empty)
        {
            return new Error(ErrorCode.InvalidArgument, "A conversation needs a kind and an id.");
        }

        var first = new CommitRequest(
            request.Id, request.ClientId, 0, request.Commit, request.Welcome, request.GroupInfo);
        var read = await handshakes.ReadAsync(caller, first, cancellationToken);
        if (!read.IsOk)
        {
            return read.Error!;
        }

        var created = await committer.SubmitAsync(
            new CreateCommand(caller, request.Kind, read.Value), cancellationToken);
        return created.IsOk ? await FindAsync(caller, created.Value, cancellationToken) : created.Error!;
    }

    public Task<Result<Unit>> LeaveAsync(
        Caller caller, ConversationId conversation, CancellationToken cancellationToken) =>
        committer.SubmitAsync(new LeaveCommand(caller, conversation), cancellationToken);

    public Task<Result<Unit>> RemoveMemberAsync(
        Caller caller, ConversationId conversation, AccountId member, CancellationToken cancellationToken) =>
        committer.SubmitAsync(new RemoveMemberCommand(caller, conversation, member), cancellationToken);

    public async Task<Result<Unit>> SetRoleAsync(
        Caller caller, ConversationId conversation, AccountId member, MemberRole role, CancellationToken cancellationToken) =>
        Enum.IsDefined(role)
            ? await committer.SubmitAsync(new SetRoleCommand(caller, conversation, member, role), cancellationToken)
            : new Error(ErrorCode.InvalidArgument, "There is no such role.");

    public Task<Result<Unit>> SetRetentionAsync(
        Caller caller, ConversationId conversation, int? days, CancellationToken cancellationToken) =>
        committer.SubmitAsync(new SetRetentionCommand(caller, conversation, days), cancellationToken);

    /// <summary>The device's leaves wait to be removed, wherever it has one. Again is nothing.</summary>
    /// <exception cref="InvalidOperationException">The write path refused; the caller tries again later.</exception>
    public async Task RevokeDeviceAsync(AccountId account, DeviceId device, CancellationToken cancellationToken)
    {
        var conversations = await store.WithLeafAsync(device, cancellationToken);
        foreach (var chunk in conversations.Chunk(RevocationsAtOnce))
        {
            var done = await Task.WhenAll(chunk.Select(conversation =>
                committer.SubmitAsync(new RevokeDeviceCommand(account, device, conversation), cancellationToken)));
            if (done.FirstOrDefault(result => !result.IsOk) is { Error: { } error })
            {
                throw new InvalidOperationException($"A revoked device keeps a leaf for now: {error.Code}.");
            }
        }

        await deviceMessages.DropAsync(device, cancellationToken);
    }

    public async Task<Result<ConversationView>> FindAsync(
        Caller caller, ConversationId conversation, CancellationToken cancellationToken)
    {
        var member = await MemberAsync(caller, conversation, cancellationToken);
        if (member.Error is { } refusal)
        {
            return refusal;
        }

        return await views.ViewsAsync(caller.Account, [conversation], cancellationToken) is [var view]
            ? view : ConversationErrors.Unknown();
    }

    /// <summary>A page of the account's conversations, by id, which never changes: none moves while others are read.</summary>
    /// <param name="after">The last one of the page before; null for the first page.</param>
    public async Task<Result<IReadOnlyList<ConversationView>>> ListAsync(
        Caller caller, ConversationId? after, int? limit, CancellationToken cancellationToken) =>
        limit is < 1 or > Limits.ConversationsPerPage
            ? new Error(ErrorCode.InvalidArgument, $"A page holds 1 to {Limits.ConversationsPerPage} conversations.")
            : Result.From(await PageAsync(caller, after ?? default, limit ?? Limits.ConversationsPerPage, cancellationToken));

    /// <summary>All of them, of which no more than a page is in memory.</summary>
    /// <param name="first">The first page.</param>
    public async IAsyncEnumerable<ConversationView> ListAllAsync(
        Caller caller, IReadOnlyList<ConversationView> first, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var page = first;
        while (true)
        {
            foreach (var view in page)
            {
                yield return view;
            }

            if (page.Count < Limits.ConversationsPerPage)
            {
                yield break;
            }

            page = await PageAsync(caller, page[^1].Id, Limits.ConversationsPerPage, cancellationToken);
        }
    }

    /// <summary>A page of the log; a former member still reads up to the event that removed it.</summary>
    public async Task<Result<IReadOnlyList<Event>>> EventsAsync(
        Caller caller, ConversationId conversation, long? after, long? before, int? limit,
        CancellationToken cancellationToken)
    {
        if (after < 0 || before < 1 || limit is < 1 or > Limits.EventsPerSyncPage || (after is not null && before is not null))
        {
            return new Error(
                ErrorCode.InvalidArgument,
                $"Give after or before, and a limit from 1 to {Limits.EventsPerSyncPage}.");
        }

        var member = await store.FindMemberAsync(conversation, caller.Account, cancellationToken);
        return member is null
            ? ConversationErrors.Unknown()
            : Result.From(await store.EventsAsync(
                conversation, member, after ?? 0, before, limit ?? Limits.EventsPerSyncPage, cancellationToken));
    }

    public async Task<Result<GroupInfoReply>> GroupInfoAsync(
        Caller caller, ConversationId conversation, CancellationToken cancellationToken)
    {
        var member = await MemberAsync(caller, conversation, cancellationToken);
        if (member.Error is { } refusal)
        {
            return refusal;
        }

        return await store.GroupInfoAsync(conversation, cancellationToken) is { } info
            ? info : ConversationErrors.Unknown();
    }

    /// <summary>Pages of several logs at once. One that is foreign or unknown fails the whole request.</summary>
    public async Task<Result<SyncReply>> SyncAsync(
        Caller caller, SyncRequest request, CancellationToken cancellationToken)
    {
        if (request.After.Count is 0 or > Limits.ConversationsPerSync || !AreDistinct(request.After))
        {
            return new Error(
                ErrorCode.InvalidArgument,
                $"A sync names 1 to {Limits.ConversationsPerSync} conversations, each once, with a seq from 0.");
        }

        var pages = await views.PagesAsync(caller.Account, request.After, cancellationToken);
        return pages.Count == request.After.Count ? new SyncReply(pages) : ConversationErrors.Unknown();
    }

    /// <summary>The oldest messages that wait for the calling device.</summary>
    public Task<DeviceMessagesPage> PullDeviceAsync(Caller caller, CancellationToken cancellationToken) =>
        deviceMessages.PageAsync(caller.Device, cancellationToken);

    public async Task<Result<Unit>> AckDeviceAsync(
        Caller caller, AckDeviceRequest request, CancellationToken cancellationToken)
    {
        if (request.Ids.Count > Limits.DeviceMessagesPerPage)
        {
            return SignalService.TooMany(Limits.DeviceMessagesPerPage);
        }

        await deviceMessages.RemoveAsync(caller.Device, request.Ids, cancellationToken);
        return default(Unit);
    }

    /// <summary>Adds the winning commit to a <c>stale_epoch</c>, which the batch cannot read.</summary>
    public async Task<Result<T>> ExplainAsync<T>(
        Caller caller, Result<T> result, ConversationId conversation, long epoch, CancellationToken cancellationToken)
    {
        if (result.Error is not { Code: ErrorCode.StaleEpoch } stale)
        {
            return result;
        }

        var winner = await store.WinningCommitAsync(conversation, caller.Account, epoch, cancellationToken);
        return winner is { Body: { } commit } && stale.Details?["epoch"] is long current
            ? ConversationErrors.StaleEpoch(current, winner.Seq, commit) : stale;
    }

    public static bool AreDistinct(IReadOnlyList<Cursor> cursors) =>
        cursors.All(cursor => cursor is { Seq: >= 0 })
        && cursors.Select(cursor => cursor.Conversation).Distinct().Count() == cursors.Count;

    private const int RevocationsAtOnce = 100;

    private async Task<IReadOnlyList<ConversationView>> PageAsync(
        Caller caller, ConversationId after, int limit, CancellationToken cancellationToken) =>
        await views.ViewsAsync(
            caller.Account, await store.OfAccountAsync(caller.Account, after, limit, cancellationToken), cancellationToken);

    private async Task<Result<Member>> MemberAsync(
        Caller caller, ConversationId conversation, CancellationToken cancellationToken) =>
        await store.FindMemberAsync(conversation, caller.Account, cancellationToken) switch
        {
            null => ConversationErrors.Unknown(),
            { IsLive: false } => ConversationErrors.NotMember(),
            { } member => member,
        };
}
