using ChatPay.Client.Internal.Vault;

namespace ChatPay.Client.Internal.Keys;

/// <content>
/// Which realms have the PIN that the account's chain names. Its digest binds them, but only together with a key that a realm
/// shows to who guesses: so a device keeps them where it set the PIN itself, or opened it, whereby they are proved; else where a
/// threshold of those that the server names first says to have it.
/// </content>
internal sealed partial class VaultWatch
{
    /// <summary>What a server makes up shall not fill the store.</summary>
    private const int MostSets = 20;

    /// <summary>Null where it is not known which have it.</summary>
    /// <param name="digest">The PIN's in the account's chain; empty for none.</param>
    public async Task<PinPlace?> RealmsOfAsync(byte[] digest, CancellationToken cancellationToken) =>
        await core.ReadAsync<PinRealmsRecord>(StoreKeys.PinRealms, cancellationToken) is { } kept && IsSame(kept.Digest, digest)
            ? new PinPlace(kept.Place) : null;

    /// <summary>What the server names now, for a person to look at.</summary>
    /// <exception cref="ChatPayException">The server cannot be reached.</exception>
    public async Task<PinRealms> NamedAsync(CancellationToken cancellationToken)
    {
        await core.Keys.Own.EnsureAsync(cancellationToken);
        var (view, named) = await core.Keys.Pin.Realms.NamedAsync(cancellationToken);
        return new PinRealms(
            VaultFailures.AllOf(view), view.Threshold, view.Operators, await AreOtherAsync(named, cancellationToken));
    }

    /// <summary>Where a PIN that is about to be set goes: nowhere that the person was not shown.</summary>
    /// <param name="shown">What the person was shown; null for nothing: then only the present PIN's realms will do.</param>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.VaultRealmsOther"/>; the server cannot be reached.
    /// </exception>
    public async Task<PinPlace> AgreeAsync(PinRealms? shown, CancellationToken cancellationToken)
    {
        var (view, named) = await core.Keys.Pin.Realms.NamedAsync(cancellationToken);
        var isOther = shown is null
            ? await AreOtherAsync(named, cancellationToken)
            : shown.Threshold != view.Threshold || !shown.Realms.ToArray().AsSpan().SequenceEqual([.. VaultFailures.AllOf(view)]);
        return isOther ? throw VaultFailures.RealmsOther(view) : named;
    }

    /// <summary>This device has set the PIN, and the account's chain names it.</summary>
    public async Task PinNamedAsync(PendingRegistration named, CancellationToken cancellationToken)
    {
        if (named.Place is { } place)
        {
            await KeepAsync(named.Digest, new PinPlace(place), isProved: true, cancellationToken);
        }

        await SettleAsync(cancellationToken);
    }

    /// <summary>The PIN has opened: the realms are the ones that the chain's digest binds, where it has one.</summary>
    /// <param name="liars">Realms whose answers could not be true, which the others did without.</param>
    public async Task PinOpenedAsync(
        byte[] digest, PinPlace realms, IReadOnlyList<NamedRealm> liars, CancellationToken cancellationToken)
    {
        if (digest.Length > 0)
        {
            await KeepAsync(digest, realms, isProved: true, cancellationToken);
        }

        foreach (var liar in liars)
        {
            await alarms.RaiseAsync(
                KeyAlarmKind.RealmLied, core.Device.Account.Id,
                [liar.Realm.ToString(), liar.Operator ?? "", liar.Address?.ToString() ?? ""], cancellationToken);
        }
    }

    /// <summary>Of a PIN that is set no more nobody needs to be told any longer that it is lost or elsewhere.</summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        if (Chain is { } chain)
        {
            var digest = Convert.ToBase64String(chain.VaultDigest);
            await alarms.SettleAsync(
                alarm => alarm.Kind is KeyAlarmKind.PinLost or KeyAlarmKind.RealmsOther && alarm.Evidence is [_, var of]
                    && of != digest,
                cancellationToken);
        }
    }

    /// <summary>
    /// Not of a PIN of which nothing is known, and where none is set there are none that others could be other than.
    /// </summary>
    private async Task<bool> AreOtherAsync(PinPlace named, CancellationToken cancellationToken)
    {
        if (Chain is not { VaultDigest.IsEmpty: false } chain)
        {
            return false;
        }

        var digest = chain.VaultDigest.ToArray();
        return await RealmsOfAsync(digest, cancellationToken) is { } kept
            ? !kept.IsSame(named)
            : (await ReadAsync(cancellationToken))?.Other is { Named: { } other } seen && IsSame(seen.Digest, digest)
                && IsSame(other, named.Digest);
    }

    /// <param name="isProved">What only looks right takes the place of nothing that is known of the same PIN.</param>
    private async Task KeepAsync(
        byte[] digest, PinPlace realms, bool isProved, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            var isKept = await RealmsOfAsync(digest, cancellationToken) is not null;
            if (isProved || (!isKept && Chain is { } chain && IsSame(digest, chain.VaultDigest)))
            {
                await core.WriteAsync(
                    [new(StoreKeys.PinRealms, DeviceCore.Encode(new PinRealmsRecord(digest, realms.Record)))],
                    cancellationToken);
            }
        }
    }

    /// <summary>One alarm for each PIN and set of realms, however often the server goes from one to another.</summary>
    /// <param name="isKnown">Whether the device knew which realms have the PIN.</param>
    private SeenOther? TakeOther(VaultLook look, bool isKnown, SeenOther? before, List<NewKeyAlarm> news)
    {
        if (Chain is not { VaultDigest.IsEmpty: false } chain)
        {
            return null;
        }

        var digest = chain.VaultDigest.ToArray();
        var known = IsSame(before?.Digest, digest) ? before : null;
        if (look.Loss != PinLoss.RealmsOther)
        {
            // Where too few say what they have: a device that does not know the PIN's realms has only heard of those that were
            // named before that they are other.
            var isOver = isKnown || look.Loss is not null || !IsSame(known?.Named, look.Named.Digest);
            return known is not null && isOver ? known with { Named = null } : known;
        }

        var named = look.Named.Digest;
        var told = known?.Told ?? [];
        if (!told.Any(one => IsSame(one, named)))
        {
            news.Add(new NewKeyAlarm(
                KeyAlarmKind.RealmsOther, core.Device.Account.Id,
                [Convert.ToBase64String(named), Convert.ToBase64String(digest)]));
            told = [.. told.TakeLast(MostSets - 1), named];
        }

        return new SeenOther(digest, named, told);
    }

    private static bool IsSame(byte[]? one, ReadOnlySpan<byte> other) => one is not null && other.SequenceEqual(one);
}
