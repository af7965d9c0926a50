using System.Security.Claims;
using System.Text.Encodings.Web;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Accounts;

/// <summary>
/// The scheme "Session": who sends a bearer token or the session cookie is the device that signed in. A bearer header, where
/// there is one, decides alone.
/// </summary>
internal sealed class SessionAuthenticationHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, Sessions sessions)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "Session";

    private const string BearerPrefix = "Bearer ";

    private Error _error = AccountErrors.Unauthenticated;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (TokenOf(Request) is not { } token)
        {
            return AuthenticateResult.NoResult();
        }

        var session = await sessions.ValidateAsync(token, Context.RequestAborted);
        if (session.Error is { } error)
        {
            _error = error;
            return AuthenticateResult.Fail(error.Message);
        }

        var identity = new ClaimsIdentity(
            [
                new Claim(CallerClaims.Account, session.Value.Caller.Account.ToString()),
                new Claim(CallerClaims.Device, session.Value.Caller.Device.ToString()),
                new Claim(Sessions.KeyClaim, session.Value.Key),
            ],
            SchemeName,
            CallerClaims.Account,
            roleType: null);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = "Bearer";
        return new ErrorResult(_error).ExecuteAsync(Context);
    }

    private static string? TokenOf(HttpRequest request)
    {
        if (request.Headers.Authorization is [{ } header])
        {
            return header.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase) ? header[BearerPrefix.Length..] : "";
        }

        return SessionCookies.SessionOf(request);
    }
}
