using System.Diagnostics;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.SignalR;

namespace ChatPay.Server.Realtime;

/// <summary>Leads every call that comes by SignalR's dispatcher through <see cref="HubCalls"/>.</summary>
internal sealed class ChatHubFilter(HubCalls calls) : IHubFilter
{
    public async ValueTask<object?> InvokeMethodAsync(
        HubInvocationContext invocationContext, Func<HubInvocationContext, ValueTask<object?>> next)
    {
        ArgumentNullException.ThrowIfNull(invocationContext);
        ArgumentNullException.ThrowIfNull(next);
        var reply = await calls.AnswerAsync(
            ClientConnection.Of(invocationContext.Context), invocationContext.HubMethodName, invocationContext,
            invocationContext.HubMethodArguments.Contains(null) ? null : next);
        if (Activity.Current is { Source.Name: Telemetry.HubSource } span)
        {
            // Only on the call's own span: without a listener there is still one of the whole connection.
            span.SetTag("chatpay.code", HubCalls.CodeOf(reply));
        }

        return reply;
    }
}
