using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>Requests over HTTP, again where that does no harm.</summary>
internal static class Transport
{
    /// <summary>
    /// So many mistakes of the server's at one call are borne; with the usual waits it is half a minute. One message
    /// that the server always fails at must not keep a conversation's others waiting for ever.
    /// </summary>
    private const int MistakesBorne = 8;

    /// <summary>
    /// Asks until there is an answer that is not for now only. For requests that change nothing when they are repeated. Who has
    /// asked too often, and is to come back later than a call may take, is told no: it may be a day, and others wait their turn.
    /// </summary>
    /// <param name="mayFail">
    /// Whether a server's mistake is the caller's to know; whoever has nobody to tell goes on trying.
    /// </param>
    /// <param name="attempts">How often to ask at most; whoever must not wait passes fewer.</param>
    /// <exception cref="ChatPayException">Refused, or the device has ended.</exception>
    public static async Task<T> RetryAsync<T>(
        DeviceCore core, Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken,
        bool mayFail = true, int attempts = int.MaxValue)
    {
        var options = core.Options.Session;
        for (var attempt = 0; ; attempt++)
        {
            TimeSpan pause;
            try
            {
                return await UntilStoppedAsync(core, request, cancellationToken);
            }
            catch (ChatPayException passing) when (
                attempt < attempts - 1 && (passing.Retryable || (!mayFail && passing.Code == ErrorCode.Internal))
                && !(mayFail && passing.Code == ErrorCode.TooManyRequests
                    && Backoff.RetryAfter(passing.Error) > options.CallTimeout))
            {
                pause = Backoff.RetryAfter(passing.Error) is { } asked
                    ? Backoff.Asked(asked, options.Random)
                    : Backoff.FullJitter(attempt, options.BaseDelay, options.MaxDelay, options.Random);
            }

            await PauseAsync(core, pause, cancellationToken);
        }
    }

    /// <summary>
    /// A call whose outcome a server's mistake leaves open, made again with the same ids after growing waits: it may
    /// have been accepted, and then the answer says so.
    /// </summary>
    /// <exception cref="ChatPayException"><c>internal</c>: the server made it time and again; or any other.</exception>
    public static async Task<T> InsistAsync<T>(
        DeviceCore core, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        var options = core.Options.Session;
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (ChatPayException mistake) when (mistake.Code == ErrorCode.Internal && attempt < MistakesBorne - 1)
            {
                // Below.
            }

            await PauseAsync(
                core, Backoff.FullJitter(attempt, options.BaseDelay, options.MaxDelay, options.Random),
                cancellationToken);
        }
    }

    /// <summary>A wait that ends with the device.</summary>
    /// <exception cref="ChatPayException">The device has ended.</exception>
    public static Task PauseAsync(DeviceCore core, TimeSpan pause, CancellationToken cancellationToken) =>
        UntilStoppedAsync(
            core,
            async token =>
            {
                await Task.Delay(pause, core.Time, token);
                return new Unit();
            },
            cancellationToken);

    /// <summary>
    /// Whoever asks is told when the device ends, by the one error, whatever the end of the connection looks like from
    /// within.
    /// </summary>
    private static async Task<T> UntilStoppedAsync<T>(
        DeviceCore core, Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, core.Stopping);
        try
        {
            return await work(either.Token);
        }
        catch (Exception over) when (
            over is OperationCanceledException or ObjectDisposedException or ChatPayException { Retryable: true }
            && core.Stopping.IsCancellationRequested && cancellationToken != core.Stopping)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw core.StoreFault ?? LocalErrors.SessionEnded(ChatSessionEnd.Closed, over);
        }
    }

    /// <summary>
    /// Whether an error says what has become of a request: that it was refused, for good. An ended session, a failure of
    /// this side and a server's mistake leave it open, for it may have been accepted before; the last of many mistakes
    /// is taken for a verdict by <see cref="IsFinal"/>.
    /// </summary>
    public static bool IsVerdict(ChatPayException error) =>
        error.Error.Code != ClientErrors.Code
        && error.Code is not (ErrorCode.Unauthenticated or ErrorCode.DeviceRevoked or ErrorCode.Internal);

    /// <summary>A verdict, or the last mistake of many: it is not tried any more.</summary>
    public static bool IsFinal(ChatPayException error) => IsVerdict(error) || error.Code == ErrorCode.Internal;
}
