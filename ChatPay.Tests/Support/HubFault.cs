using ChatPay.Server.Realtime;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace ChatPay.Tests.Support;

/// <summary>
/// Stands between the server's own filter and its hub: what a test throws there is the server's mistake, and what it
/// does behind a call happens before the call is answered.
/// </summary>
internal sealed class HubFault : IHubFilter
{
    /// <summary>Is given every call, and what carries it out; null for nobody.</summary>
    public Func<HubInvocationContext, Func<ValueTask<object?>>, ValueTask<object?>>? Around { get; set; }

    public ValueTask<object?> InvokeMethodAsync(
        HubInvocationContext invocationContext, Func<HubInvocationContext, ValueTask<object?>> next) =>
        Around is { } around ? around(invocationContext, () => next(invocationContext)) : next(invocationContext);

    /// <summary>For <see cref="TestServer.StartAsync"/>.</summary>
    public void AddTo(IServiceCollection services)
    {
        services.PostConfigure<HubOptions>(hub => hub.AddFilter(this));
        services.PostConfigure<RealtimeOptions>(realtime => realtime.CallLane = false);
    }
}
