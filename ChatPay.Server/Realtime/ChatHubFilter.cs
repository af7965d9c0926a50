using System.Diagnostics;
using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.SignalR;
using Npgsql;

namespace ChatPay.Server.Realtime;

/// <summary>
/// What every hub method needs and none should repeat: the session still lives, Hello has been said, the connection keeps
/// within its rates, time is measured, and whatever goes wrong becomes a numbered error.
/// </summary>
internal sealed partial class ChatHubFilter(
    Sessions sessions, NpgsqlDataSource database, TimeProvider time, ILogger<ChatHubFilter> logger) : IHubFilter
{
    public async ValueTask<object?> InvokeMethodAsync(
        HubInvocationContext invocationContext, Func<HubInvocationContext, ValueTask<object?>> next)
    {
        ArgumentNullException.ThrowIfNull(invocationContext);
        ArgumentNullException.ThrowIfNull(next);
        var started = time.GetTimestamp();
        var method = invocationContext.HubMethodName;
        var connection = ClientConnection.Of(invocationContext.Context);
        connection.BeginCall();
        var reply = await AnswerAsync(connection, invocationContext, method, next);
        connection.EndCall();
        var code = (reply as IHubReply)?.Error?.Code ?? 0;
        if (Activity.Current is { Source.Name: Telemetry.HubSource } span)
        {
            // Only on the call's own span: without a listener there is still one of the whole connection.
            span.SetTag("chatpay.code", code);
        }

        RealtimeMetrics.Called(method, code, time.GetElapsedTime(started).TotalMilliseconds);
        return reply;
    }

    private async Task<object?> AnswerAsync(
        ClientConnection connection, HubInvocationContext invocation, string method,
        Func<HubInvocationContext, ValueTask<object?>> next)
    {
        try
        {
            if (!connection.Budget.TryTake(ClassOf(method), out var retryAfterMs))
            {
                return HubErrors.ReplyOf(TooMany.Requests(
                    "That was too much at once. Wait a moment.", TimeSpan.FromMilliseconds(retryAfterMs)));
            }

            if (connection.IsOver || (!connection.IsKnownLive(sessions.Trust)
                && !await AskAsync(connection, invocation.Context.ConnectionAborted)))
            {
                connection.End();
                return HubErrors.ReplyOf(new Error(ErrorCode.Unauthenticated, "This session is over. Sign in again."));
            }

            if (!connection.SaidHello && method != nameof(IChatHub.Hello))
            {
                return HubErrors.ReplyOf(new Error(ErrorCode.HelloFirst, "The first call on a connection is Hello."));
            }

            if (invocation.HubMethodArguments.Contains(null))
            {
                return HubErrors.ReplyOf(HubErrors.Malformed);
            }

            return await next(invocation);
        }
        catch (OperationCanceledException) when (invocation.Context.ConnectionAborted.IsCancellationRequested)
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
    private Task<bool> AskAsync(ClientConnection connection, CancellationToken cancellationToken)
    {
        connection.Asking();
        return sessions.IsLiveAsync(connection.User, cancellationToken);
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
