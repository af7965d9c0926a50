using ChatPay.Client.Internal;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>
/// Calls that outlive connections. Each waits for a connection and is made again, exactly as it is, where its answer
/// was lost or the server was busy; what it returns has been committed. Calls that run at the same time may overtake
/// each other when a connection is lost: who needs an order awaits one before the next.
/// </content>
public sealed partial class ChatSession
{
    private int _calls;
    private long _retries;

    /// <summary>
    /// Appends an encrypted message; completes after the commit, however many connections that takes.
    /// </summary>
    /// <exception cref="ChatPayException">
    /// <c>stale_epoch</c> with the winning commit, among others; <see cref="ClientErrors.SessionEnded"/>: whether it
    /// was sent may be unknown.
    /// </exception>
    /// <example>
    /// <code>var sent = await session.SendAsync(new(id, clientId, epoch, ciphertext), cancellationToken);</code>
    /// </example>
    public async Task<SendReply> SendAsync(SendRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        RequireAtMost(Limits.MessageBodyBytes, request.Body.Length, ErrorCode.BodyTooLarge);
        return await CallAsync((hub, token) => hub.SendAsync(request, token), cancellationToken);
    }

    /// <inheritdoc cref="ChatConnection.SubmitCommitAsync"/>
    /// <example>
    /// <code>
    /// var request = new CommitRequest(id, clientId, epoch, pending.Message, pending.Welcome, pending.GroupInfo);
    /// var won = await session.SubmitCommitAsync(request, cancellationToken);
    /// </code>
    /// </example>
    public async Task<CommitReply> SubmitCommitAsync(CommitRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var bytes = (long)request.Commit.Length + (request.Welcome?.Length ?? 0) + request.GroupInfo.Length;
        RequireAtMost(Limits.HubHandshakeBytes, bytes, ErrorCode.TooLarge);
        return await CallAsync((hub, token) => hub.SubmitCommitAsync(request, token), cancellationToken);
    }

    /// <inheritdoc cref="ChatConnection.CardActAsync"/>
    /// <example>
    /// <code>
    /// var request = new CardActRequest(card.Id, card.Version, CardActionKind.Accept, idempotencyKey);
    /// var accepted = await session.CardActAsync(request, cancellationToken);
    /// </code>
    /// </example>
    public async Task<CardActReply> CardActAsync(CardActRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        RequireAtMost(Limits.MessageBodyBytes, request.Post?.Body.Length ?? 0, ErrorCode.BodyTooLarge);
        return await CallAsync((hub, token) => hub.CardActAsync(request, token), cancellationToken);
    }

    /// <inheritdoc cref="ChatConnection.SendToDevicesAsync"/>
    /// <example>
    /// <code>
    /// await session.SendToDevicesAsync(new([new DeviceEnvelope(device, body)], clientId), cancellationToken);
    /// </code>
    /// </example>
    public Task SendToDevicesAsync(SendToDevicesRequest request, CancellationToken cancellationToken) =>
        CallAsync(async (hub, token) =>
        {
            await hub.SendToDevicesAsync(request, token);
            return new Unit();
        }, cancellationToken);

    /// <inheritdoc cref="ChatConnection.MarkAsync"/>
    /// <example>
    /// <code>await session.MarkAsync(new([new ReceiptMark(id, Delivered: seq, Read: seq)]), cancellationToken);</code>
    /// </example>
    public Task MarkAsync(MarkRequest request, CancellationToken cancellationToken) =>
        CallAsync(async (hub, token) =>
        {
            await hub.MarkAsync(request, token);
            return new Unit();
        }, cancellationToken);

    /// <summary>
    /// Replaces whom this session watches, for as long as the connection lasts: to be called again whenever the session
    /// is <see cref="ChatSessionState.Online"/> anew. Changes come to <see cref="ChatHandlers.Presence"/>.
    /// </summary>
    /// <exception cref="ChatPayException">Too many accounts.</exception>
    /// <example>
    /// <code>var there = (await session.WatchPresenceAsync(new([ada.Id]), cancellationToken)).Accounts;</code>
    /// </example>
    public Task<PresenceReply> WatchPresenceAsync(WatchPresenceRequest request, CancellationToken cancellationToken) =>
        CallAsync((hub, token) => hub.WatchPresenceAsync(request, token), cancellationToken);

    /// <summary>Says that the person is typing, or has stopped; nothing is said while there is no connection.</summary>
    /// <exception cref="ChatPayException">Not a member.</exception>
    /// <example>
    /// <code>await session.TypingAsync(new(id, Active: true), cancellationToken);</code>
    /// </example>
    public Task TypingAsync(TypingRequest request, CancellationToken cancellationToken) =>
        State == ChatSessionState.Online
            ? CallAsync(async (hub, token) =>
            {
                await hub.TypingAsync(request, token);
                return new Unit();
            }, cancellationToken)
            : Task.CompletedTask;

    /// <summary>
    /// Reads a conversation's log on from where it stands, as a resync would: for one that the session has not been
    /// told of yet.
    /// </summary>
    /// <example>
    /// <code>session.Read(id);</code>
    /// </example>
    public void Read(ConversationId conversation)
    {
        int link;
        lock (_lock)
        {
            link = _current?.Id ?? 0;
        }

        // Without a connection the next greeting names it.
        _inbox.Add(link, new(Resync: new ControlSignal(ControlKind.Resync, conversation)));
    }

    /// <summary>
    /// Any call that may be made twice: for methods of the hub that the session does not name.
    /// <paramref name="call"/> runs once per attempt.
    /// </summary>
    /// <exception cref="ChatPayException">
    /// The server refused, and not for now only; or <c>overloaded</c>: more calls wait than
    /// <see cref="ChatSessionOptions.MaxCalls"/>; or <see cref="ClientErrors.SessionEnded"/>.
    /// </exception>
    /// <example>
    /// <code>var page = await session.CallAsync((hub, token) => hub.PullDeviceAsync(token), cancellationToken);</code>
    /// </example>
    public async Task<T> CallAsync<T>(
        Func<ChatConnection, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        if (Interlocked.Increment(ref _calls) > _options.MaxCalls)
        {
            Interlocked.Decrement(ref _calls);
            throw new ChatPayException(ErrorBody.From(new Error(
                ErrorCode.Overloaded, "This device has too many calls waiting for their answers.")));
        }

        try
        {
            return await PersistAsync(call, mayFail: true, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _calls);
        }
    }

    /// <summary>
    /// The server closes a connection that sends too large a frame, and the call would be made again for ever: it is
    /// refused here, with the error that a smaller excess gets there.
    /// </summary>
    private static void RequireAtMost(int maxBytes, long bytes, ErrorCode code)
    {
        if (bytes > maxBytes)
        {
            throw new ChatPayException(ErrorBody.From(new Error(code, "This is larger than a hub message may be.")));
        }
    }

    /// <param name="mayFail">
    /// Whether a server's mistake is the caller's to know. The session's own reading goes on trying instead: it has
    /// nobody to tell, and ends for good where it fails.
    /// </param>
    private async Task<T> PersistAsync<T>(
        Func<ChatConnection, CancellationToken, Task<T>> call, bool mayFail, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            var link = await LinkAsync(cancellationToken);
            if (!link.TryBegin())
            {
                continue;
            }

            var pause = TimeSpan.Zero;
            try
            {
                return await TimedAsync(link, call, cancellationToken);
            }
            catch (Exception broken) when (IsLoss(broken) && !cancellationToken.IsCancellationRequested)
            {
                // Nobody knows whether it arrived. The same ids tell the server, on the next connection.
                Lose(link);
            }
            catch (ChatPayException refused) when (refused.Retryable || refused.Code == ErrorCode.HelloFirst
                || (!mayFail && refused.Code == ErrorCode.Internal))
            {
                pause = Backoff.RetryAfter(refused.Error) is { } asked
                    ? Backoff.Asked(asked, _options.Random)
                    : Backoff.FullJitter(attempt, _options.BaseDelay, _options.MaxDelay, _options.Random);
            }
            catch (ChatPayException over) when (EndOf(over) is ChatSessionEnd.Revoked)
            {
                link.End = ChatSessionEnd.Revoked;
                Lose(link);
                throw;
            }
            finally
            {
                link.EndCall();
            }

            Interlocked.Increment(ref _retries);
            await PauseAsync(pause, cancellationToken);
        }
    }

    /// <summary>Until it is time, or the session is over: then the next look for a connection says so.</summary>
    private async Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        await Task.Delay(pause, _options.Time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Whether the connection broke, rather than that the server answered with an error.</summary>
    private static bool IsLoss(Exception exception) =>
        exception is not ChatPayException answered || answered.Name == ClientErrors.Offline;

    private async Task<SessionLink> LinkAsync(CancellationToken cancellationToken)
    {
        Task<SessionLink> online;
        lock (_lock)
        {
            online = _online.Task;
        }

        return await online.WaitAsync(cancellationToken);
    }

    /// <summary>One attempt on one connection; whatever keeps it from an answer is thrown.</summary>
    private async Task<T> TimedAsync<T>(
        SessionLink link, Func<ChatConnection, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(_options.CallTimeout, _options.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, link.Lost, cancellationToken);
        return await call(link.Connection, limit.Token);
    }
}
