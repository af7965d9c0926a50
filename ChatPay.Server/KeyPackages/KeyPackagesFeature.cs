using ChatPay.Server.Hosting;

namespace ChatPay.Server.KeyPackages;

/// <summary>MLS key packages: what others need to add a device to a group while it is away.</summary>
internal static class KeyPackagesFeature
{
    public static void AddKeyPackages(this IServiceCollection services)
    {
        services.AddValidatedOptions<KeyPackageOptions>(KeyPackageOptions.Section);
        services.AddSingleton<KeyPackageStore>();
        services.AddSingleton<KeyPackageStock>();
        services.AddSingleton<ClaimLimiter>();
        services.AddSingleton<KeyPackageService>();
        services.AddSingleton<KeyPackageSweeper>();
        services.AddSingleton<IAccountLifecycle>(provider => provider.GetRequiredService<KeyPackageSweeper>());
        services.AddHostedService(provider => provider.GetRequiredService<KeyPackageSweeper>());
    }
}
