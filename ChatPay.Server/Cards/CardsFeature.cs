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
        services.AddSingleton<CardDirectory>();
        services.AddSingleton<PayCodeStore>();
        services.AddSingleton<PayCodeService>();
        services.AddSingleton<WalletHolds>();
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
        v1.MapGet("/wallet/holds", async (HttpContext context, WalletHolds holds) =>
                (await holds.ReadAsync(context.User.Caller(), context.RequestAborted)).ToOk())
            .RequireAuthorization().RequireRateLimiting(RateLimitPolicies.Reads)
            .WithName("ReadHolds").WithTags("Wallet").WithSummary("What of the caller's waits in cards, and when it returns.");
        v1.MapGet("/wallet/limits", async (HttpContext context, WalletHolds holds) =>
                (await holds.ReadLimitsAsync(context.User.Caller(), context.RequestAborted)).ToOk())
            .RequireAuthorization().RequireRateLimiting(RateLimitPolicies.Reads)
            .WithName("ReadLimits").WithTags("Wallet").WithSummary("What the server lets the caller do with money.");

        var codes = v1.MapGroup("/pay-codes").WithTags("Cards").RequireAuthorization();
        codes.MapPost("", async (NewPayCode wanted, HttpContext context, PayCodeService service) =>
                (await service.CreateAsync(context.User.Caller(), wanted, context.RequestAborted)).ToOk())
            .RequireRateLimiting(RateLimitPolicies.Writes)
            .WithName("CreatePayCode").WithSummary("A code to be shown: to be paid an amount, or to be asked for one.");
        codes.MapGet("/{code}", async (string code, HttpContext context, PayCodeService service) =>
                (await service.ReadAsync(context.User.Caller(), code, context.RequestAborted)).ToOk())
            .RequireRateLimiting(RateLimitPolicies.Reads)
            .WithName("ReadPayCode").WithSummary("One's own code, and who has scanned it.");
        codes.MapPost("/{code}/scan", async (string code, HttpContext context, PayCodeService service) =>
                (await service.ScanAsync(context.User.Caller(), code, context.RequestAborted)).ToOk())
            .RequireRateLimiting(RateLimitPolicies.Writes)
            .WithName("ScanPayCode").WithSummary("Takes somebody's code: it serves the first who does.");
        codes.MapDelete("/{code}", async (string code, HttpContext context, PayCodeService service) =>
                (await service.RemoveAsync(context.User.Caller(), code, context.RequestAborted)).ToNoContent())
            .RequireRateLimiting(RateLimitPolicies.Writes)
            .WithName("RemovePayCode").WithSummary("Puts one's own code out of use.");
    }
}
