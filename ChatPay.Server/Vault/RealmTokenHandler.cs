using System.Security.Claims;
using System.Text.Encodings.Web;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Vault;

/// <summary>
/// The scheme "RealmToken" of a realm alone: who sends a bearer token that the server has signed for this realm is the device
/// that the token names, or the server itself. Nothing else lets in.
/// </summary>
internal sealed class RealmTokenHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, RealmHouse house,
    RealmTokenVerifier verifier)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "RealmToken";

    /// <summary>The claim of the account's identity key in force, base64; absent where it is not known.</summary>
    public const string IdentityKey = "identity-key";

    /// <summary>Of the door that is the server's own.</summary>
    public const string ServerPolicy = "server";

    private const string Server = "server";
    private const string BearerPrefix = "Bearer ";

    private Error _error = new(ErrorCode.Unauthenticated, "Bring a token of the server for this realm.");

    /// <summary>Each door is for devices, who are there with an account, but for the one that is the server's.</summary>
    public static void Authorize(AuthorizationOptions authorization)
    {
        authorization.DefaultPolicy = new AuthorizationPolicyBuilder().RequireClaim(CallerClaims.Account).Build();
        authorization.AddPolicy(ServerPolicy, policy => policy.RequireClaim(Server));
    }

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Examine());

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = "Bearer";
        return new ErrorResult(_error).ExecuteAsync(Context);
    }

    /// <summary>A device's token is not for the server's door, nor the server's for theirs.</summary>
    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => new ErrorResult(
        new Error(ErrorCode.RealmTokenAudience, "The token is for something else at this realm.")).ExecuteAsync(Context);

    private AuthenticateResult Examine()
    {
        if (Request.Headers.Authorization is not [{ } header]
            || !header.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase))
        {
            return AuthenticateResult.NoResult();
        }

        var read = RealmToken.Read(
            header[BearerPrefix.Length..], verifier.Key, house.Realms[0].Id, TimeProvider.GetUtcNow());
        if (read.Error is { } error)
        {
            _error = error;
            return AuthenticateResult.Fail(error.Message);
        }

        var (caller, identity) = (read.Value.Caller, read.Value.IdentityKey);
        List<Claim> claims = caller == default ? [new(Server, "")]
            : [new(CallerClaims.Account, caller.Account.ToString()), new(CallerClaims.Device, caller.Device.ToString())];
        if (identity is not null)
        {
            claims.Add(new(IdentityKey, Convert.ToBase64String(identity)));
        }

        return AuthenticateResult.Success(new AuthenticationTicket(
            new ClaimsPrincipal(new ClaimsIdentity(claims, SchemeName, CallerClaims.Account, roleType: null)), SchemeName));
    }
}

/// <summary>The key of the server whose tokens a realm takes.</summary>
internal sealed class RealmTokenVerifier(IOptions<RealmOptions> options)
{
    /// <exception cref="StartupException"><c>Realm:TokenKey</c> is none.</exception>
    public PublicKey Key { get; } = Read(options.Value.TokenKey);

    private static PublicKey Read(string text)
    {
        Span<byte> bytes = stackalloc byte[RealmToken.KeyBytes];
        return Convert.TryFromBase64String(text, bytes, out var written) && written == bytes.Length
            && PublicKey.TryImport(SignatureAlgorithm.Ed25519, bytes, KeyBlobFormat.RawPublicKey, out var key)
            ? key
            : throw new StartupException(
                "Realm:TokenKey is not the key of a server's tokens: set it to what the command vault token-key prints there.");
    }
}
