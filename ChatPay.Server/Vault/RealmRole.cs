using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Npgsql;

namespace ChatPay.Server.Vault;

/// <summary>
/// One realm as a process of its own (<c>--role realm</c>): its database, its key file, its tokens' door, and nothing else of
/// the server. It knows accounts by id alone and never goes to the server, which comes for what happened.
/// </summary>
internal static class RealmRole
{
    private static readonly TimeSpan s_preflightAge = TimeSpan.FromHours(1);

    public static void AddRealmRole(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddDatabaseOf(RealmSchemas.Alone);
        services.AddRealms([RealmSchemas.Alone]);
        services.AddHttpContextAccessor();
        services.AddSingleton<IIdentityKeys, TokenIdentityKeys>();
        services.AddSingleton<RealmJournal>();
        services.AddHostedService(provider => provider.GetRequiredService<RealmJournal>());
        services.AddSingleton(provider => new VaultNews(provider.GetRequiredService<RealmJournal>().Add));
        services.AddSingleton(new PageConnections([]));
        services.AddSingleton<RealmTokenVerifier>();
        services
            .AddAuthentication(RealmTokenHandler.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, RealmTokenHandler>(RealmTokenHandler.SchemeName, configureOptions: null);
        services.AddAuthorization(RealmTokenHandler.Authorize);
        services.AddCors();
    }

    /// <summary>
    /// Pages of the server, and of nobody else, may talk to the realm; they send no cookies, and are shown no more than what
    /// their token lets them ask.
    /// </summary>
    public static void UseRealmRole(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        _ = app.Services.GetRequiredService<RealmTokenVerifier>();
        var origins = app.Services.GetRequiredService<IOptions<HostingOptions>>().Value.AllowedOrigins
            .Select(origin => origin.TrimEnd('/'));
        app.UseCors(cors => cors
            .WithOrigins([.. origins])
            .WithMethods(HttpMethods.Get, HttpMethods.Post)
            .WithHeaders("Authorization", "Content-Type")
            .WithExposedHeaders("Retry-After")
            .SetPreflightMaxAge(s_preflightAge));
        app.UseAuthentication();
        app.UseAuthorization();
    }

    public static void MapRealmRole(this WebApplication app, RouteGroupBuilder v1)
    {
        v1.MapRealms();
        v1.MapGet("/vault/realms/{realm:guid}/news", NewsAsync)
            .WithTags("Vault").RequireAuthorization(RealmTokenHandler.ServerPolicy).RequireRateLimiting(RateLimitPolicies.Reads);
        var health = app.MapGroup("/health").WithTags("Health");
        health.MapGet("/live", () => TypedResults.Ok(new HealthReply("live"))).WithSummary("The process answers.");
        health.MapGet("/ready", ReadyAsync).WithSummary("The database answers too.");
    }

    private static async Task<Results<Ok<RealmNews>, ErrorResult>> NewsAsync(
        Guid realm, string? after, RealmHouse house, CancellationToken cancellationToken) =>
        house.Find(new RealmId(realm)) is { } found
            ? TypedResults.Ok(await found.Store.News.ReadAsync(NewsCursor.Read(after), Limits.RealmNews, cancellationToken))
            : new ErrorResult(new Error(ErrorCode.RealmUnknown, "There is no such realm here."));

    private static async Task<Results<Ok<HealthReply>, ErrorResult>> ReadyAsync(
        NpgsqlDataSource database, CancellationToken cancellationToken) =>
        await DatabaseProbe.AnswersAsync(database, cancellationToken)
            ? TypedResults.Ok(new HealthReply("ready"))
            : new ErrorResult(new Error(ErrorCode.Unavailable, "The database does not answer."));

    /// <summary>The key that the server named in the token of the request.</summary>
    private sealed class TokenIdentityKeys(IHttpContextAccessor requests) : IIdentityKeys
    {
        public ValueTask<byte[]?> FindAsync(AccountId account, CancellationToken cancellationToken) => new(
            requests.HttpContext?.User.FindFirst(RealmTokenHandler.IdentityKey)?.Value is { } key
                ? Convert.FromBase64String(key) : null);
    }
}
