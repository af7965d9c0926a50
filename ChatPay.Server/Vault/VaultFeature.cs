using System.Security.Claims;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using ChatPay.Server.Realtime;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ChatPay.Server.Vault;

/// <summary>The PIN vault in the server: the realms that run in it over HTTP, or where they are and what lets in there.</summary>
internal static class VaultFeature
{
    public static void AddVault(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddRealms(RealmSchemas.All);
        services.AddSingleton<RealmTokens>();
        services.AddSingleton(provider => new VaultNews(provider.GetRequiredService<Fanout>().KeysChanged));
        services.AddHostedService<RealmWatch>();
        services.AddSingleton(provider => new PageConnections(
            [.. provider.GetRequiredService<VaultPlan>().Hosts.Select(host => host.Address.GetLeftPart(UriPartial.Authority))]));
    }

    /// <summary>What runs realms, wherever they are.</summary>
    public static void AddRealms(this IServiceCollection services, IReadOnlyList<DatabaseSchema> schemas)
    {
        services.AddValidatedOptions<VaultOptions>(VaultOptions.Section);
        services.AddValidatedOptions<RealmOptions>(RealmOptions.Section);
        services.AddSingleton(new RealmSet(schemas));
        services.AddSingleton<VaultPlan>();
        foreach (var schema in schemas)
        {
            services.AddSingleton(schema);
        }

        services.AddSingleton<RealmHouse>();
        services.AddHostedService(provider => provider.GetRequiredService<RealmHouse>());
    }

    public static void MapVault(this RouteGroupBuilder v1)
    {
        ArgumentNullException.ThrowIfNull(v1);
        var group = v1.MapRealms();
        group.MapGet("", View).RequireRateLimiting(RateLimitPolicies.Reads);
        group.MapPost("/realms/{realm:guid}/token", IssueAsync).RequireRateLimiting(RateLimitPolicies.Writes);
    }

    /// <summary>The realms' own paths, which are the same in a realm's own process.</summary>
    public static RouteGroupBuilder MapRealms(this RouteGroupBuilder v1)
    {
        ArgumentNullException.ThrowIfNull(v1);
        var group = v1.MapGroup("/vault").WithTags("Vault").RequireAuthorization();
        group.MapPost("/realms/{realm:guid}", AnswerAsync).RequireRateLimiting(RateLimitPolicies.Writes);
        group.MapGet("/realms/{realm:guid}/attempts", AttemptsAsync).RequireRateLimiting(RateLimitPolicies.Reads);
        return group;
    }

    /// <summary>The public key that realms verify this server's tokens with, for those who run them.</summary>
    public static string ReadTokenKey(this IServiceProvider services)
    {
        using var key = RealmTokenKeyFile.Open(services.GetRequiredService<VaultPlan>().KeyFolder);
        return Convert.ToBase64String(key.PublicKey.Export(Core.Cryptography.KeyBlobFormat.RawPublicKey));
    }

    private static Ok<VaultView> View(RealmHouse house) => TypedResults.Ok(house.View);

    private static async Task<Results<Ok<RealmTokenReply>, ErrorResult>> IssueAsync(
        Guid realm, ClaimsPrincipal user, RealmTokens tokens, CancellationToken cancellationToken) =>
        (await tokens.IssueAsync(user.Caller(), new RealmId(realm), cancellationToken)).ToOk();

    private static async Task<Results<Ok<VaultExchange>, ErrorResult>> AnswerAsync(
        Guid realm, VaultExchange request, ClaimsPrincipal user, RealmHouse house, IIdentityKeys identities,
        CancellationToken cancellationToken)
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

        var caller = user.Caller();
        var answer = await found.AnswerAsync(
            new RealmCaller(caller, token => identities.FindAsync(caller.Account, token)), request.Message,
            cancellationToken);
        return answer.Map(bytes => new VaultExchange(bytes)).ToOk();
    }

    private static async Task<Results<Ok<VaultAttempts>, ErrorResult>> AttemptsAsync(
        Guid realm, ClaimsPrincipal user, RealmHouse house, CancellationToken cancellationToken) =>
        house.Find(new RealmId(realm)) is { } found
            ? ((Result<VaultAttempts>)await found.AttemptsAsync(user.Caller().Account, cancellationToken)).ToOk()
            : Unknown<VaultAttempts>().ToOk();

    private static Result<T> Unknown<T>() =>
        new Error(ErrorCode.RealmUnknown, "There is no such realm here; ask for the vault again.");
}
