using ChatPay.Client.Internal.Keys;
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

    /// <summary>So many mistakes of the server's are borne before whoever waits is told.</summary>
    private const int MistakesBorne = 8;

    private volatile Round _round = new();

    /// <summary>
    /// Completes when the stock has been looked after for the first time since <see cref="Begin"/>; fails with what the
    /// server refused it with, until that succeeds.
    /// </summary>
    public Task Looked => _round.Looked.Task;

    /// <summary>A session begins, perhaps of another device: what goes on for the one before is none of its concern.</summary>
    public void Begin() => _round = new();

    /// <summary>
    /// What kept the stock from being looked after is over: whoever waits from here on waits for the next time.
    /// </summary>
    public void Forgive()
    {
        if (_round.Looked.Task.IsFaulted)
        {
            Begin();
        }
    }

    /// <summary>
    /// Fills up to the full stock where it is low, and replaces a last-resort package that is about to end.
    /// </summary>
    /// <returns>False where that is going on already.</returns>
    public async Task<bool> FillAsync(int oneTimeLeft, CancellationToken cancellationToken)
    {
        var round = _round;
        if (Interlocked.Exchange(ref round.Filling, 1) != 0)
        {
            return false;
        }

        try
        {
            await FillAsync(round, oneTimeLeft, cancellationToken);
            round.Succeed();
            return true;
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            round.Looked.TrySetException(failure);
            throw;
        }
        finally
        {
            Volatile.Write(ref round.Filling, 0);
        }
    }

    private async Task FillAsync(Round round, int oneTimeLeft, CancellationToken cancellationToken)
    {
        if (!await core.Keys.IsApprovedAsync(cancellationToken))
        {
            throw OwnKeys.NotApproved();
        }

        var device = core.Device;
        var now = core.Time.GetUtcNow();
        var unsent = await LookAsync(now, cancellationToken);
        var full = core.Options.KeyPackageStock;
        var renews = device.LastResortUntil < now + s_renewBefore;
        var isLow = IsLow(oneTimeLeft);
        if (isLow)
        {
            // What a greeting has told may be of before another round has filled it up.
            oneTimeLeft = (await core.Client.CountKeyPackagesAsync(cancellationToken)).OneTime;
            isLow = IsLow(oneTimeLeft);
        }

        var missing = isLow || renews ? Math.Max(0, full - oneTimeLeft) : 0;
        if (missing == 0 && !renews)
        {
            return;
        }

        // The private keys are safe before anybody can be handed the public ones.
        var offered = await OfferAsync(round, unsent, missing, renews, now, cancellationToken);
        try
        {
            await UploadAsync(round, offered, cancellationToken);
        }
        catch (ChatPayException refused) when (Transport.IsVerdict(refused))
        {
            // None of them will ever be taken, perhaps because this machine's clock is wrong; the next ones may.
            await SettleAsync(round, offered, static _ => null, cancellationToken);
            throw;
        }

        await SettleAsync(
            round, offered, static record => DeviceCore.Encode(record with { Unsent = null }), cancellationToken);
    }

    private bool IsLow(int oneTimeLeft) =>
        oneTimeLeft < Math.Min(Limits.KeyPackagesLowStock, core.Options.KeyPackageStock);

    /// <summary>Those that were made before and not taken yet, and new ones for what is missing then.</summary>
    private async Task<IReadOnlyList<(string Key, KeyPackageRecord Record)>> OfferAsync(
        Round round, IReadOnlyList<(string Key, KeyPackageRecord Record)> unsent, int count, bool renews,
        DateTimeOffset now, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            RequireGoing(round);
            var batch = new Batch(core);
            var offered = unsent.Where(static one => !one.Record.LastResort).Take(count).ToList();
            while (offered.Count < count)
            {
                offered.Add(Make(batch, now, lastResort: false));
            }

            if (renews)
            {
                var last = unsent.FirstOrDefault(static one => one.Record.LastResort);
                offered.Add(last.Record is null ? Make(batch, now, lastResort: true) : last);
            }

            await batch.WriteAsync(cancellationToken);
            return offered;
        }
    }

    /// <summary>The server passes over what it knows already, so this is asked until there is an answer.</summary>
    private async Task UploadAsync(
        Round round, IReadOnlyList<(string Key, KeyPackageRecord Record)> offered, CancellationToken cancellationToken)
    {
        var request = new UploadKeyPackagesRequest(
            [.. offered.Where(static one => !one.Record.LastResort).Select(static one => one.Record.Unsent!)],
            offered.FirstOrDefault(static one => one.Record.LastResort).Record?.Unsent);
        var mistakes = 0;
        await Transport.RetryAsync(
            core,
            async token =>
            {
                RequireGoing(round);
                try
                {
                    return await core.Client.UploadKeyPackagesAsync(request, token);
                }
                catch (ChatPayException mistake) when (
                    mistake.Code == ErrorCode.Internal && ++mistakes == MistakesBorne)
                {
                    round.Looked.TrySetException(mistake);
                    throw;
                }
            },
            cancellationToken, mayFail: false);
    }

    /// <summary>The server has decided about them.</summary>
    private async Task SettleAsync(
        Round round, IReadOnlyList<(string Key, KeyPackageRecord Record)> offered,
        Func<KeyPackageRecord, byte[]?> after, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            RequireGoing(round);
            var batch = new Batch(core);
            foreach (var (key, _) in offered)
            {
                // A Welcome may have used one up already.
                if (await core.ReadAsync<KeyPackageRecord>(key, cancellationToken) is not { } record)
                {
                    continue;
                }

                var settled = after(record);
                batch.Put(key, settled);
                if (record.LastResort && settled is not null)
                {
                    batch.Put(core.Device with { LastResortUntil = record.NotAfter });
                }
            }

            await batch.WriteAsync(cancellationToken);
        }
    }

    /// <exception cref="ChatPayException">Another session has begun, perhaps another device's.</exception>
    private void RequireGoing(Round round)
    {
        if (round != _round || core.DeviceOrNull is null)
        {
            throw LocalErrors.SessionEnded(null, null);
        }
    }

    /// <summary>
    /// The server marks the one of last resort; the package itself says nothing of it, for that takes an extension
    /// which not every client of this protocol has.
    /// </summary>
    private (string Key, KeyPackageRecord Record) Make(Batch batch, DateTimeOffset now, bool lastResort)
    {
        using var bundle = KeyPackageBundle.Create(
            GroupKeeper.Suite, core.Groups.Member, now - s_clockSkew, now + s_lifetime, lastResort: false,
            GroupKeeper.Random);
        var record = new KeyPackageRecord(
            lastResort, now + s_lifetime, bundle.Save(core.Groups.StorageKey, GroupKeeper.Random), bundle.Message);
        var key = StoreKeys.KeyPackage(bundle.Ref);
        batch.Put(key, DeviceCore.Encode(record));
        return (key, record);
    }

    /// <summary>Forgets what nobody can use any more.</summary>
    /// <returns>What the server may not have, and is as good as new.</returns>
    private async Task<IReadOnlyList<(string Key, KeyPackageRecord Record)>> LookAsync(
        DateTimeOffset now, CancellationToken cancellationToken)
    {
        var expired = new List<StoreChange>();
        var unsent = new List<(string Key, KeyPackageRecord Record)>();
        await foreach (var (key, value) in core.ListAsync(StoreKeys.KeyPackages, cancellationToken))
        {
            var record = DeviceCore.Decode<KeyPackageRecord>(value);
            if (record.NotAfter + s_keepAfter < now)
            {
                expired.Add(new(key, null));
            }
            else if (record.Unsent is not null && record.NotAfter >= now + s_renewBefore)
            {
                unsent.Add((key, record));
            }
        }

        if (expired.Count > 0)
        {
            using (await core.EnterAsync(cancellationToken))
            {
                await core.WriteAsync(expired, cancellationToken);
            }
        }

        return unsent;
    }

    /// <summary>What is done for one session.</summary>
    private sealed class Round
    {
        public int Filling;

        public Round() => Looked = New();

        public TaskCompletionSource Looked { get; private set; }

        /// <summary>A failure before is none any more.</summary>
        public void Succeed()
        {
            if (!Looked.TrySetResult() && !Looked.Task.IsCompletedSuccessfully)
            {
                var looked = New();
                looked.SetResult();
                Looked = looked;
            }
        }

        private static TaskCompletionSource New()
        {
            var looked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            looked.Task.MayFailUnseen();
            return looked;
        }
    }
}
