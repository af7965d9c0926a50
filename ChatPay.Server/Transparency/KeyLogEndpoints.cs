using System.Security.Claims;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ChatPay.Server.Transparency;

/// <summary>Chains for those who may see them, and which log they are in.</summary>
internal static class KeyLogEndpoints
{
    public static void MapKeys(this RouteGroupBuilder v1)
    {
        ArgumentNullException.ThrowIfNull(v1);
        var group = v1.MapGroup("/keys").WithTags("Keys").RequireAuthorization();
        group.MapGet("/log", LogAsync).RequireRateLimiting(RateLimitPolicies.Reads);
        group.MapPost("/entries", AppendAsync).RequireRateLimiting(RateLimitPolicies.Writes);
        group.MapGet("/accounts/{account:guid}", ChainAsync).RequireRateLimiting(RateLimitPolicies.Reads);
        group.MapGet("/consistency", ConsistencyAsync).RequireRateLimiting(RateLimitPolicies.Reads);
        group.MapGet("/wrapped", WrappedAsync).RequireRateLimiting(RateLimitPolicies.Reads);
        group.MapPut("/wrapped", StoreWrappedAsync).RequireRateLimiting(RateLimitPolicies.Writes);
    }

    private static async Task<Ok<KeyLogView>> LogAsync(
        KeyLogKeeper keeper, KeyLogReader reader, CancellationToken cancellationToken) =>
        TypedResults.Ok(keeper.ViewOf(await reader.HeadAsync(cancellationToken)));

    private static async Task<Results<Ok<KeyChainReply>, ErrorResult>> AppendAsync(
        AppendKeysRequest request, ClaimsPrincipal user, KeyChainService service, CancellationToken cancellationToken) =>
        (await service.AppendAsync(user.Caller(), request, cancellationToken)).ToOk();

    private static async Task<Results<Ok<KeyChainReply>, ErrorResult>> ChainAsync(
        Guid account, long? from, long? size, ClaimsPrincipal user, KeyLogReader reader,
        CancellationToken cancellationToken) =>
        (await reader.ChainAsync(user.Caller(), new AccountId(account), from ?? 0, size ?? 0, cancellationToken)).ToOk();

    private static async Task<Results<Ok<ConsistencyReply>, ErrorResult>> ConsistencyAsync(
        long from, long? to, KeyLogReader reader, CancellationToken cancellationToken) =>
        (await reader.ConsistencyAsync(from, to, cancellationToken)).ToOk();

    private static async Task<Ok<WrappedKeysView>> WrappedAsync(
        ClaimsPrincipal user, WrappedKeysStore store, CancellationToken cancellationToken) =>
        TypedResults.Ok(await store.FindAsync(user.Caller().Account, cancellationToken));

    private static async Task<Results<Ok<WrappedKeysView>, ErrorResult>> StoreWrappedAsync(
        StoreWrappedKeysRequest request, ClaimsPrincipal user, WrappedKeysStore store,
        CancellationToken cancellationToken) =>
        (await store.StoreAsync(user.Caller(), request, cancellationToken)).ToOk();
}
