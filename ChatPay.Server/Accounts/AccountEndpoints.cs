using System.Security.Claims;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using ChatPay.Server.Ledger;
using ChatPay.Server.Presence;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Accounts;

/// <summary>Accounts, sessions and devices over HTTP: bound, call, map.</summary>
internal static class AccountEndpoints
{
    /// <summary>Far above the largest request here, far below the server's general bound.</summary>
    private const long BodyBytes = 16 * 1024;

    private const string AsCookie = "cookie";
    private const string AsToken = "token";

    public static void MapAccounts(this RouteGroupBuilder v1)
    {
        var open = v1.MapGroup("").WithTags("Accounts").WithMetadata(new RequestSizeLimit(BodyBytes));
        open.MapPost("/accounts", SignUpAsync).RequireRateLimiting(RateLimitPolicies.SignIn).AllowAnonymous();
        open.MapPost("/sessions", SignInAsync).AllowAnonymous();

        var own = v1.MapGroup("").WithTags("Accounts").RequireAuthorization().WithMetadata(new RequestSizeLimit(BodyBytes));
        own.MapDelete("/sessions/current", SignOutAsync).RequireRateLimiting(RateLimitPolicies.Writes);
        own.MapGet("/me", MeAsync).RequireRateLimiting(RateLimitPolicies.Reads);
        own.MapPatch("/me", ChangeProfileAsync).RequireRateLimiting(RateLimitPolicies.Writes);
        own.MapPut("/me/password", ChangePasswordAsync).RequireRateLimiting(RateLimitPolicies.Writes);
        own.MapGet("/devices", DevicesAsync).RequireRateLimiting(RateLimitPolicies.Reads);
        own.MapDelete("/devices/{id:guid}", RevokeAsync).RequireRateLimiting(RateLimitPolicies.Writes);
        own.MapGet("/accounts/by-handle/{handle}", ByHandleAsync).RequireRateLimiting(AccountsFeature.HandleLookups);
    }

    private static async Task<Results<Created<SessionReply>, ErrorResult>> SignUpAsync(
        SignUpRequest request, HttpContext context, SignInService service, IOptions<AccountOptions> options,
        CancellationToken cancellationToken)
    {
        if (CheckSessionKind(request.Session) is { } error)
        {
            return new ErrorResult(error);
        }

        var opened = await service.SignUpAsync(request, OriginOf(context, null), cancellationToken);
        return opened
            .Map(session => Reply(context, session, request.Session, options.Value))
            .ToCreated(_ => "/v1/me");
    }

    private static async Task<Results<Ok<SessionReply>, ErrorResult>> SignInAsync(
        SignInRequest request, HttpContext context, SignInService service, IOptions<AccountOptions> options,
        CancellationToken cancellationToken)
    {
        if (CheckSessionKind(request.Session) is { } error)
        {
            return new ErrorResult(error);
        }

        var opened = await service.SignInAsync(request, OriginOf(context, request.DeviceToken), cancellationToken);
        return opened.Map(session => Reply(context, session, request.Session, options.Value)).ToOk();
    }

    private static async Task<NoContent> SignOutAsync(
        ClaimsPrincipal user, HttpContext context, Sessions sessions, AccountLifecycle lifecycle,
        CancellationToken cancellationToken)
    {
        await sessions.EndAsync(user, cancellationToken);
        SessionCookies.ClearSession(context);
        await lifecycle.SessionsEndedAsync(user.Caller().Device, CancellationToken.None);
        return TypedResults.NoContent();
    }

    private static async Task<Results<Ok<MeReply>, ErrorResult>> MeAsync(
        ClaimsPrincipal user, AccountDirectory directory, AccountService service, AssetCatalogue assets,
        PresenceService presence, CancellationToken cancellationToken)
    {
        var caller = user.Caller();
        var account = await directory.FindAsync(caller.Account, cancellationToken);
        var devices = await service.DevicesAsync(caller, cancellationToken);
        return account is not null && devices.FirstOrDefault(device => device.Current) is { } device
            ? TypedResults.Ok(new MeReply(
                account, device, assets.SandboxEnabled, assets.Views,
                await presence.VisibilityAsync(caller.Account, cancellationToken)))
            : new ErrorResult(AccountErrors.SessionRevoked);
    }

    private static async Task<Results<Ok<AccountView>, ErrorResult>> ChangeProfileAsync(
        ChangeProfileRequest request, ClaimsPrincipal user, AccountService service, CancellationToken cancellationToken) =>
        (await service.ChangeProfileAsync(user.Caller(), request, cancellationToken)).ToOk();

    private static async Task<Results<NoContent, ErrorResult>> ChangePasswordAsync(
        ChangePasswordRequest request, ClaimsPrincipal user, AccountService service,
        CancellationToken cancellationToken) =>
        (await service.ChangePasswordAsync(user.Caller(), Sessions.HashOf(user), request, cancellationToken)).ToNoContent();

    private static async Task<Ok<IReadOnlyList<DeviceView>>> DevicesAsync(
        ClaimsPrincipal user, AccountService service, CancellationToken cancellationToken) =>
        TypedResults.Ok(await service.DevicesAsync(user.Caller(), cancellationToken));

    private static async Task<Results<NoContent, ErrorResult>> RevokeAsync(
        Guid id, ClaimsPrincipal user, HttpContext context, AccountService service, CancellationToken cancellationToken)
    {
        var caller = user.Caller();
        var revoked = await service.RevokeAsync(caller, new DeviceId(id), cancellationToken);
        if (revoked.IsOk && caller.Device.Value == id)
        {
            SessionCookies.ClearSession(context);
        }

        return revoked.ToNoContent();
    }

    private static async Task<Results<Ok<AccountView>, ErrorResult>> ByHandleAsync(
        string handle, AccountDirectory directory, CancellationToken cancellationToken) =>
        (await directory.FindByHandleAsync(handle, cancellationToken)).ToOk();

    private static Error? CheckSessionKind(string kind) => kind is AsCookie or AsToken
        ? null
        : new Error(ErrorCode.InvalidArgument, $"session is either \"{AsCookie}\" or \"{AsToken}\".");

    private static SignInOrigin OriginOf(HttpContext context, string? deviceToken) =>
        new(RequestLimits.AddressOf(context), deviceToken ?? SessionCookies.DeviceOf(context.Request));

    /// <summary>The secrets go either into cookies, which scripts cannot read, or into the body; never into both.</summary>
    private static SessionReply Reply(HttpContext context, OpenedSession session, string kind, AccountOptions options)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (kind == AsToken)
        {
            return new SessionReply(
                session.Account, session.Device, session.SessionToken, session.ExpiresAt, session.DeviceToken);
        }

        SessionCookies.Set(
            context, session.SessionToken, session.DeviceToken, TimeSpan.FromDays(options.SessionMaxDays));
        return new SessionReply(session.Account, session.Device, Token: null, session.ExpiresAt);
    }

    private sealed class RequestSizeLimit(long bytes) : Microsoft.AspNetCore.Http.Metadata.IRequestSizeLimitMetadata
    {
        public long? MaxRequestBodySize => bytes;
    }
}
