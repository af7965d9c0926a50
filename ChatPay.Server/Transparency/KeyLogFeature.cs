using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;
using ChatPay.Server.Vault;

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
        services.AddSingleton<IIdentityKeys, LoggedIdentityKeys>();
        services.AddSingleton<IWriteRowsFactory, DeviceStandingRowsFactory>();
        services.AddSingleton<WrappedKeysStore>();
        services.AddSingleton<KeyLogReader>();
        services.AddSingleton<KeyChainService>();
        services.AddSingleton<KeyLogKeeper>();
        services.AddHostedService(provider => provider.GetRequiredService<KeyLogKeeper>());
    }

    /// <summary>The log's public files.</summary>
    public static void MapKeyLog(this WebApplication app) => app.MapLog<KeyLogStore, KeyLogReader>(LogDefinition.Keys);

    /// <summary>Whom a registration of a PIN may be by.</summary>
    private sealed class LoggedIdentityKeys(KeyChainStore chains) : IIdentityKeys
    {
        public async ValueTask<byte[]?> FindAsync(AccountId account, CancellationToken cancellationToken) =>
            await chains.IdentityKeyAsync(account, cancellationToken);
    }
}
