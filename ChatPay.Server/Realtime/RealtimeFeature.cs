using ChatPay.Server.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ChatPay.Server.Realtime;

/// <summary>The hub, its connections and the fan-out to them.</summary>
internal static class RealtimeFeature
{
    public static IServiceCollection AddRealtime(this IServiceCollection services)
    {
        services.AddValidatedOptions<RealtimeOptions>("Realtime");
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ConnectionRegistry>();
        services.AddSingleton<HeadRequests>();
        services.AddSingleton<Fanout>();
        services.AddHostedService(provider => provider.GetRequiredService<Fanout>());
        return services;
    }
}
