using System.Security.Claims;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Hosting;

/// <summary>Who is calling: the account and the device its session belongs to.</summary>
internal readonly record struct Caller(AccountId Account, DeviceId Device);

/// <summary>How the session scheme and the features that ask it agree on the claims of a caller.</summary>
internal static class CallerClaims
{
    public const string Account = "account";
    public const string Device = "device";

    /// <summary>The caller behind an authenticated principal.</summary>
    /// <exception cref="InvalidOperationException">
    /// The principal is not authenticated: the endpoint or hub method forgot to require it.
    /// </exception>
    public static Caller Caller(this ClaimsPrincipal principal)
    {
        ArgumentNullException.ThrowIfNull(principal);
        return Guid.TryParseExact(principal.FindFirst(Account)?.Value, "D", out var account)
            && Guid.TryParseExact(principal.FindFirst(Device)?.Value, "D", out var device)
            ? new Caller(new AccountId(account), new DeviceId(device))
            : throw new InvalidOperationException("An unauthenticated request reached code that needs a caller.");
    }
}
