using System.Threading.RateLimiting;
using ChatPay.Core.Cryptography;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Accounts;

/// <summary>Accounts, their devices and sessions, and who a request comes from.</summary>
internal static class AccountsFeature
{
    /// <summary>The rate-limit policy for look-ups of handles: by account, so that nobody lists them all.</summary>
    public const string HandleLookups = "handle-lookups";

    public static void AddAccounts(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddValidatedOptions<AccountOptions>(AccountOptions.Section);
        services.AddValidatedOptions<SignInLimitOptions>(SignInLimitOptions.Section);
        services.AddSingleton<AccountStore>();
        services.AddSingleton<DeviceStore>();
        services.AddSingleton<DeviceSignatureKeys>();
        services.AddSingleton<SessionStore>();
        services.AddSingleton<Sessions>();
        services.AddSingleton<PasswordHasher>();
        services.AddSingleton<SignInGuard>();
        services.AddSingleton<AccountDirectory>();
        services.AddSingleton<SignInService>();
        services.AddSingleton<AccountService>();
        services.AddSingleton<AccountLifecycle>();
        services.AddHostedService(provider => provider.GetRequiredService<AccountLifecycle>());
        services
            .AddAuthentication(SessionAuthenticationHandler.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, SessionAuthenticationHandler>(
                SessionAuthenticationHandler.SchemeName, configureOptions: null);
        services.AddAuthorization();
        services.AddOptions<RateLimiterOptions>().Configure<IOptions<AccountOptions>>((limiter, options) =>
            limiter.AddPolicy(HandleLookups, context => RateLimitPartition.GetSlidingWindowLimiter(
                context.User.FindFirst(CallerClaims.Account)?.Value ?? "",
                _ => new SlidingWindowRateLimiterOptions
                {
                    PermitLimit = options.Value.HandleLookupsPerMinute,
                    Window = TimeSpan.FromMinutes(1),
                    SegmentsPerWindow = 6,
                    QueueLimit = 0,
                })));
    }

    /// <summary>Before everything that asks who is calling.</summary>
    public static void UseAccounts(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        RequireSodium();
        app.UseAuthentication();
        app.UseAuthorization();
    }

    /// <summary>Passwords cannot be hashed without it, so it is missed at the start and not at the first sign-in.</summary>
    private static void RequireSodium()
    {
        try
        {
            Sodium.Initialize();
        }
        catch (PlatformNotSupportedException failure)
        {
            throw new StartupException(failure.Message, failure);
        }
    }
}
