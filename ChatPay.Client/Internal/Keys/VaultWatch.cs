using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Keys;

/// <summary>
/// Looks at what the realms tell of guesses and waits. The server tells of them at once, or within seconds where realms are
/// processes of their own, but that may be lost. So they are asked at each connection, and what was seen is remembered:
/// each guess alarms once, also where it happened while this device was away.
/// </summary>
internal sealed class VaultWatch(DeviceCore core, KeyAlarms alarms)
{
    /// <summary>Realms list a hundred guesses each, and there are sixteen of them at most.</summary>
    private const int MostGuesses = 1600;

    private const int MostWaits = 16;

    /// <summary>A device asks all realms at once, and their clocks differ by less.</summary>
    private static readonly TimeSpan s_clocksApart = TimeSpan.FromMinutes(1);

    private readonly Turns _turns = new();

    /// <exception cref="ChatPayException">The server cannot be reached.</exception>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        using var turn = await _turns.TakeAsync(cancellationToken);
        if (core.DeviceOrNull is null || !core.Groups.IsCertified
            || core.Keys.People.ChainOf(core.Device.Account.Id) is not { VaultDigest.IsEmpty: false })
        {
            return;
        }

        var told = await core.Keys.Pin.ToldAsync(cancellationToken);
        var seen = await core.ReadAsync<VaultSeenRecord>(StoreKeys.VaultSeen, cancellationToken);
        var news = new List<NewKeyAlarm>();
        var next = DeviceCore.Encode(new VaultSeenRecord(
            TakeGuesses(told, seen?.Guesses, news), TakeWaits(told, seen?.Waits ?? [], news)));
        if (seen is null || !next.AsSpan().SequenceEqual(DeviceCore.Encode(seen)))
        {
            await alarms.RaiseAsync(news, [new(StoreKeys.VaultSeen, next)], cancellationToken);
        }
    }

    /// <param name="known">Null before the first look: what was tried before then is no news to this device.</param>
    private IReadOnlyList<SeenGuess> TakeGuesses(
        IReadOnlyList<(Guid Realm, VaultAttempts Told)> told, IReadOnlyList<SeenGuess>? known, List<NewKeyAlarm> news)
    {
        var (account, device) = (core.Device.Account.Id, core.Device.Device);
        SeenGuess[] failed =
        [
            .. told.SelectMany(static one => one.Told.Attempts
                .Where(static attempt => attempt.Outcome == VaultAttemptOutcome.Failed)
                .Select(attempt => new SeenGuess(one.Realm, attempt.At, attempt.Device))),
        ];
        if (known is not null)
        {
            var strangers = failed.Where(guess => guess.Device != device && !known.Any(one => IsSame(one, guess)))
                .Select(static guess => guess.Device).Distinct();
            news.AddRange(strangers.Select(
                stranger => new NewKeyAlarm(KeyAlarmKind.PinGuessed, account, [stranger.ToString()])));
        }

        // Those that are in a list no longer are forgotten with it; of a realm that did not answer all are kept.
        var answering = told.Select(static one => one.Realm).ToHashSet();
        return [.. failed.Concat((known ?? []).Where(guess => !answering.Contains(guess.Realm))).Take(MostGuesses)];
    }

    /// <summary>Each realm has a wait of its own; what one device has begun at all of them is one, and alarms once.</summary>
    private IReadOnlyList<SeenWait> TakeWaits(
        IReadOnlyList<(Guid Realm, VaultAttempts Told)> told, IReadOnlyList<SeenWait> known, List<NewKeyAlarm> news)
    {
        var waits = known.ToList();
        foreach (var wait in told.Select(static one => one.Told.Wait).OfType<VaultWait>())
        {
            if (wait.State == VaultWaitState.Begun && wait.Device != core.Device.Device
                && !waits.Any(one => one.Device == wait.Device && (one.Until - wait.Until).Duration() < s_clocksApart))
            {
                news.Add(new NewKeyAlarm(
                    KeyAlarmKind.PinWait, core.Device.Account.Id, [wait.Device.ToString(), wait.Id.ToString()]));
                waits.Add(new SeenWait(wait.Device, wait.Until));
            }
        }

        return [.. waits.TakeLast(MostWaits)];
    }

    /// <summary>Realms give their attempts no id; each has its time. At another realm the same guess is of about then.</summary>
    private static bool IsSame(SeenGuess one, SeenGuess other) => one == other
        || (one.Realm != other.Realm && one.Device == other.Device && (one.At - other.At).Duration() < s_clocksApart);
}
