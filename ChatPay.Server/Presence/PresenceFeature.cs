using System.Security.Claims;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ChatPay.Server.Presence;

/// <summary>Presence: who of one's contacts is there, and who may know.</summary>
internal static class PresenceFeature
{
    public static void AddPresence(this IServiceCollection services)
    {
        services.AddValidatedOptions<PresenceOptions>(PresenceOptions.Section);
        services.AddSingleton<PresenceSignals>();
        services.AddSingleton<PresenceBook>();
        services.AddSingleton<PresenceStore>();
        services.AddSingleton<PresenceKeys>();
        services.AddSingleton<PresenceService>();
        services.AddHostedService<PresenceRounds>();
        services.AddSingleton<PresenceSharing>();
        services.AddHostedService(provider => provider.GetRequiredService<PresenceSharing>());
    }

    public static void MapPresence(this RouteGroupBuilder v1) => v1
        .MapPut("/me/presence", ChangeAsync)
        .WithTags("Accounts")
        .RequireAuthorization()
        .RequireRateLimiting(RateLimitPolicies.Writes);

    private static async Task<Results<NoContent, ErrorResult>> ChangeAsync(
        ChangePresenceRequest request, ClaimsPrincipal user, PresenceService presence,
        CancellationToken cancellationToken) =>
        (await presence.ChangeAsync(user.Caller(), request, cancellationToken)).ToNoContent();
}
