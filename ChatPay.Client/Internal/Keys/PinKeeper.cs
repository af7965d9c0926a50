using System.Security.Cryptography;
using ChatPay.Client.Internal.Vault;
using ChatPay.Core.Identity;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Core.Vault;

namespace ChatPay.Client.Internal.Keys;

/// <summary>
/// The account's PIN: set, changed, used on a new device, removed. The root secret stays the same while there is a PIN and
/// this device knows it, so that at no moment of a change the keys could be lost: realms that have the old registration and
/// realms that have the new one give the same.
/// </summary>
/// <remarks>
/// <para>
/// Two devices that know no root secret may set a PIN at the same moment, each with one of its own. The wrapped keys decide:
/// their revision is looked at before the registration and replaced after it. Whoever finds another one there begins again
/// with the registration, so that the last who stores has also registered last, and the PIN that the realms have opens what
/// the server has. The digest goes to the chain last, and only from the device whose root secret still opens what is stored;
/// a device that comes before it in the chain was overtaken, and one after it has seen that it was.
/// </para>
/// <para>
/// A device that dies on the way goes on at its next look at the chain: it has the root secret and the registration's digest from
/// before a realm heard of it. Where a threshold of realms has that registration, it stores the keys, in the place of another
/// device's, which no PIN opens any more, and posts the digest. Only where it has not the key of the archive that is on, the
/// PIN is void: it brings nothing back until one is set anew. Until the digest is in the chain, whoever tries the new PIN is
/// told that the realms disagree: the realms have counted a guess by then, so the same device does not ask them again for the
/// same registration.
/// </para>
/// <para>
/// A request that nobody waits for any more may still arrive, so a registration is forgotten only where it can come to stand no
/// more; until then it is looked for again and again, and another one that is begun meanwhile does not take its place. Where it
/// arrives in the middle of another one, the realms have not what that one would replace, and it begins again. Where the PIN was
/// removed meanwhile it is deleted wherever it has arrived, and that by its version: a PIN that was set since stays.
/// </para>
/// <para>
/// All that goes to the realms that it was begun at. While the server names others nothing is asked of these, and it is
/// remembered until the first are named again. By then another PIN may have been set elsewhere, which no realm can know: where
/// this device has looked there it is deleted then, and does not come back in that one's place.
/// </para>
/// </remarks>
internal sealed partial class PinKeeper(DeviceCore core, OwnKeys own, WrappedKeys wrapped, KeyLogFollower log)
{
    /// <summary>Two devices that set a PIN at the same moment; more often than this it cannot be chance.</summary>
    private const int Attempts = 8;

    private PinVault? _vault;
    private int _isLookDue;

    /// <summary>What has become of a registration that was to be named in the chain.</summary>
    private enum Posting
    {
        Named,

        /// <summary>The keys are another device's: it is remembered still, for it may be what the realms have.</summary>
        Overtaken,

        /// <summary>The PIN was removed since it was begun: it is not named, and deleted wherever it has arrived.</summary>
        Removed,
    }

    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.PinRefused"/>, <see cref="ClientErrors.VaultUnavailable"/>,
    /// <see cref="ClientErrors.VaultRealmLied"/>, <c>device_not_approved</c>; <see cref="ClientErrors.PinRemoved"/>: another
    /// device has removed it meanwhile; <see cref="ClientErrors.VaultRealmsOther"/>: it would go to realms that the person
    /// was not shown.
    /// </exception>
    /// <param name="shown">The realms that the person agreed to; null for those that have the present PIN, if any.</param>
    public async Task SetAsync(string text, PinRealms? shown, CancellationToken cancellationToken)
    {
        using var pin = Read(text);
        if (PinPolicy.Check(pin, core.Device.Account.Handle) is var refusal and not PinRefusal.None)
        {
            throw Refused(refusal);
        }

        // Where the PIN is, another device may have changed.
        await own.EnsureAsync(cancellationToken);
        var only = await core.Keys.Vault.AgreeAsync(shown, cancellationToken);
        await core.Keys.Vault.BeginAsync(cancellationToken);
        using var turn = await own.Secrets.TakeAsync(cancellationToken);
        await SetAsync(pin, only, cancellationToken);
    }

    /// <param name="only">To these realms and no others, whatever the server names by then.</param>
    private async Task SetAsync(Pin pin, PinPlace only, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                // What was cut off is named, or given up, before another one is begun.
                await SettleAsync(cancellationToken);
                var (step, begun) = await RegisterAsync(pin, only, cancellationToken);
                if (begun is not null)
                {
                    var posting = await PostAsync(begun, cancellationToken);
                    if (posting != Posting.Named)
                    {
                        // Another device has stored keys since: the realms say whose PIN it is that they have. One that was
                        // removed goes from them.
                        await SettleAsync(cancellationToken);
                    }

                    if (posting == Posting.Removed)
                    {
                        throw LocalErrors.PinRemoved();
                    }

                    return;
                }

                if (attempt == Attempts || step.Faults.All(static one => one.Reason != VaultRejection.VersionOther))
                {
                    await RequireAsync(step, cancellationToken);
                }

                // Another registration has come to the realms after they were asked what they have.
            }
            catch (ChatPayException stale) when (stale.Code == ErrorCode.WrappedKeysStale && attempt < Attempts)
            {
                // Another device was quicker: its registration may be the older one, or the newer.
            }
        }
    }

    /// <summary>
    /// Names a registration in the chain that this device had begun when it was cut off, where the realms have it; within a turn
    /// at the account's secrets.
    /// </summary>
    /// <exception cref="ChatPayException">
    /// The server cannot be reached; <c>wrapped_keys_stale</c>: another device has stored keys meanwhile.
    /// </exception>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        foreach (var begun in (await own.ReadAsync(cancellationToken)).Begun())
        {
            try
            {
                await SettleAsync(begun, cancellationToken);
            }
            catch (ChatPayException other) when (other.Name == ClientErrors.VaultRealmsOther)
            {
                // These realms never had it. What is on its way goes on to the others; what they have shows with a later
                // connection, when they are named again.
                if (IsOnTheWay(begun))
                {
                    LookLater();
                }
            }
        }
    }

    /// <summary>The account's PIN is set, by its keys as this device knows them.</summary>
    public bool IsSet =>
        core.Keys.People.ChainOf(core.Device.Account.Id) is { VaultDigest.IsEmpty: false };

    /// <summary>The realms, for who looks at what they tell of guesses and waits.</summary>
    public PinVault Realms => _vault ??= new(core.Client, GroupKeeper.Random);

    /// <summary>Cancels waits at all realms.</summary>
    public async Task CancelWaitAsync(CancellationToken cancellationToken)
    {
        var keys = await own.RequireAsync(cancellationToken);
        using var account = AccountKeys.Of(keys.IdentitySeed, keys.ArchiveKey);
        using var identityKey = account.ImportIdentityKey();
        var only = await core.Keys.Vault.RealmsOfAsync(Named, cancellationToken);
        await RequireAsync(await Realms.CancelWaitAsync(identityKey, cancellationToken, only), cancellationToken);
    }

    /// <summary>The digest of the PIN that the account's chain names, as this device knows it; empty for none.</summary>
    private byte[] Named => core.Keys.People.ChainOf(core.Device.Account.Id)?.VaultDigest.ToArray() ?? [];

    private static Pin Read(string text) =>
        Pin.TryRead(text, out var pin, out var refusal) ? pin : throw Refused(refusal);

    private static ChatPayException Refused(PinRefusal refusal) => LocalErrors.PinRefused(refusal);

    private async Task RequireAsync(VaultStep step, CancellationToken cancellationToken)
    {
        if (!step.IsOk)
        {
            throw await Realms.FailureAsync(step, cancellationToken);
        }
    }

    private async Task SettleAsync(PendingRegistration begun, CancellationToken cancellationToken)
    {
        if (!begun.Removed && await IsSetElsewhereAsync(begun, cancellationToken))
        {
            begun = begun with { Removed = true };
            await own.UpdateAsync(now => now.WithRemoved(begun.Version), cancellationToken);
        }

        if (begun.Removed)
        {
            await DeleteLateAsync(begun, cancellationToken);
            return;
        }

        for (var attempt = 1; !await TrySettleAsync(begun, cancellationToken) && attempt < Attempts; attempt++)
        {
            // Another device has stored keys meanwhile, which are looked at first.
        }
    }

    /// <summary>Whether the chain has come to name another PIN since it was begun, which other realms have.</summary>
    private async Task<bool> IsSetElsewhereAsync(PendingRegistration begun, CancellationToken cancellationToken)
    {
        var named = Named;
        return begun is { Before: { } before } && !named.AsSpan().SequenceEqual(before)
            && !named.AsSpan().SequenceEqual(begun.Digest) && begun.Realms() is { } place
            && await core.Keys.Vault.RealmsOfAsync(named, cancellationToken) is { } kept && !kept.IsSame(place);
    }

    /// <returns>Whether that is all that can be done now; not where another device has stored keys meanwhile.</returns>
    private async Task<bool> TrySettleAsync(PendingRegistration begun, CancellationToken cancellationToken)
    {
        var keys = await own.ReadAsync(cancellationToken);
        if (!own.IsInForce(keys))
        {
            return true;
        }

        // Looked at before the realms are asked: whoever registers after that finds that it has been replaced.
        var root = begun.RootSecret ?? keys.RootSecret;
        var (revision, _, stored) = await wrapped.OpenAsync(root, cancellationToken);
        stored?.Dispose();
        var isOnTheWay = IsOnTheWay(begun);
        var stands = await Realms.StandsAsync(
            new RegistrationVersion(begun.Version), begun.Replaces ?? [], !isOnTheWay, cancellationToken, begun.Realms());
        if (stands is null)
        {
            // What is on its way arrives by itself; what silent realms have shows with the next connection.
            if (isOnTheWay)
            {
                LookLater();
            }
        }
        else if (stands is false || root is null)
        {
            // It came to nothing, or another one has replaced it.
            await DropAsync(begun, cancellationToken);
        }
        else if (stored is not null || await wrapped.TryReplaceAsync(revision, keys, root, cancellationToken))
        {
            await own.UpdateAsync(
                now => now.IsWanted(begun.Version) ? now with { RootSecret = root, PinVoid = false } : now,
                cancellationToken);
            return await PostAsync(begun, cancellationToken) != Posting.Overtaken;
        }
        else
        {
            await own.UpdateAsync(
                now => now.IsWanted(begun.Version) ? now.Without(begun.Version) with { PinVoid = true } : now,
                cancellationToken);
        }

        return true;
    }

    /// <summary>Deletes a registration of before the PIN was removed wherever it is, until it can arrive no more.</summary>
    private async Task DeleteLateAsync(PendingRegistration begun, CancellationToken cancellationToken)
    {
        var keys = await own.ReadAsync(cancellationToken);
        if (!own.IsInForce(keys))
        {
            return;
        }

        // Looked at first: what can arrive no more by now is there by now.
        var isOnTheWay = IsOnTheWay(begun);
        var version = new RegistrationVersion(begun.Version);
        using var account = AccountKeys.Of(keys.IdentitySeed, keys.ArchiveKey);
        using var identityKey = account.ImportIdentityKey();
        await Realms.DeleteAsync(version, identityKey, cancellationToken, begun.Realms());
        if (await Realms.StandsAsync(
            version, begun.Replaces ?? [], !isOnTheWay, cancellationToken, begun.Realms()) is false)
        {
            await DropAsync(begun, cancellationToken);
        }
        else if (isOnTheWay)
        {
            LookLater();
        }
    }

    private bool IsOnTheWay(PendingRegistration begun) =>
        core.Time.GetUtcNow() - begun.At < core.Options.RegistrationOnTheWay;

    /// <summary>One look at a time is due, and none after what was on its way can arrive no more.</summary>
    private void LookLater()
    {
        if (Interlocked.Exchange(ref _isLookDue, 1) == 0)
        {
            core.Background(LookAsync);
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(core.Options.RegistrationLook, core.Time, cancellationToken);
        Volatile.Write(ref _isLookDue, 0);
        try
        {
            await own.SettleAsync(cancellationToken);
        }
        catch (ChatPayException later) when (!later.EndsDevice && !cancellationToken.IsCancellationRequested)
        {
            if ((await own.ReadAsync(cancellationToken)).Begun().Any(IsOnTheWay))
            {
                LookLater();
            }
        }
    }

    /// <summary>
    /// Names a registration in the chain, where this device's root secret opens what is stored, and the look at the chain does
    /// not show that the PIN was removed since.
    /// </summary>
    private async Task<Posting> PostAsync(PendingRegistration begun, CancellationToken cancellationToken)
    {
        var (isOwn, isRemoved) = (true, false);
        await own.ChangeAsync(
            async (chain, signer, token) =>
            {
                isRemoved = (await own.ReadAsync(token)).IsRemoved(begun.Version);
                return isRemoved || chain.VaultDigest.SequenceEqual(begun.Digest)
                    || !(isOwn = await wrapped.IsOwnAsync(token))
                    ? [] : [KeyLogEntry.VaultConfigured(chain.Next, begun.Digest, signer)];
            },
            cancellationToken);
        if (isRemoved)
        {
            LookLater();
            return Posting.Removed;
        }

        if (!isOwn)
        {
            return Posting.Overtaken;
        }

        await core.Keys.Vault.PinNamedAsync(begun, cancellationToken);
        await DropAsync(begun, cancellationToken);
        return Posting.Named;
    }

    private Task<OwnKeysRecord> DropAsync(PendingRegistration begun, CancellationToken cancellationToken) =>
        own.UpdateAsync(now => now.Without(begun.Version), cancellationToken);

    /// <summary>Registers the PIN, and stores the keys wrapped by what it brings back.</summary>
    /// <returns>The registration, for the chain; null where a threshold of realms has not stored it.</returns>
    private async Task<(VaultStep Step, PendingRegistration? Begun)> RegisterAsync(
        Pin pin, PinPlace only, CancellationToken cancellationToken)
    {
        var keys = await own.RequireAsync(cancellationToken);
        if (keys.Begun().Count >= OwnKeysRecord.RegistrationsKept)
        {
            // What went to realms that may never be named again makes way once it can arrive no more.
            keys = await DropAsync(
                keys.Begun().FirstOrDefault(one => !IsOnTheWay(one) && one.Realms()?.IsSame(only) == false)
                ?? throw LocalErrors.VaultUnavailable(
                    "Too many PINs are on their way to the vault still: try again in some minutes."),
                cancellationToken);
        }

        var (revision, isThere, stored) = await wrapped.OpenAsync(keys.RootSecret, cancellationToken);
        using (stored)
        {
            // Where no PIN is set, or it is lost, there is none that could be entered, and what it wrapped opens no more.
            if (IsSet && isThere && stored is null && !keys.PinVoid && await wrapped.LosesArchiveAsync(keys, cancellationToken)
                && !await core.Keys.Vault.IsLostAsync(cancellationToken))
            {
                throw LocalErrors.PinNeededFirst();
            }

            keys = await wrapped.KeepArchiveAsync(keys, stored, cancellationToken);
        }

        // Kept before a realm hears of it: see above.
        var fresh = RandomNumberGenerator.GetBytes(AccountKeys.RootSecretSize);
        keys = await own.UpdateAsync(
            now => now with { RootSecret = now.RootSecret ?? fresh, WrapDue = true }, cancellationToken);
        var root = keys.RootSecret!;
        using var account = AccountKeys.Of(keys.IdentitySeed, keys.ArchiveKey);
        using var identityKey = account.ImportIdentityKey();
        PendingRegistration? begun = null;
        var before = Named;
        var (step, _) = await Realms.RegisterAsync(
            pin, root, identityKey, identityKey, core.Options.PinHash, cancellationToken,
            (version, digest, replaces) =>
            {
                begun = new PendingRegistration(
                    version.Value, digest, replaces, core.Time.GetUtcNow(), root, Place: only.Record, Before: before);
                LookLater();
                return own.UpdateAsync(now => now.With(begun), cancellationToken);
            },
            only);
        if (!step.IsOk)
        {
            return (step, null);
        }

        await wrapped.StoreAsync(revision, keys, root, cancellationToken);

        // A look at what was stored before may have taken it for overtaken meanwhile. Where the PIN was removed it is none's.
        await own.UpdateAsync(
            now => now.IsWanted(begun!.Version)
                ? WrappedKeys.Stored(now with { RootSecret = root, WrapDue = true, PinVoid = false }, keys) : now,
            cancellationToken);
        return (step, begun);
    }
}
