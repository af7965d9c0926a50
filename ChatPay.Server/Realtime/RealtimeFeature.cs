using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using WebSocketOptions = Microsoft.AspNetCore.Builder.WebSocketOptions;

namespace ChatPay.Server.Realtime;

/// <summary>The hub, its connections and the fan-out to them.</summary>
internal static class RealtimeFeature
{
    private const string Path = "/hub";

    public static void AddRealtime(this IServiceCollection services)
    {
        services.AddValidatedOptions<RealtimeOptions>(RealtimeOptions.Section);
        services.AddSingleton<FeedChanges>();
        services.AddSingleton<Rechecks>();
        services.AddSingleton<PushedMessages>();
        services.AddSingleton<PushedReceipts>();
        services.AddSingleton<ConnectionRegistry>();
        services.AddSingleton<HeadRequests>();
        services.AddSingleton<HelloAdmission>();
        services.AddSingleton<HubDoor>();
        services.AddSingleton<Departures>();
        services.AddHostedService<HubDrain>();
        services.AddSingleton<IAccountLifecycle, RevocationLifecycle>();
        AddHosted<Fanout>(services);
        AddHosted<HeadsPublisher>(services);
        AddHosted<ConnectionWatch>(services);
        AddHosted<HubSockets>(services);
        AddHub(services);
        AddDeadPeerDetection(services);
    }

    /// <summary>Before authentication, whose work it bounds.</summary>
    public static void UseHubDoor(this WebApplication app)
    {
        var door = app.Services.GetRequiredService<HubDoor>();
        app.UseWhen(context => context.Request.Path.Equals(Path, StringComparison.OrdinalIgnoreCase),
            hub => hub.Use(door.EnterAsync));
    }

    public static void MapRealtime(this WebApplication app) => app
        .MapHub<ChatHub>(Path, hub => hub.Transports = HttpTransportType.WebSockets)
        .Add(endpoint =>
        {
            RefuseNegotiation(endpoint);
            ServeSockets(endpoint, app);
        });

    private static void AddHub(IServiceCollection services)
    {
        services.AddSignalR().AddJsonProtocol(json => ProtocolJson.Configure(json.PayloadSerializerOptions));
        services.RemoveAll<IHubProtocol>();
        services.AddSingleton<IHubProtocol, ChatHubProtocol>();
        services.AddSingleton<HubLifetimeManager<ChatHub>, ChatLifetimeManager>();
        services.AddSingleton<HubCalls>();
        services.AddSingleton<CardCalls>();
        services.AddSingleton<CallLane>();
        services.AddSingleton<ChatHubFilter>();
        services.AddOptions<HubOptions>().Configure<IOptions<RealtimeOptions>>((hub, options) =>
        {
            hub.MaximumReceiveMessageSize = Limits.HubFrameBytes;
            hub.MaximumParallelInvocationsPerClient = 1;
            hub.KeepAliveInterval = TimeSpan.FromSeconds(options.Value.KeepAliveSeconds);
            hub.ClientTimeoutInterval = TimeSpan.FromSeconds(options.Value.ClientTimeoutSeconds);
            hub.HandshakeTimeout = TimeSpan.FromSeconds(options.Value.HandshakeSeconds);
            hub.EnableDetailedErrors = false;
            hub.AddFilter<ChatHubFilter>();
        });
    }

    /// <summary>
    /// SignalR times out only clients that have sent a ping before, which one whose network vanished at once never
    /// did. So the WebSocket asks too, and every stack answers that by itself.
    /// </summary>
    private static void AddDeadPeerDetection(IServiceCollection services) =>
        services.AddOptions<WebSocketOptions>().Configure<IOptions<RealtimeOptions>>((sockets, options) =>
        {
            var (ping, timeout) = (options.Value.KeepAliveSeconds, options.Value.ClientTimeoutSeconds);
            sockets.KeepAliveInterval = TimeSpan.FromSeconds(ping);
            sockets.KeepAliveTimeout = TimeSpan.FromSeconds(Math.Max(1, timeout - ping));
        });

    /// <summary>There is one transport, so there is nothing to negotiate, and no half-made connection to keep.</summary>
    private static void RefuseNegotiation(EndpointBuilder endpoint)
    {
        if (endpoint is RouteEndpointBuilder { RoutePattern.RawText: Path + "/negotiate" })
        {
            endpoint.RequestDelegate = context =>
                new ErrorResult(new(ErrorCode.NotFound, "There is nothing here.")).ExecuteAsync(context);
        }
    }

    /// <summary>SignalR's own transport stays for requests that are no WebSocket, which it refuses.</summary>
    private static void ServeSockets(EndpointBuilder endpoint, WebApplication app)
    {
        if (endpoint is RouteEndpointBuilder { RoutePattern.RawText: Path, RequestDelegate: { } refuse })
        {
            var sockets = app.Services.GetRequiredService<HubSockets>();
            var branch = ((IEndpointRouteBuilder)app).CreateApplicationBuilder().UseWebSockets();
            branch.Run(context => context.WebSockets.IsWebSocketRequest ? sockets.ServeAsync(context) : refuse(context));
            endpoint.RequestDelegate = branch.Build();
        }
    }

    private static void AddHosted<T>(IServiceCollection services)
        where T : class, IHostedService
    {
        services.AddSingleton<T>();
        services.AddHostedService(provider => provider.GetRequiredService<T>());
    }
}
