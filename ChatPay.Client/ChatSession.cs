using ChatPay.Client.Internal;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>
/// A device's standing connection: it comes back after every loss, catches up with the logs, and makes calls again
/// whose outcome is unknown, with the same ids. Made by <see cref="ChatPayClient.StartSession"/>; safe for concurrent
/// use.
/// </summary>
/// <remarks>
/// Losses cost a wait with full jitter, or as long as the server asks and up to as much again. A server that is too
/// busy for a greeting keeps the connection, and is greeted again when it said. Disposing from one of the handlers
/// would wait for itself.
/// </remarks>
public sealed partial class ChatSession : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly ChatPayClient _client;
    private readonly ChatSessionHandlers _handlers;
    private readonly ChatSessionOptions _options;
    private readonly SessionLog _log;
    private readonly SessionInbox _inbox;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<ChatSessionEnd> _completion = new(
        TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _run;
    private TaskCompletionSource<SessionLink> _online = NewOnline();
    private ChatSessionState _state = ChatSessionState.Connecting;
    private AccountId _account;
    private bool _ended;

    internal ChatSession(
        ChatPayClient client, ChatSessionHandlers handlers, ChatSessionOptions options, ChatPosition start)
    {
        (_client, _handlers, _options) = (client, handlers, options.Checked());
        _log = new SessionLog(start);
        _inbox = new SessionInbox(options.MaxPushes);
        _addresses = options.Addresses is { Count: > 0 } several ? [.. several] : [client.Address];
        _completion.Task.MayFailUnseen();
        _run = Task.Run(RunAsync);
    }

    /// <summary>What it is doing.</summary>
    public ChatSessionState State
    {
        get
        {
            lock (_lock)
            {
                return _state;
            }
        }
    }

    /// <summary>Where this device stands in its logs: everything up to there has been handled.</summary>
    public ChatPosition Position => _log.Position;

    /// <summary>
    /// Completes when the session is over for good, and fails with what a handler threw, or with the error of a server
    /// that refused this client for good.
    /// </summary>
    public Task<ChatSessionEnd> Completion => _completion.Task;

    /// <summary>What it has cost so far.</summary>
    public ChatSessionCounts Counts => new(
        Interlocked.Read(ref _attempts), Interlocked.Read(ref _connections), Interlocked.Read(ref _hellosRefused),
        Interlocked.Read(ref _syncs), Interlocked.Read(ref _retries));

    /// <summary>Completes once calls are made at once; at once where they are.</summary>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.SessionEnded"/>: the session is over; <see cref="Completion"/> says why.
    /// </exception>
    /// <example>
    /// <code>await session.OnlineAsync(cancellationToken);</code>
    /// </example>
    public Task OnlineAsync(CancellationToken cancellationToken) => LinkAsync(cancellationToken);

    /// <summary>Closes the connection and ends the session; calls that wait fail.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
    }

    private static TaskCompletionSource<SessionLink> NewOnline()
    {
        var online = new TaskCompletionSource<SessionLink>(TaskCreationOptions.RunContinuationsAsynchronously);
        online.Task.MayFailUnseen();
        return online;
    }

    private async Task RunAsync()
    {
        var keeping = KeepConnectedAsync(_stop.Token);
        var reading = ReadAsync(_stop.Token);
        var first = await Task.WhenAny(keeping, reading);
        await _stop.CancelAsync();
        var failure = first.Exception?.InnerException;
        var end = failure is not null ? ChatSessionEnd.Refused
            : first == keeping && keeping.IsCompletedSuccessfully ? await keeping : ChatSessionEnd.Closed;
        if (failure is ChatPayException answered
            && EndOf(answered) is (ChatSessionEnd.Revoked or ChatSessionEnd.UpgradeRequired) and var told)
        {
            // The log's reader was told before the connection was.
            (failure, end) = (null, told);
        }


        // Calls fail before the rest is waited for: a handler may be waiting for one.
        Finish(end, failure);
        await Task.WhenAll(keeping, reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Report(ChatSessionState.Ended, null);
        if (failure is null)
        {
            _completion.TrySetResult(end);
        }
        else
        {
            _completion.TrySetException(failure);
        }
    }

    /// <summary>From here on every call fails.</summary>
    private void Finish(ChatSessionEnd end, Exception? cause)
    {
        var over = LocalErrors.SessionEnded(end, cause);
        var ended = NewOnline();
        ended.SetException(over);
        TaskCompletionSource<SessionLink> waiting;
        lock (_lock)
        {
            (waiting, _online, _ended) = (_online, ended, true);
        }

        waiting.TrySetException(over);
    }

    private void Report(ChatSessionState state, TimeSpan? retryIn)
    {
        lock (_lock)
        {
            _state = state;
        }

        _handlers.StateChanged?.Invoke(state, retryIn);
    }
}
