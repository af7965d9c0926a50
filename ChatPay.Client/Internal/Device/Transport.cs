using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>Requests over HTTP, again where that does no harm, and calls on the session with the one error.</summary>
internal static class Transport
{
    /// <summary>
    /// Asks until there is an answer that is not for now only. For requests that change nothing when they are repeated.
    /// </summary>
    /// <param name="mayFail">
    /// Whether a server's mistake is the caller's to know; whoever has nobody to tell goes on trying.
    /// </param>
    /// <exception cref="ChatPayException">Refused, or the device has ended.</exception>
    public static async Task<T> RetryAsync<T>(
        DeviceCore core, Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken,
        bool mayFail = true)
    {
        var options = core.Options.Session;
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await request(cancellationToken);
            }
            catch (ChatPayException passing) when (
                (passing.Retryable || (!mayFail && passing.Code == ErrorCode.Internal))
                && !core.Stopping.IsCancellationRequested)
            {
                var pause = Backoff.RetryAfter(passing.Error) is { } asked
                    ? Backoff.Asked(asked, options.Random)
                    : Backoff.FullJitter(attempt, options.BaseDelay, options.MaxDelay, options.Random);
                await Task.Delay(pause, core.Time, cancellationToken);
            }
        }
    }

    /// <summary>
    /// Whether an error says what has become of a request: that it was refused, for good. An ended session, a failure of
    /// this side and a server's mistake leave it open, for it may have been accepted before.
    /// </summary>
    public static bool IsVerdict(ChatPayException error) =>
        error.Error.Code != ClientErrors.Code
        && error.Code is not (ErrorCode.Unauthenticated or ErrorCode.DeviceRevoked or ErrorCode.Internal);

    /// <summary>A call on the session, whose end is the one error too.</summary>
    public static async Task<T> CallAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (ChatSessionEndedException ended)
        {
            throw LocalErrors.SessionEnded(ended.End, ended.InnerException);
        }
    }
}
