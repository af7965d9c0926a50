using ChatPay.Core.Protocol;
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
        services.AddSingleton<DebitCheck>();
        services.AddSingleton<CardStore>();
        services.AddSingleton<KnownCards>();
        services.AddSingleton<CardDirectory>();
        services.AddSingleton<RequestLimiter>();
        services.AddSingleton<CardService>();
        services.AddSingleton<CardSweeper>();
        services.AddHostedService(provider => provider.GetRequiredService<CardSweeper>());
    }

    public static void MapCards(this RouteGroupBuilder v1)
    {
        v1.MapGet("/cards/{id:guid}", async (Guid id, HttpContext context, CardService cards) =>
                (await cards.ReadAsync(context.User.Caller(), new CardId(id), context.RequestAborted)).ToOk())
            .RequireAuthorization().RequireRateLimiting(RateLimitPolicies.Reads)
            .WithName("ReadCard").WithTags("Cards").WithSummary("A card, for members of its conversation.");

        v1.MapGet("/cards/{id:guid}/parts", async (
                Guid id, HttpContext context, CardService cards, int? after = null, int limit = Limits.CardPartsPage) =>
                (await cards.ReadPartsAsync(context.User.Caller(), new CardId(id), after, limit, context.RequestAborted)).ToOk())
            .RequireAuthorization().RequireRateLimiting(RateLimitPolicies.Reads)
            .WithName("ReadCardParts").WithTags("Cards")
            .WithSummary("The parts of a split, or the taken shares of a packet, by place.");
    }
}
