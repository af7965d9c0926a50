using ChatPay.Server.Hosting;

namespace ChatPay.Server.Archive;

/// <summary>Archives of messages, for those who want one, sealed by their own devices.</summary>
internal static class ArchiveFeature
{
    public static void AddArchive(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddValidatedOptions<ArchiveOptions>(ArchiveOptions.Section);
        services.AddSingleton<ArchiveStore>();
        services.AddSingleton<ArchiveService>();
    }
}
