using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.KeyPackages;

/// <summary>Key packages: a device stocks up, others claim.</summary>
internal sealed partial class KeyPackageService(
    KeyPackageStore store, KeyPackageStock stock, ClaimLimiter limiter, IOptions<KeyPackageOptions> options,
    TimeProvider time, ILogger<KeyPackageService> logger)
{
    /// <summary>Stores an upload; one invalid package refuses all of it.</summary>
    /// <returns>
    /// <c>key_package_invalid</c> with <c>details.index</c> (none for the last-resort one) and <c>details.reason</c>;
    /// <c>too_large</c> where the device would have too many; <c>device_not_approved</c> where its account has a chain in the
    /// key log and it is not in it.
    /// </returns>
    public async Task<Result<KeyPackageCount>> UploadAsync(
        Caller caller, UploadKeyPackagesRequest request, CancellationToken cancellationToken)
    {
        var uploaded = request.KeyPackages ?? [];
        if (uploaded.Count > Limits.KeyPackagesPerUpload)
        {
            return new Error(
                ErrorCode.TooLarge, $"One upload has at most {Limits.KeyPackagesPerUpload} key packages.");
        }

        if (await store.DeviceAsync(caller.Device, cancellationToken) is not { } device)
        {
            return new Error(ErrorCode.DeviceRevoked, "This device has been revoked.");
        }

        if (device is { IsApproved: false, IdentityKeys.Count: > 0 })
        {
            return new Error(
                ErrorCode.DeviceNotApproved,
                "Nobody lets this device in before another device of the account, or the PIN, has approved it.");
        }

        var oneTime = new List<AdmittedKeyPackage>(uploaded.Count);
        for (var index = 0; index < uploaded.Count; index++)
        {
            var admitted = Admit(uploaded[index], caller, device);
            if (admitted.Error is { } error)
            {
                Log.Refused(logger, caller.Device, error.Details?["reason"]);
                return error with { Details = WithIndex(error.Details, index) };
            }

            oneTime.Add(admitted.Value);
        }

        AdmittedKeyPackage? lastResort = null;
        if (request.LastResort is not null)
        {
            var admitted = Admit(request.LastResort, caller, device);
            if (admitted.Error is { } error)
            {
                Log.Refused(logger, caller.Device, error.Details?["reason"]);
                return error;
            }

            lastResort = admitted.Value;
        }

        return await store.AddAsync(caller.Device, oneTime, lastResort, cancellationToken);
    }

    public Task<KeyPackageCount> CountAsync(Caller caller, CancellationToken cancellationToken) =>
        store.CountAsync(caller.Device, cancellationToken);

    /// <summary>One package for each live device of the accounts; the calling device itself is left out.</summary>
    public async Task<Result<ClaimKeyPackagesReply>> ClaimAsync(
        Caller caller, ClaimKeyPackagesRequest request, CancellationToken cancellationToken)
    {
        var accounts = (request.Accounts ?? []).Distinct().ToList();
        if (accounts.Count is 0 or > Limits.AccountsPerClaim)
        {
            return new Error(ErrorCode.InvalidArgument, $"Name 1 to {Limits.AccountsPerClaim} accounts.");
        }

        if (limiter.Check(caller.Account, accounts) is { } tooMany)
        {
            Log.TooManyClaims(logger, caller.Account);
            return tooMany;
        }

        // Asked before anything is taken: a claim that is refused takes nothing.
        if (await store.CountAccountsAsync(accounts, cancellationToken) != accounts.Count)
        {
            return new Error(ErrorCode.AccountUnknown, "One of the accounts does not exist.");
        }

        var rows = await store.ClaimAsync(accounts, caller.Device, cancellationToken);
        var claimed = new List<ClaimedKeyPackage>(rows.Count);
        var missing = new List<DeviceId>();
        foreach (var row in rows)
        {
            if (row.Body is null)
            {
                missing.Add(row.Device);
            }
            else
            {
                claimed.Add(new ClaimedKeyPackage(row.Account, row.Device, row.Body));
            }

            stock.Taken(row.Device, row.Left);
        }

        return new ClaimKeyPackagesReply(claimed, missing);
    }

    private Result<AdmittedKeyPackage> Admit(byte[]? body, Caller caller, DeviceKeys device) =>
        KeyPackageAdmission.Admit(
            body, caller, device, time.GetUtcNow(), TimeSpan.FromDays(options.Value.LongestLifetimeDays),
            TimeSpan.FromSeconds(options.Value.ClockSkewSeconds));

    private static Dictionary<string, object> WithIndex(IReadOnlyDictionary<string, object>? details, int index) =>
        new(details ?? new Dictionary<string, object>(StringComparer.Ordinal), StringComparer.Ordinal) { ["index"] = index };

    private static partial class Log
    {
        [LoggerMessage(2500, LogLevel.Information, "Device {Device} uploaded a key package that is invalid: {Reason}")]
        public static partial void Refused(ILogger logger, DeviceId device, object? reason);

        [LoggerMessage(2501, LogLevel.Warning, "Account {Account} claims too many key packages")]
        public static partial void TooManyClaims(ILogger logger, AccountId account);
    }
}
