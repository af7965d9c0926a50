using System.Security.Claims;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ChatPay.Server.KeyPackages;

/// <summary>Key packages over HTTP: bound, call, map.</summary>
internal static class KeyPackageEndpoints
{
    public static void MapKeyPackages(this RouteGroupBuilder v1)
    {
        ArgumentNullException.ThrowIfNull(v1);
        var group = v1.MapGroup("/key-packages").WithTags("Key packages").RequireAuthorization();
        group.MapPost("", UploadAsync).RequireRateLimiting(RateLimitPolicies.Writes);
        group.MapGet("", CountAsync).RequireRateLimiting(RateLimitPolicies.Reads);
        group.MapPost("/claim", ClaimAsync).RequireRateLimiting(RateLimitPolicies.Writes);
    }

    private static async Task<Results<Ok<KeyPackageCount>, ErrorResult>> UploadAsync(
        UploadKeyPackagesRequest request, ClaimsPrincipal user, KeyPackageService service,
        CancellationToken cancellationToken) =>
        (await service.UploadAsync(user.Caller(), request, cancellationToken)).ToOk();

    private static async Task<Ok<KeyPackageCount>> CountAsync(
        ClaimsPrincipal user, KeyPackageService service, CancellationToken cancellationToken) =>
        TypedResults.Ok(await service.CountAsync(user.Caller(), cancellationToken));

    private static async Task<Results<Ok<ClaimKeyPackagesReply>, ErrorResult>> ClaimAsync(
        ClaimKeyPackagesRequest request, ClaimsPrincipal user, KeyPackageService service,
        CancellationToken cancellationToken) =>
        (await service.ClaimAsync(user.Caller(), request, cancellationToken)).ToOk();
}
