using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;

namespace ChatPay.Client.Internal.Keys;

/// <summary>
/// Looks at what the realms tell of guesses and waits, and whether they have anything still of the PIN that is set. The server
/// tells of guesses and waits at once, or within seconds where realms are processes of their own, but that may be lost. So they
/// are asked at each connection, and what was seen is remembered: each guess alarms once, also where it happened while this
/// device was away.
/// </summary>
internal sealed partial class VaultWatch(DeviceCore core, KeyAlarms alarms)
{
    /// <summary>Realms list a hundred guesses each, and there are sixteen of them at most.</summary>
    private const int MostGuesses = 16 * Limits.VaultAttempts;

    private const int MostWaits = 16;

    private readonly Turns _turns = new();

    /// <summary>Right guesses of strangers that may be about to come into the chain, and since when this device knows.</summary>
    private readonly Dictionary<ToldPart, long> _entering = [];

    private int _isLookDue;

    /// <summary>
    /// Before there is a PIN: what is in the realms' lists of an earlier one is no news, and whatever comes later is.
    /// </summary>
    /// <exception cref="ChatPayException">The server cannot be reached.</exception>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        using var turn = await _turns.TakeAsync(cancellationToken);
        if (await ReadAsync(cancellationToken) is null)
        {
            var told = await core.Keys.Pin.Realms.ToldAsync(cancellationToken);
            await WriteAsync(null, Take(told, new VaultSeenRecord(), []), [], cancellationToken);
        }

        await SettleAsync(cancellationToken);
    }

    /// <exception cref="ChatPayException">The server cannot be reached.</exception>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        if (core.DeviceOrNull is null || !core.Groups.IsCertified)
        {
            return;
        }

        if (!core.Keys.Pin.IsSet)
        {
            await BeginAsync(cancellationToken);
            return;
        }

        using var turn = await _turns.TakeAsync(cancellationToken);
        var digest = Chain!.VaultDigest.ToArray();
        var realms = await RealmsOfAsync(digest, cancellationToken);
        var look = await core.Keys.Pin.Realms.LookAsync(cancellationToken, realms);
        if (HasStranger(look.Told) || look.Loss is not (null or PinLoss.None))
        {
            // Another device may have come into the chain since, or have removed the PIN or set another one.
            await core.Keys.Own.EnsureAsync(cancellationToken);
        }

        if (Chain is { } chain && !IsSame(digest, chain.VaultDigest))
        {
            // What was seen is not what became of this one.
            look = look with { Loss = null, IsHeld = false };
            LookLater(core.Options.RegistrationLook);
        }

        var seen = await ReadAsync(cancellationToken);
        var news = new List<NewKeyAlarm>();
        var next = Take(look.Told, seen ?? new VaultSeenRecord(), news);
        next = next with
        {
            Loss = TakeLoss(look.Loss is PinLoss.RealmsOther ? null : look.Loss, seen?.Loss, news),
            Other = TakeOther(look, realms is not null, seen?.Other, news),
        };
        await WriteAsync(seen, next, news, cancellationToken);
        if (look.IsHeld)
        {
            await KeepAsync(digest, look.Named, isProved: false, cancellationToken);
        }

        await SettleAsync(cancellationToken);
    }

    /// <summary>
    /// Whether no PIN brings anything back any more, by what the realms say now; where the server names others, by what those
    /// that have it said before.
    /// </summary>
    /// <exception cref="ChatPayException">The server cannot be reached.</exception>
    public async Task<bool> IsLostAsync(CancellationToken cancellationToken)
    {
        var realms = Chain is { } chain ? await RealmsOfAsync(chain.VaultDigest.ToArray(), cancellationToken) : null;
        var look = await core.Keys.Pin.Realms.LookAsync(cancellationToken, realms);
        var loss = look.Loss is PinLoss.RealmsOther ? await LossAsync(cancellationToken) : look.Loss;
        return loss is not (null or PinLoss.None or PinLoss.RealmsOther);
    }

    /// <summary>
    /// What is known to be lost of the PIN that is set, without asking anybody. What its own realms have said is so, whichever
    /// the server names since.
    /// </summary>
    public async Task<PinLoss> LossAsync(CancellationToken cancellationToken)
    {
        if (core.DeviceOrNull is null || Chain is not { } chain || await ReadAsync(cancellationToken) is not { } seen)
        {
            return PinLoss.None;
        }

        return seen.Loss is { IsTold: true, Why: not PinLoss.None } loss && IsSame(loss.Digest, chain.VaultDigest) ? loss.Why
            : seen.Other is { Named: not null } other && IsSame(other.Digest, chain.VaultDigest) ? PinLoss.RealmsOther
            : PinLoss.None;
    }

    private KeyChain? Chain => core.Keys.People.ChainOf(core.Device.Account.Id);

    private ValueTask<VaultSeenRecord?> ReadAsync(CancellationToken cancellationToken) =>
        core.ReadAsync<VaultSeenRecord>(StoreKeys.VaultSeen, cancellationToken);

    private async Task WriteAsync(
        VaultSeenRecord? seen, VaultSeenRecord next, IReadOnlyList<NewKeyAlarm> news, CancellationToken cancellationToken)
    {
        var bytes = DeviceCore.Encode(next);
        if (seen is null || !bytes.AsSpan().SequenceEqual(DeviceCore.Encode(seen)))
        {
            await alarms.RaiseAsync(news, [new(StoreKeys.VaultSeen, bytes)], cancellationToken);
        }
    }

    /// <summary>
    /// What is there before the first look is no news to this device. A realm that lies may list what it likes, but no more than
    /// others do.
    /// </summary>
    private VaultSeenRecord Take(
        IReadOnlyList<(Guid Realm, VaultAttempts Told)> told, VaultSeenRecord seen, List<NewKeyAlarm> news)
    {
        var answering = told.Select(static one => one.Realm).ToHashSet();
        var failed = PartsOf(told, VaultAttemptOutcome.Failed);
        var right = PartsOf(told, VaultAttemptOutcome.Succeeded);
        var (known, knownOpened) = (seen.FailedActs(), seen.Opened);
        var (guesses, freshGuesses) = SeenActs.Fold(known ?? [], failed);
        var (opened, freshOpened) = SeenActs.Fold(knownOpened ?? [], right.Where(part => !IsEntering(part)));
        AddByDevice(KeyAlarmKind.PinGuessed, known is null ? [] : freshGuesses, news);
        AddByDevice(KeyAlarmKind.PinOpened, knownOpened is null ? [] : freshOpened.Where(IsOfStranger), news);
        return seen with
        {
            Guesses = null,
            Waits = null,
            Failed = [.. SeenActs.Listed(guesses, failed, answering).TakeLast(MostGuesses)],
            Opened = [.. SeenActs.Listed(opened, right, answering).TakeLast(MostGuesses)],
            Begun = TakeWaits(told, answering, seen.BegunActs(), news),
        };
    }

    private static IReadOnlyList<ToldPart> PartsOf(
        IReadOnlyList<(Guid Realm, VaultAttempts Told)> told, VaultAttemptOutcome outcome) =>
    [
        .. told.SelectMany(one => one.Told.Attempts.Take(Limits.VaultAttempts)
            .Where(attempt => attempt.Outcome == outcome)
            .Select(attempt => new ToldPart(
                one.Realm, attempt.Device, attempt.At, SeenActs.NameOf(attempt.At, attempt.Device)))),
    ];

    private void AddByDevice(KeyAlarmKind kind, IEnumerable<SeenAct> acts, List<NewKeyAlarm> news) => news.AddRange(
        acts.Select(static act => act.Device).Where(device => device != core.Device.Device).Distinct()
            .Select(device => new NewKeyAlarm(kind, core.Device.Account.Id, [device.ToString()])));

    /// <summary>
    /// Each realm has a wait of its own; what one device has begun at all of them is one, and alarms once. One that no realm
    /// tells of any more was cancelled, or is over: what the same device begins elsewhere after it is another one.
    /// </summary>
    private IReadOnlyList<SeenAct> TakeWaits(
        IReadOnlyList<(Guid Realm, VaultAttempts Told)> told, HashSet<Guid> answering, IReadOnlyList<SeenAct> known,
        List<NewKeyAlarm> news)
    {
        var parts = told.Where(one => one.Told.Wait is { State: VaultWaitState.Begun } wait && wait.Device != core.Device.Device)
            .Select(static one => new ToldPart(
                one.Realm, one.Told.Wait!.Device, one.Told.Wait.Until, one.Told.Wait.Id.ToString())).ToList();
        var listed = parts.Select(static one => new SeenPart(one.Realm, one.Name)).ToHashSet();
        var (acts, fresh) = SeenActs.Fold(
            known, parts,
            act => act.Parts.Count > 0 && act.Parts.All(part => answering.Contains(part.Realm) && !listed.Contains(part)));
        news.AddRange(fresh.Select(act => new NewKeyAlarm(
            KeyAlarmKind.PinWait, core.Device.Account.Id, [act.Device.ToString(), act.Parts[0].Name])));
        return [.. acts.TakeLast(MostWaits)];
    }

    /// <summary>
    /// Whoever removes a PIN has the realms forget it first and says so in the chain afterwards: that nothing is registered is
    /// believed when it is seen again a while later.
    /// </summary>
    private SeenLoss? TakeLoss(PinLoss? now, SeenLoss? before, List<NewKeyAlarm> news)
    {
        if (now is not { } why || Chain is not { VaultDigest.IsEmpty: false } chain)
        {
            return before;
        }

        var digest = chain.VaultDigest.ToArray();
        var known = before?.Digest.AsSpan().SequenceEqual(digest) == true ? before : null;
        if (why == PinLoss.None)
        {
            return known is { IsTold: true } ? known with { Why = why } : null;
        }

        var (since, look) = (known?.Since ?? core.Time.GetUtcNow(), core.Options.RegistrationLook);
        var isSure = known is { IsTold: true } || why != PinLoss.NotRegistered || core.Time.GetUtcNow() - since >= look;
        if (!isSure)
        {
            LookLater(look);
        }
        else if (known is not { IsTold: true })
        {
            news.Add(new NewKeyAlarm(
                KeyAlarmKind.PinLost, core.Device.Account.Id, [why.ToString(), Convert.ToBase64String(digest)]));
        }

        return new SeenLoss(digest, why, since, isSure);
    }

    private bool HasStranger(IReadOnlyList<(Guid Realm, VaultAttempts Told)> told) =>
        PartsOf(told, VaultAttemptOutcome.Succeeded).Any(part => IsStranger(part.Device));

    private bool IsOfStranger(SeenAct act) => IsStranger(act.Device);

    /// <summary>Neither this device nor one that stands, or has stood, in the account's chain.</summary>
    private bool IsStranger(DeviceId device) => device != core.Device.Device
        && !(Chain is { } chain && (chain.Devices.ContainsKey(device) || chain.IsRevoked(device)));

    /// <summary>
    /// A new device of the account's person opens the vault first and comes into the chain right after that, which it is given
    /// time for, by the realm's clock or by this device's.
    /// </summary>
    private bool IsEntering(ToldPart part)
    {
        var within = core.Options.EntersWithin;
        if (!IsStranger(part.Device) || core.Time.GetUtcNow() - part.At >= within)
        {
            return false;
        }

        if (!_entering.TryGetValue(part, out var since))
        {
            if (_entering.Count >= MostGuesses)
            {
                _entering.Clear();
            }

            _entering.Add(part, since = core.Time.GetTimestamp());
        }

        if (core.Time.GetElapsedTime(since) >= within)
        {
            return false;
        }

        LookLater(within);
        return true;
    }

    private void LookLater(TimeSpan after)
    {
        if (Interlocked.Exchange(ref _isLookDue, 1) == 0)
        {
            core.Background(async token =>
            {
                await Task.Delay(after, core.Time, token);
                Volatile.Write(ref _isLookDue, 0);
                await LookAsync(token);
            });
        }
    }
}
