using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using Npgsql;

namespace ChatPay.Server.Realtime;

/// <summary>
/// What every call needs and none should repeat: the session still lives, Hello has been said, the connection keeps within its
/// rates, time is measured, and whatever goes wrong becomes a numbered error.
/// </summary>
internal sealed partial class HubCalls(
    Sessions sessions, NpgsqlDataSource database, TimeProvider time, ILogger<HubCalls> logger)
{
    /// <summary>Answers one call.</summary>
    /// <param name="call">The call itself, with <paramref name="state"/>; null where the arguments do not fit the method.</param>
    /// <returns>An <see cref="IHubReply"/>; never fails.</returns>
    public async ValueTask<object?> AnswerAsync<TState>(
        ClientConnection connection, string method, TState state, Func<TState, ValueTask<object?>>? call)
    {
        var started = time.GetTimestamp();
        connection.BeginCall();
        var reply = await DecideAsync(connection, method, state, call);
        connection.EndCall();
        RealtimeMetrics.Called(method, CodeOf(reply), time.GetElapsedTime(started).TotalMilliseconds);
        return reply;
    }

    /// <summary>The number of the error that a reply holds; 0 for none.</summary>
    public static int CodeOf(object? reply) => (reply as IHubReply)?.Error?.Code ?? 0;

    private async ValueTask<object?> DecideAsync<TState>(
        ClientConnection connection, string method, TState state, Func<TState, ValueTask<object?>>? call)
    {
        try
        {
            if (!connection.Budget.TryTake(ClassOf(method), out var retryAfterMs))
            {
                return HubErrors.ReplyOf(TooMany.Requests(
                    "That was too much at once. Wait a moment.", TimeSpan.FromMilliseconds(retryAfterMs)));
            }

            if (connection.IsOver || (!connection.IsKnownLive(sessions.Trust) && !await AskAsync(connection)))
            {
                connection.End();
                return HubErrors.ReplyOf(new Error(ErrorCode.Unauthenticated, "This session is over. Sign in again."));
            }

            if (!connection.SaidHello && method != nameof(IChatHub.Hello))
            {
                return HubErrors.ReplyOf(new Error(ErrorCode.HelloFirst, "The first call on a connection is Hello."));
            }

            return call is null ? HubErrors.ReplyOf(HubErrors.Malformed) : await call(state);
        }
        catch (OperationCanceledException) when (connection.Aborted.IsCancellationRequested)
        {
            return HubErrors.ReplyOf(new Error(ErrorCode.Unavailable, "The connection was closed."));
        }
        catch (Exception exception)
        {
            Log.CallFailed(logger, method, exception);
            database.ForgetTainted(exception);
            return HubErrors.ReplyOf(ErrorEdge.OfException(exception));
        }
    }

    /// <summary>Asks also now and then where the watch has just looked: it is what keeps a session in use from ending.</summary>
    private Task<bool> AskAsync(ClientConnection connection)
    {
        connection.Asking();
        return sessions.IsLiveAsync(connection.User, connection.Aborted);
    }

    private static CallClass ClassOf(string method) => method switch
    {
        nameof(IChatHub.Send) or nameof(IChatHub.SubmitCommit) or nameof(IChatHub.CardAct)
            or nameof(IChatHub.SendToDevices) => CallClass.Write,
        nameof(IChatHub.Mark) or nameof(IChatHub.Typing) => CallClass.Signal,
        _ => CallClass.Read,
    };

    private static partial class Log
    {
        [LoggerMessage(4020, LogLevel.Error, "The hub method {Method} failed")]
        public static partial void CallFailed(ILogger logger, string method, Exception exception);
    }
}
