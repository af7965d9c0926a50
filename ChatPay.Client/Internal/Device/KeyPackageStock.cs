using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>Key packages on the server, so that others can add this device while it is away.</summary>
internal sealed class KeyPackageStock(DeviceCore core)
{
    /// <summary>Key packages live twelve weeks; clocks may be an hour off.</summary>
    private static readonly TimeSpan s_lifetime = TimeSpan.FromDays(84);
    private static readonly TimeSpan s_clockSkew = TimeSpan.FromHours(1);

    /// <summary>The last-resort one is renewed this long before it ends.</summary>
    private static readonly TimeSpan s_renewBefore = TimeSpan.FromDays(21);

    /// <summary>Private keys are kept a while longer, for Welcomes that are still under way.</summary>
    private static readonly TimeSpan s_keepAfter = TimeSpan.FromDays(14);

    private volatile TaskCompletionSource _looked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _filling;

    /// <summary>Completes when the stock has been looked after for the first time since <see cref="Begin"/>.</summary>
    public Task Looked => _looked.Task;

    /// <summary>A session begins, perhaps of another device.</summary>
    public void Begin() => _looked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Fills up to the full stock where it is low, and replaces a last-resort package that is about to end.
    /// </summary>
    public async Task FillAsync(int oneTimeLeft, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _filling, 1) != 0)
        {
            return;
        }

        try
        {
            var now = core.Time.GetUtcNow();
            await ForgetExpiredAsync(now, cancellationToken);
            var full = core.Options.KeyPackageStock;
            var renews = core.Device.LastResortUntil < now + s_renewBefore;
            var isLow = oneTimeLeft < Math.Min(Limits.KeyPackagesLowStock, full);
            var missing = isLow || renews ? Math.Max(0, full - oneTimeLeft) : 0;
            if (missing > 0 || renews)
            {
                await UploadAsync(missing, renews, now, cancellationToken);
            }
        }
        finally
        {
            Volatile.Write(ref _filling, 0);
            _looked.TrySetResult();
        }
    }

    private async Task UploadAsync(int count, bool renews, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var oneTime = new List<byte[]>(count);
        byte[]? lastResort = null;
        using (await core.EnterAsync(cancellationToken))
        {
            // The private keys are safe before anybody can be handed the public ones.
            var batch = new Batch(core);
            for (var i = 0; i < count; i++)
            {
                oneTime.Add(Make(batch, now, lastResort: false));
            }

            lastResort = renews ? Make(batch, now, lastResort: true) : null;
            await batch.WriteAsync(cancellationToken);
        }

        var request = new UploadKeyPackagesRequest(oneTime, lastResort);
        await Transport.RetryAsync(
            core, token => core.Client.UploadKeyPackagesAsync(request, token), cancellationToken);
        if (renews)
        {
            using (await core.EnterAsync(cancellationToken))
            {
                var batch = new Batch(core);
                batch.Put(core.Device with { LastResortUntil = now + s_lifetime });
                await batch.WriteAsync(cancellationToken);
            }
        }
    }

    /// <summary>
    /// The server marks the one of last resort; the package itself says nothing of it, for that takes an extension
    /// which not every client of this protocol has.
    /// </summary>
    private byte[] Make(Batch batch, DateTimeOffset now, bool lastResort)
    {
        using var bundle = KeyPackageBundle.Create(
            GroupKeeper.Suite, core.Groups.Member, now - s_clockSkew, now + s_lifetime, lastResort: false,
            GroupKeeper.Random);
        var record = new KeyPackageRecord(
            lastResort, now + s_lifetime, bundle.Save(core.Groups.StorageKey, GroupKeeper.Random));
        batch.Put(StoreKeys.KeyPackage(bundle.Ref), DeviceCore.Encode(record));
        return bundle.Message;
    }

    private async Task ForgetExpiredAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var expired = new List<StoreChange>();
        await foreach (var (key, value) in core.ListAsync(StoreKeys.KeyPackages, cancellationToken))
        {
            if (DeviceCore.Decode<KeyPackageRecord>(value).NotAfter + s_keepAfter < now)
            {
                expired.Add(new(key, null));
            }
        }

        if (expired.Count > 0)
        {
            using (await core.EnterAsync(cancellationToken))
            {
                await core.WriteAsync(expired, cancellationToken);
            }
        }
    }
}
