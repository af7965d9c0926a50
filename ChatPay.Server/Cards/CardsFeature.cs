using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Cards;

/// <summary>Payment cards: posting, acting, expiring.</summary>
internal static class CardsFeature
{
    public static void AddCards(this IServiceCollection services)
    {
        services.AddValidatedOptions<CardOptions>(CardOptions.Section);
        services.AddSingleton<IWriteRowsFactory, CardRowsFactory>();
        services.AddSingleton<IWriteRowsFactory, CardActionRowsFactory>();
        services.AddSingleton<IWriteRowsFactory, CardAuthorisationRowsFactory>();
        services.AddSingleton<IWriteRowsFactory, PacketClaimRowsFactory>();
        services.AddSingleton<IWriteRowsFactory, RequestAllowanceRowsFactory>();
        services.AddSingleton<IWriteRowsFactory, DrawRefusalRowsFactory>();
        services.AddSingleton<DebitCheck>();
        services.AddSingleton<CardStore>();
        services.AddSingleton<KnownCards>();
        services.AddSingleton<CardDirectory>();
        services.AddSingleton<PayCodeStore>();
        services.AddSingleton<PayCodeService>();
        services.AddSingleton<WalletHolds>();
        services.AddSingleton<CardService>();
        services.AddSingleton<CardSweeper>();
        services.AddHostedService(provider => provider.GetRequiredService<CardSweeper>());
    }
}
