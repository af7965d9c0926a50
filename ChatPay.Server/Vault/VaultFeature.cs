using System.Security.Claims;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ChatPay.Server.Vault;

/// <summary>The PIN vault: the realms that run here, over HTTP.</summary>
internal static class VaultFeature
{
    public static void AddVault(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddValidatedOptions<VaultOptions>(VaultOptions.Section);
        foreach (var schema in RealmSchemas.All)
        {
            services.AddSingleton(schema);
        }

        services.AddSingleton<RealmHouse>();
        services.AddHostedService(provider => provider.GetRequiredService<RealmHouse>());
    }

    public static void MapVault(this RouteGroupBuilder v1)
    {
        ArgumentNullException.ThrowIfNull(v1);
        var group = v1.MapGroup("/vault").WithTags("Vault").RequireAuthorization();
        group.MapGet("", View).RequireRateLimiting(RateLimitPolicies.Reads);
        group.MapPost("/realms/{realm:guid}", AnswerAsync).RequireRateLimiting(RateLimitPolicies.Writes);
        group.MapGet("/realms/{realm:guid}/attempts", AttemptsAsync).RequireRateLimiting(RateLimitPolicies.Reads);
    }

    private static Ok<VaultView> View(RealmHouse house) => TypedResults.Ok(house.View);

    private static async Task<Results<Ok<VaultExchange>, ErrorResult>> AnswerAsync(
        Guid realm, VaultExchange request, ClaimsPrincipal user, RealmHouse house, CancellationToken cancellationToken)
    {
        if (house.Find(new RealmId(realm)) is not { } found)
        {
            return Unknown<VaultExchange>().ToOk();
        }

        if (request.Message.Length > Limits.VaultMessageBytes)
        {
            return ((Result<VaultExchange>)new Error(
                ErrorCode.TooLarge, $"A message to a realm has at most {Limits.VaultMessageBytes} bytes.")).ToOk();
        }

        var answer = await found.AnswerAsync(user.Caller(), request.Message, cancellationToken);
        return answer.Map(bytes => new VaultExchange(bytes)).ToOk();
    }

    private static async Task<Results<Ok<VaultAttempts>, ErrorResult>> AttemptsAsync(
        Guid realm, ClaimsPrincipal user, RealmHouse house, CancellationToken cancellationToken) =>
        house.Find(new RealmId(realm)) is { } found
            ? ((Result<VaultAttempts>)new VaultAttempts(await found.Store.AttemptsAsync(
                user.Caller().Account, Limits.VaultAttempts, cancellationToken))).ToOk()
            : Unknown<VaultAttempts>().ToOk();

    private static Result<T> Unknown<T>() =>
        new Error(ErrorCode.RealmUnknown, "There is no such realm here; ask for the vault again.");
}
