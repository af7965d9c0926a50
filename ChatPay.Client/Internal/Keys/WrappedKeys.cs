using System.Security.Cryptography;
using ChatPay.Client.Internal.Archive;
using ChatPay.Core.Identity;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Keys;

/// <summary>
/// The account's keys as the server keeps them, wrapped by the root secret. Whose root secret is the account's is decided
/// here, by who stored last: a device that cannot open what is stored has been overtaken, and forgets its own, but not what
/// a registration brings back that the realms may have.
/// </summary>
internal sealed class WrappedKeys(DeviceCore core, OwnKeys own)
{
    /// <summary>Other devices may store at the same moment; more often than this it cannot be chance.</summary>
    private const int Attempts = 8;

    /// <summary>What is stored.</summary>
    /// <returns>The keys, for the caller to dispose of, are null where the root secret does not open them.</returns>
    public async Task<(long Revision, bool IsThere, AccountKeys? Keys)> OpenAsync(
        byte[]? root, CancellationToken cancellationToken)
    {
        var stored = await core.Client.WrappedKeysAsync(cancellationToken);
        AccountKeys? keys = null;
        if (stored.Wrapped is { } wrapped && root is not null)
        {
            _ = AccountKeys.TryUnwrap(wrapped, core.Device.Account.Id, root, out keys);
        }

        return (stored.Revision, stored.Wrapped is not null, keys);
    }

    /// <summary>Whether this device's root secret opens what is stored.</summary>
    public async Task<bool> IsOwnAsync(CancellationToken cancellationToken)
    {
        var (_, _, keys) = await OpenAsync((await own.ReadAsync(cancellationToken)).RootSecret, cancellationToken);
        using (keys)
        {
            return keys is not null;
        }
    }

    /// <summary>Stores this device's keys in the place of a revision that was looked at.</summary>
    /// <exception cref="ChatPayException"><c>wrapped_keys_stale</c>: another one was quicker.</exception>
    public async Task StoreAsync(
        long revision, OwnKeysRecord record, byte[] root, CancellationToken cancellationToken)
    {
        using var keys = AccountKeys.Of(record.IdentitySeed, record.ArchiveKey);
        var request = new StoreWrappedKeysRequest(
            revision, keys.Wrap(core.Device.Account.Id, root, GroupKeeper.Random));
        await core.Client.StoreWrappedKeysAsync(request, cancellationToken);
    }

    /// <summary>
    /// Stores what this device has, where it has the key in force and the root secret opens what is there. An archive key
    /// that is there and that this device lacks is taken up first, and one of an archive that is gone is dropped.
    /// </summary>
    public async Task PutAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var record = await own.ReadAsync(cancellationToken);
            if (record.RootSecret is not { } root || !own.IsInForce(record))
            {
                return;
            }

            var (revision, isThere, stored) = await OpenAsync(root, cancellationToken);
            using (stored)
            {
                if (isThere && stored is null)
                {
                    await ForgetRootAsync(root, cancellationToken);
                    return;
                }

                record = await KeepArchiveAsync(record, stored, cancellationToken);
            }

            try
            {
                await StoreAsync(revision, record, root, cancellationToken);
            }
            catch (ChatPayException stale) when (stale.Code == ErrorCode.WrappedKeysStale && attempt < Attempts)
            {
                // What is there now is looked at first.
                continue;
            }

            await own.UpdateAsync(now => Stored(now, record), cancellationToken);
            return;
        }
    }

    /// <summary>Nothing is left to be wrapped where what was stored is the present identity key.</summary>
    public static OwnKeysRecord Stored(OwnKeysRecord now, OwnKeysRecord stored) =>
        now.WrapDue && IsSame(now.IdentitySeed, stored.IdentitySeed) ? now with { WrapDue = false } : now;

    /// <summary>
    /// Takes up an archive key that is stored and that this device lacks, and drops one whose archive is not on: what is left of
    /// an archive that was turned off opens with no PIN any more. Where the server keeps no archives now, nobody can tell.
    /// </summary>
    public async Task<OwnKeysRecord> KeepArchiveAsync(
        OwnKeysRecord record, AccountKeys? stored, CancellationToken cancellationToken)
    {
        var theirs = ArchiveKeyOf(stored);
        if (record.ArchiveKey is null && theirs is null)
        {
            return record;
        }

        var (isKnown, on) = await ArchiveAsync(cancellationToken);
        var kept = !isKnown ? record.ArchiveKey ?? theirs
            : IsOf(record.ArchiveKey, on) ? record.ArchiveKey
            : IsOf(theirs, on) ? theirs : null;
        return await own.UpdateAsync(
            now => CryptographicOperations.FixedTimeEquals(now.ArchiveKey, kept) ? now : now with { ArchiveKey = kept },
            cancellationToken);
    }

    /// <summary>
    /// An archive is on, and this device has not its key, which would be lost with wrapped keys that it cannot open.
    /// </summary>
    public async Task<bool> LosesArchiveAsync(OwnKeysRecord record, CancellationToken cancellationToken)
    {
        var (_, on) = await ArchiveAsync(cancellationToken);
        return on is not null && !IsOf(record.ArchiveKey, on);
    }

    /// <summary>
    /// Wraps the keys by what the PIN that the realms have brings back, in the place of what no PIN opens any more.
    /// </summary>
    /// <param name="revision">Of what is there, looked at before the realms were asked.</param>
    /// <returns>Whether it has; not where that would leave the key of the account's archive behind.</returns>
    /// <exception cref="ChatPayException"><c>wrapped_keys_stale</c>: another one was quicker.</exception>
    public async Task<bool> TryReplaceAsync(
        long revision, OwnKeysRecord record, byte[] root, CancellationToken cancellationToken)
    {
        if (await LosesArchiveAsync(record, cancellationToken))
        {
            return false;
        }

        record = await KeepArchiveAsync(record, null, cancellationToken);
        await StoreAsync(revision, record, root, cancellationToken);
        await own.UpdateAsync(now => Stored(now, record), cancellationToken);
        return true;
    }

    /// <summary>Changes the archive key in what is stored, and nothing else of it.</summary>
    /// <param name="seed">This device's identity seed, for where nothing is stored.</param>
    /// <param name="archiveKey">32 bytes, or null for none.</param>
    /// <returns>The one that was there; null for none.</returns>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.PinNeeded"/>: this device's root secret is not the one of the PIN that is set now.
    /// </exception>
    public async Task<byte[]?> SetArchiveKeyAsync(
        byte[] seed, byte[] root, byte[]? archiveKey, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var (revision, isThere, stored) = await OpenAsync(root, cancellationToken);
            using (stored)
            {
                if (isThere && stored is null)
                {
                    throw LocalErrors.PinNeeded();
                }

                var replaced = ArchiveKeyOf(stored);
                try
                {
                    await StoreAsync(
                        revision, new OwnKeysRecord(stored is null ? seed : stored.IdentitySeed.ToArray(), root, archiveKey),
                        root, cancellationToken);
                    return replaced;
                }
                catch (ChatPayException stale) when (stale.Code == ErrorCode.WrappedKeysStale && attempt < Attempts)
                {
                    // Another device was quicker: what it has stored is looked at first.
                }
            }
        }
    }

    /// <summary>The same, but for keys that this device cannot open, which stay as they are.</summary>
    public async Task TrySetArchiveKeyAsync(
        byte[] seed, byte[] root, byte[]? archiveKey, CancellationToken cancellationToken)
    {
        try
        {
            await SetArchiveKeyAsync(seed, root, archiveKey, cancellationToken);
        }
        catch (ChatPayException needed) when (needed.Name == ClientErrors.PinNeeded)
        {
            // Another PIN was set since: its device has wrapped what it knows.
        }
    }

    /// <summary>The archive key that is wrapped; null where there is none, or it does not open.</summary>
    public async Task<byte[]?> FindArchiveKeyAsync(byte[] root, CancellationToken cancellationToken)
    {
        var (_, _, stored) = await OpenAsync(root, cancellationToken);
        using (stored)
        {
            return ArchiveKeyOf(stored);
        }
    }

    /// <summary>Another device's root secret is the account's by now.</summary>
    public Task<OwnKeysRecord> ForgetRootAsync(byte[] root, CancellationToken cancellationToken) => own.UpdateAsync(
        now => IsSame(now.RootSecret, root) ? now.WithoutRoot() : now, cancellationToken);

    /// <summary>Which archive is on, and whether the server says.</summary>
    private async Task<(bool IsKnown, ArchiveId? On)> ArchiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (true, (await core.Client.ArchiveAsync(cancellationToken)).Archive);
        }
        catch (ChatPayException off) when (off.Code == ErrorCode.ArchiveOff)
        {
            return (false, null);
        }
    }

    private bool IsOf(byte[]? key, ArchiveId? archive)
    {
        using var cipher = archive is { } on ? ArchiveKeeper.CipherOf(key, core.Device.Account.Id, on) : null;
        return cipher is not null;
    }

    private static byte[]? ArchiveKeyOf(AccountKeys? stored) =>
        stored is { ArchiveKey.IsEmpty: false } ? stored.ArchiveKey.ToArray() : null;

    private static bool IsSame(byte[]? one, byte[]? other) =>
        one is not null && other is not null && CryptographicOperations.FixedTimeEquals(one, other);
}
