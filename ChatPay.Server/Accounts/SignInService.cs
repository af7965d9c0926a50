using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Accounts;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Accounts;

/// <summary>What the edge knows of an attempt besides its body.</summary>
/// <param name="Address">Where it comes from, as limits count it.</param>
/// <param name="DeviceToken">What a device that was here before is recognised by; null or wrong for all others.</param>
internal sealed record SignInOrigin(string Address, string? DeviceToken);

/// <summary>A new session, and the two secrets that only its device gets.</summary>
internal sealed class OpenedSession(
    AccountView account, DeviceView device, DateTimeOffset expiresAt, string sessionToken, string deviceToken)
{
    public AccountView Account => account;

    public DeviceView Device => device;

    public DateTimeOffset ExpiresAt => expiresAt;

    public string SessionToken => sessionToken;

    public string DeviceToken => deviceToken;
}

/// <summary>Signing up and signing in.</summary>
internal sealed partial class SignInService(
    AccountStore accounts, SessionStore store, PasswordHasher hasher, SignInGuard guard, AccountLifecycle lifecycle,
    IdFactory ids, IOptions<AccountOptions> options, ILogger<SignInService> logger)
{
    /// <summary>
    /// A sign-in begins anew when the password's hash changed meanwhile; more often than this it cannot be chance.
    /// </summary>
    private const int MaxRounds = 4;

    public async Task<Result<OpenedSession>> SignUpAsync(
        SignUpRequest request, SignInOrigin origin, CancellationToken cancellationToken)
    {
        if (!options.Value.SignUpOpen)
        {
            return AccountErrors.SignUpClosed;
        }

        var device = CheckDevice(request.Device);
        var name = Names.DisplayName(request.DisplayName);
        var password = Handles.CheckNew(request.Handle) is { } handleError
            ? handleError
            : PasswordRules.Check(request.Password, request.Handle);
        if ((password.Error ?? name.Error ?? device.Error) is { } error)
        {
            return error;
        }

        var skeleton = Handles.Skeleton(request.Handle);
        if (await accounts.FindLookalikeAsync(request.Handle, skeleton, cancellationToken) is { } other)
        {
            return other == request.Handle ? AccountErrors.HandleTaken : AccountErrors.HandleLookalike;
        }

        var hash = await hasher.HashAsync(password.Value, cancellationToken);
        if (hash.Error is { } busy)
        {
            return busy;
        }

        var secrets = new Secrets();
        var account = new AccountView(ids.New<AccountId>(), request.Handle, name.Value);
        var made = await store.SignUpAsync(
            account, skeleton, hash.Value, ids.New<DeviceId>(), device.Value, New(secrets, origin), cancellationToken);
        if (made.Error is { } refused)
        {
            return refused;
        }

        // The account exists from here on, whether the caller still waits or not.
        AccountMetrics.SignedUp();
        Log.SignedUp(logger, account.Id);
        await lifecycle.OpenedAsync(account.Id, CancellationToken.None);
        return Opened(account, made.Value, secrets);
    }

    public async Task<Result<OpenedSession>> SignInAsync(
        SignInRequest request, SignInOrigin origin, CancellationToken cancellationToken)
    {
        var device = CheckDevice(request.Device);
        if ((Handles.CheckForm(request.Handle) ?? device.Error) is { } error)
        {
            return error;
        }

        for (var round = 0; round < MaxRounds; round++)
        {
            var account = await accounts.FindForSignInAsync(
                request.Handle, SessionToken.HashOf(origin.DeviceToken), MarkOf(origin.Address), cancellationToken);
            var proven = await ProveAsync(request, origin, account, cancellationToken);
            if (proven.Error is { } refused)
            {
                return refused;
            }

            var secrets = new Secrets();
            var made = await store.SignInAsync(
                account!, request.DeviceId, ids.New<DeviceId>(), device.Value, New(secrets, origin), proven.Value.Rehashed,
                cancellationToken);
            if (made is { Error: { } notOpened })
            {
                return notOpened;
            }

            if (made is { } opened)
            {
                AccountMetrics.SignedIn();
                Log.SignedIn(logger, account!.View.Id, new DeviceId(opened.Value.Device.Id));
                return Opened(account.View, opened.Value, secrets);
            }
        }

        return AccountErrors.Busy;
    }

    /// <summary>Whether the password is the account's; the same work and the same answer where there is no account.</summary>
    private async Task<Result<Proof>> ProveAsync(
        SignInRequest request, SignInOrigin origin, SignInRow? account, CancellationToken cancellationToken)
    {
        if (PasswordRules.Normalize(request.Password) is not { } password)
        {
            // No password has that length, so the answer tells nothing and no guess was made.
            return AccountErrors.BadCredentials;
        }

        var known = account?.RecognisedDevice is { } id ? new DeviceId(id) : (DeviceId?)null;
        var begun = guard.Begin(request.Handle, origin.Address, known, account?.KnownAddress is true);
        if (begun.Error is { } wait)
        {
            AccountMetrics.MustWait();
            Log.MustWait(logger);
            return wait;
        }

        var attempt = begun.Value;
        var decided = false;
        try
        {
            var fits = await hasher.VerifyAsync(password, account?.PasswordHash, cancellationToken);
            if (fits.Error is { } busy)
            {
                return busy;
            }

            decided = true;
            if (!fits.Value)
            {
                AccountMetrics.WrongPassword();
                Log.Failed(logger);
                return AccountErrors.BadCredentials;
            }

            attempt.Succeeded();
        }
        finally
        {
            if (!decided)
            {
                attempt.Undo();
            }
        }

        if (!hasher.NeedsRehash(account!.PasswordHash))
        {
            return new Proof(null);
        }

        // Where there is no room to hash now there will be at a later sign-in.
        var rehashed = await hasher.HashAsync(password, cancellationToken);
        return new Proof(rehashed.IsOk ? rehashed.Value : null);
    }

    private static Result<NewDevice> CheckDevice(NewDevice device)
    {
        // Bytes that are no key would verify nothing: key packages and leaves of such a device are refused ever after.
        if (!PublicKey.TryImport(SignatureAlgorithm.Ed25519, device.SignatureKey, KeyBlobFormat.RawPublicKey, out _))
        {
            return new Error(ErrorCode.InvalidArgument, "device.signatureKey is no Ed25519 public key of 32 bytes.");
        }

        return Names.DeviceName(device.Name).Map(name => device with { Name = name });
    }

    private NewSession New(Secrets secrets, SignInOrigin origin) => new(
        SessionToken.HashOf(secrets.Session)!, SessionToken.HashOf(secrets.Device)!, MarkOf(origin.Address),
        options.Value.SessionIdleDays, options.Value.SessionMaxDays);

    private static OpenedSession Opened(AccountView account, SignedIn made, Secrets secrets) => new(
        account, made.Device.View(new DeviceId(made.Device.Id)), new DateTimeOffset(made.ExpiresAt), secrets.Session,
        secrets.Device);

    /// <summary>16 bits of the address: the same for 65,536 IPv4 addresses, so it does not say which one it was.</summary>
    private static int MarkOf(string address)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes("chatpay address mark\n" + address));
        return (hash[0] << 8) | hash[1];
    }

    private readonly record struct Proof(string? Rehashed);

    private sealed class Secrets
    {
        public string Session { get; } = SessionToken.Create();

        public string Device { get; } = SessionToken.Create();
    }

    private static partial class Log
    {
        [LoggerMessage(2000, LogLevel.Information, "Account {Account} signed up")]
        public static partial void SignedUp(ILogger logger, AccountId account);

        [LoggerMessage(2001, LogLevel.Information, "Account {Account} signed in on device {Device}")]
        public static partial void SignedIn(ILogger logger, AccountId account, DeviceId device);

        [LoggerMessage(2002, LogLevel.Information, "A sign-in failed")]
        public static partial void Failed(ILogger logger);

        [LoggerMessage(2003, LogLevel.Warning, "A sign-in was refused without a look at its password: too many have failed")]
        public static partial void MustWait(ILogger logger);
    }
}
