using System.Security.Claims;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ChatPay.Server.Archive;

/// <summary>The archive of the caller's own account; nobody reads another's.</summary>
internal static class ArchiveEndpoints
{
    public static void MapArchive(this RouteGroupBuilder v1)
    {
        ArgumentNullException.ThrowIfNull(v1);
        var group = v1.MapGroup("/archive").WithTags("Archive").RequireAuthorization();
        group.MapGet("", ViewAsync).RequireRateLimiting(RateLimitPolicies.Reads);
        group.MapPut("", TurnOnAsync).RequireRateLimiting(RateLimitPolicies.Writes);
        group.MapDelete("/{archive:guid}", TurnOffAsync).RequireRateLimiting(RateLimitPolicies.Writes);
        group.MapPut("/{archive:guid}/chunks/{number:long}", StoreAsync).RequireRateLimiting(RateLimitPolicies.Writes);
        group.MapGet("/{archive:guid}/devices/{device:guid}", PageAsync).RequireRateLimiting(RateLimitPolicies.Reads);
    }

    private static async Task<Results<Ok<ArchiveView>, ErrorResult>> ViewAsync(
        ClaimsPrincipal user, ArchiveService service, CancellationToken cancellationToken) =>
        (await service.ViewAsync(user.Caller().Account, cancellationToken)).ToOk();

    private static async Task<Results<Ok<ArchiveView>, ErrorResult>> TurnOnAsync(
        TurnOnArchiveRequest request, ClaimsPrincipal user, ArchiveService service, CancellationToken cancellationToken) =>
        (await service.TurnOnAsync(user.Caller(), request.Archive, cancellationToken)).ToOk();

    private static async Task<Results<NoContent, ErrorResult>> TurnOffAsync(
        Guid archive, ClaimsPrincipal user, ArchiveService service, CancellationToken cancellationToken) =>
        (await service.TurnOffAsync(user.Caller(), new ArchiveId(archive), cancellationToken)).ToNoContent();

    private static async Task<Results<NoContent, ErrorResult>> StoreAsync(
        Guid archive, long number, StoreArchiveChunkRequest request, ClaimsPrincipal user, ArchiveService service,
        CancellationToken cancellationToken) =>
        (await service.StoreAsync(user.Caller(), new ArchiveId(archive), number, request.Sealed, cancellationToken))
            .ToNoContent();

    private static async Task<Results<Ok<ArchivePage>, ErrorResult>> PageAsync(
        Guid archive, Guid device, long? from, ClaimsPrincipal user, ArchiveService service,
        CancellationToken cancellationToken) =>
        (await service.PageAsync(
            user.Caller().Account, new ArchiveId(archive), new DeviceId(device), from ?? 0, cancellationToken)).ToOk();
}
