using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Keys;

/// <summary>Alarms about keys: kept in the store until somebody dismisses them, and told as they come.</summary>
internal sealed class KeyAlarms(DeviceCore core)
{
    /// <summary>A server that contradicts itself all the time shall not fill the store.</summary>
    public const int AlarmsKept = 100;

    /// <summary>
    /// A realm of the PIN vault can make up guesses and waits, and what it made up shall push out no alarm of another kind: each
    /// of these kinds has so many places of its own, and takes none of the others'.
    /// </summary>
    public const int PlacesOfRealms = 20;

    /// <summary>Keeps an alarm, unless the same one is kept already.</summary>
    public Task RaiseAsync(
        KeyAlarmKind kind, AccountId? account, IReadOnlyList<string> evidence, CancellationToken cancellationToken) =>
        RaiseAsync([new NewKeyAlarm(kind, account, evidence)], [], cancellationToken);

    /// <summary>Keeps alarms and what they were raised on together: neither is there without the other.</summary>
    /// <param name="with">Written at once with them.</param>
    public async Task RaiseAsync(
        IReadOnlyList<NewKeyAlarm> news, IReadOnlyList<StoreChange> with, CancellationToken cancellationToken)
    {
        var raised = new List<KeyAlarm>();
        using (await core.EnterAsync(cancellationToken))
        {
            var kept = (await ListAsync(cancellationToken)).ToList();
            foreach (var (kind, account, evidence) in news)
            {
                if (HasRoom(kept, kind, AlarmsKept) && !kept.Any(one => one.Kind == kind && one.Account == account
                    && one.Evidence.SequenceEqual(evidence, StringComparer.Ordinal)))
                {
                    raised.Add(new KeyAlarm(
                        kept.Count == 0 ? 1 : kept[^1].Number + 1, kind, core.Time.GetUtcNow(), account, evidence));
                    kept.Add(raised[^1]);
                }
            }

            if (raised.Count + with.Count > 0)
            {
                await core.WriteAsync(
                    [.. with, .. raised.Select(static alarm => new StoreChange(
                        StoreKeys.KeyAlarm(alarm.Number), DeviceCore.Encode(alarm)))],
                    cancellationToken);
            }
        }

        foreach (var alarm in raised)
        {
            core.Signals.Tell(new KeyAlarmSignal(alarm));
        }
    }

    /// <summary>Keeps an alarm unless one of this kind about this account is kept, whatever its evidence.</summary>
    public async Task RaiseOnceAsync(
        KeyAlarmKind kind, AccountId account, IReadOnlyList<string> evidence, CancellationToken cancellationToken)
    {
        var kept = await ListAsync(cancellationToken);
        if (HasRoom(kept, kind, AlarmsKept / 2) && !kept.Any(one => one.Kind == kind && one.Account == account))
        {
            await RaiseAsync(kind, account, evidence, cancellationToken);
        }
    }

    /// <summary>The oldest first.</summary>
    public async Task<IReadOnlyList<KeyAlarm>> ListAsync(CancellationToken cancellationToken)
    {
        var alarms = new List<KeyAlarm>();
        await foreach (var (_, value) in core.ListAsync(StoreKeys.KeyAlarms, cancellationToken))
        {
            alarms.Add(DeviceCore.Decode<KeyAlarm>(value));
        }

        return alarms;
    }

    /// <summary>Forgets what is true no longer, without anybody having looked into it.</summary>
    public async Task SettleAsync(Predicate<KeyAlarm> isSettled, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            StoreChange[] gone =
            [
                .. (await ListAsync(cancellationToken)).Where(alarm => isSettled(alarm))
                    .Select(static alarm => new StoreChange(StoreKeys.KeyAlarm(alarm.Number), null)),
            ];
            if (gone.Length > 0)
            {
                await core.WriteAsync(gone, cancellationToken);
            }
        }
    }

    public async Task DismissAsync(long number, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            await core.WriteAsync([new(StoreKeys.KeyAlarm(number), null)], cancellationToken);
        }
    }

    private static bool HasRoom(IEnumerable<KeyAlarm> kept, KeyAlarmKind kind, int most) => IsOfRealms(kind)
        ? kept.Count(one => one.Kind == kind) < PlacesOfRealms
        : kept.Count(static one => !IsOfRealms(one.Kind)) < most;

    private static bool IsOfRealms(KeyAlarmKind kind) => kind is KeyAlarmKind.PinGuessed or KeyAlarmKind.PinWait
        or KeyAlarmKind.PinOpened or KeyAlarmKind.PinLost or KeyAlarmKind.RealmsOther or KeyAlarmKind.RealmLied;
}

/// <summary>What there is to alarm about.</summary>
internal readonly record struct NewKeyAlarm(KeyAlarmKind Kind, AccountId? Account, IReadOnlyList<string> Evidence);
