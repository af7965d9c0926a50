using ChatPay.Core.Accounts;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Accounts;

/// <summary>Changes to an account that its owner makes while signed in.</summary>
internal sealed partial class AccountService(
    AccountStore accounts, DeviceStore devices, AccountDirectory directory, Sessions sessions, PasswordHasher hasher,
    SignInGuard guard, AccountLifecycle lifecycle, ILogger<AccountService> logger)
{
    public async Task<Result<AccountView>> ChangeProfileAsync(
        Caller caller, ChangeProfileRequest request, CancellationToken cancellationToken)
    {
        var name = Names.DisplayName(request.DisplayName);
        if (name.Error is { } error)
        {
            return error;
        }

        var row = await accounts.RenameAsync(caller.Account, name.Value, cancellationToken);
        directory.Forget(caller.Account);
        return row.View;
    }

    /// <summary>Sets a new password and ends every session of the account but the calling one.</summary>
    public async Task<Result<Unit>> ChangePasswordAsync(
        Caller caller, byte[] session, ChangePasswordRequest request, CancellationToken cancellationToken)
    {
        var account = (await directory.FindAsync(caller.Account, cancellationToken))!;
        var fresh = PasswordRules.Check(request.NewPassword, account.Handle);
        if (fresh.Error is { } refused)
        {
            return refused;
        }

        var attempt = guard.Begin(caller.Device);
        if (attempt.Error is { } wait)
        {
            return wait;
        }

        var oldHash = (await accounts.PasswordHashAsync(caller.Account, cancellationToken))!;
        var newHash = await ProveAndHashAsync(attempt.Value, request.CurrentPassword, oldHash, fresh.Value, cancellationToken);
        if (newHash.Error is { } error)
        {
            return error;
        }

        var ended = await accounts.ChangePasswordAsync(
            caller.Account, oldHash, newHash.Value, session, cancellationToken);
        if (ended is null)
        {
            // Somebody else with the old password was faster; it is the wrong one now.
            return AccountErrors.BadCredentials;
        }

        Log.PasswordChanged(logger, caller.Account, ended.Count);
        foreach (var device in ended)
        {
            sessions.Forget(device);
            await lifecycle.SessionsEndedAsync(device, CancellationToken.None);
        }

        return default(Unit);
    }

    public async Task<IReadOnlyList<DeviceView>> DevicesAsync(Caller caller, CancellationToken cancellationToken)
    {
        var rows = await devices.LiveAsync([caller.Account.Value], cancellationToken);
        return [.. rows.Select(row => row.View(caller.Device))];
    }

    /// <summary>Revokes a device for good; again is no error, so that a lost answer can be asked for again.</summary>
    public async Task<Result<Unit>> RevokeAsync(Caller caller, DeviceId device, CancellationToken cancellationToken)
    {
        if (!await devices.RevokeAsync(caller.Account, device, cancellationToken))
        {
            return AccountErrors.DeviceUnknown;
        }

        // The device is revoked from here on, whether the caller still waits or not.
        Log.DeviceRevoked(logger, caller.Account, device);
        sessions.Forget(device);
        await lifecycle.SessionsEndedAsync(device, CancellationToken.None);
        await lifecycle.RevokedAsync(caller.Account, device, CancellationToken.None);
        return default(Unit);
    }

    private async Task<Result<string>> ProveAndHashAsync(
        SignInGuard.Attempt attempt, string? current, string oldHash, string fresh, CancellationToken cancellationToken)
    {
        var decided = false;
        try
        {
            if (PasswordRules.Normalize(current) is not { } password)
            {
                decided = true;
                return AccountErrors.BadCredentials;
            }

            var fits = await hasher.VerifyAsync(password, oldHash, cancellationToken);
            if (fits.Error is { } busy)
            {
                return busy;
            }

            decided = true;
            if (!fits.Value)
            {
                return AccountErrors.BadCredentials;
            }

            attempt.Succeeded();
            return await hasher.HashAsync(fresh, cancellationToken);
        }
        finally
        {
            if (!decided)
            {
                attempt.Undo();
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2010, LogLevel.Information, "Account {Account} changed its password; {Devices} devices were signed out")]
        public static partial void PasswordChanged(ILogger logger, AccountId account, int devices);

        [LoggerMessage(2011, LogLevel.Information, "Account {Account} revoked its device {Device}")]
        public static partial void DeviceRevoked(ILogger logger, AccountId account, DeviceId device);
    }
}
