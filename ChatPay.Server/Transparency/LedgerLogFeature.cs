using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ChatPay.Server.Transparency;

/// <summary>The log of applied transfers, and what it proves.</summary>
internal static class LedgerLogFeature
{
    public static void AddLedgerLog(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddValidatedOptions<LedgerLogOptions>(LedgerLogOptions.Section);
        services.AddSingleton<LedgerLogIntakeStore>();
        services.AddSingleton<LedgerLogStore>();
        services.AddSingleton<LedgerLogReader>();
        services.AddSingleton<LedgerLogKeeper>();
        services.AddHostedService(provider => provider.GetRequiredService<LedgerLogKeeper>());
    }

    public static void MapLedgerLog(this RouteGroupBuilder v1)
    {
        ArgumentNullException.ThrowIfNull(v1);
        var group = v1.MapGroup("/ledger").WithTags("Ledger log").RequireAuthorization()
            .RequireRateLimiting(RateLimitPolicies.Reads);
        group.MapGet("/log", LogAsync)
            .WithName("ReadLedgerLog").WithSummary("Which ledger log this server keeps.");
        group.MapGet("/consistency", ConsistencyAsync)
            .WithName("ReadLedgerConsistency").WithSummary("That the ledger log only grew between two sizes.");
    }

    /// <summary>The log's public files.</summary>
    public static void MapLedgerLog(this WebApplication app) =>
        app.MapLog<LedgerLogStore, LedgerLogReader>(LogDefinition.Ledger);

    private static async Task<Ok<KeyLogView>> LogAsync(
        LedgerLogKeeper keeper, LedgerLogReader reader, CancellationToken cancellationToken) =>
        TypedResults.Ok(keeper.ViewOf(await reader.HeadAsync(cancellationToken)));

    private static async Task<Results<Ok<ConsistencyReply>, ErrorResult>> ConsistencyAsync(
        long from, long? to, LedgerLogReader reader, CancellationToken cancellationToken) =>
        (await reader.ConsistencyAsync(from, to, cancellationToken)).ToOk();
}
