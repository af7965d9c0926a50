using ChatPay.Server.Hosting;

namespace ChatPay.Server.Transparency;

/// <summary>Identity keys: chains of accounts, the log over them, and the wrapped keys of those who have a PIN.</summary>
internal static class KeyLogFeature
{
    public static void AddKeyLog(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddValidatedOptions<KeyLogOptions>(KeyLogOptions.Section);
        services.AddSingleton<KeyLogStore>();
        services.AddSingleton<KeyChainStore>();
        services.AddSingleton<WrappedKeysStore>();
        services.AddSingleton<KeyLogReader>();
        services.AddSingleton<KeyChainService>();
        services.AddSingleton<KeyLogKeeper>();
        services.AddHostedService(provider => provider.GetRequiredService<KeyLogKeeper>());
    }
}
