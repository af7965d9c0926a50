using System.Security.Cryptography;
using ChatPay.Client.Internal.Keys;
using ChatPay.Core.Archive;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Archive;

/// <summary>
/// The archive is turned on and off here, and where another device of the account did, this one follows. One thing at a time:
/// nobody takes a key for a leftover that is about to be used.
/// </summary>
internal sealed class ArchiveKeeper(DeviceCore core, ArchiveQueue queue, ArchiveUploader uploader)
{
    private readonly Turns _turns = new();

    /// <summary>The archive's cipher.</summary>
    /// <returns>Null where the key is another archive's, or there is none.</returns>
    public static ArchiveCipher? CipherOf(byte[]? key, AccountId account, ArchiveId archive)
    {
        if (key is not { Length: ArchiveCipher.KeySize })
        {
            return null;
        }

        var cipher = ArchiveCipher.Of(key, account);
        if (cipher.Id == archive)
        {
            return cipher;
        }

        cipher.Dispose();
        return null;
    }

    /// <exception cref="ChatPayException">
    /// <c>device_not_approved</c>, <c>archive_off</c>, <c>archive_exists</c>; <see cref="ClientErrors.ArchiveNeedsPin"/>,
    /// <see cref="ClientErrors.PinNeeded"/>.
    /// </exception>
    public async Task TurnOnAsync(CancellationToken cancellationToken)
    {
        using (await _turns.TakeAsync(cancellationToken))
        using (await core.Keys.Own.Secrets.TakeAsync(cancellationToken))
        {
            // With a look at the chain: another device may have set a PIN, or removed it.
            if (!await core.Keys.Own.EnsureAsync(cancellationToken))
            {
                throw OwnKeys.NotApproved();
            }

            var view = await Transport.RetryAsync(core, core.Client.ArchiveAsync, cancellationToken);
            if (view.Archive is not null)
            {
                if (await TryFollowAsync(view, cancellationToken))
                {
                    return;
                }

                throw LocalErrors.Refused(
                    ErrorCode.ArchiveExists,
                    "An archive is on whose key this device does not have. Enter the PIN, or turn it off first.");
            }

            if (!core.Keys.Pin.IsSet
                || await core.Keys.Vault.LossAsync(cancellationToken) is not (PinLoss.None or PinLoss.RealmsOther))
            {
                // A root secret may be here all the same, of a PIN that no realm has taken. That the server names other realms
                // is no loss by itself: where the PIN is it opens what is wrapped here, and is not known to be gone.
                throw LocalErrors.ArchiveNeedsPin();
            }

            var own = await core.Keys.Own.ReadAsync(cancellationToken);
            if (own is not { IdentitySeed: { } seed, RootSecret: { } root })
            {
                throw LocalErrors.PinNeeded();
            }

            // Kept and wrapped before the server hears of it: there is no archive that nobody could read.
            var key = RandomNumberGenerator.GetBytes(ArchiveCipher.KeySize);
            await core.Keys.Own.SetArchiveKeyAsync(key, cancellationToken);
            var replaced = await core.Keys.Wrapped.SetArchiveKeyAsync(seed, root, key, cancellationToken);
            await BeginAsync(key, replaced, root, seed, cancellationToken);
        }
    }

    /// <exception cref="ChatPayException"><c>device_not_approved</c>, among others.</exception>
    public async Task TurnOffAsync(CancellationToken cancellationToken)
    {
        using (await _turns.TakeAsync(cancellationToken))
        using (await core.Keys.Own.Secrets.TakeAsync(cancellationToken))
        {
            var own = await core.Keys.Own.ReadAsync(cancellationToken);
            if (await FindAsync(own, cancellationToken) is { } archive)
            {
                await Transport.RetryAsync(
                    core,
                    async token =>
                    {
                        await core.Client.TurnOffArchiveAsync(archive, token);
                        return default(Unit);
                    },
                    cancellationToken);
            }

            // It is gone: whatever the wrapped keys come to, nothing of it stays here.
            await core.Keys.Own.SetArchiveKeyAsync(null, cancellationToken);
            await queue.DropAsync(cancellationToken);
            if (own is { IdentitySeed: { } seed, RootSecret: { } root })
            {
                await core.Keys.Wrapped.TrySetArchiveKeyAsync(seed, root, null, cancellationToken);
            }
        }
    }

    /// <summary>Does as other devices of the account have done.</summary>
    /// <exception cref="ChatPayException">The server cannot be reached.</exception>
    public async Task FollowAsync(CancellationToken cancellationToken)
    {
        if (core.DeviceOrNull is null || !core.Groups.IsCertified)
        {
            return;
        }

        using (await _turns.TakeAsync(cancellationToken))
        {
            try
            {
                await TryFollowAsync(await core.Client.ArchiveAsync(cancellationToken), cancellationToken);
            }
            catch (ChatPayException off) when (off.Code == ErrorCode.ArchiveOff)
            {
                // Not for now; the operator may think better of it.
            }
        }
    }

    /// <summary>Which archive is on, and whether this device can read it.</summary>
    public async Task<ChatArchive> StateAsync(CancellationToken cancellationToken)
    {
        try
        {
            var view = await core.Client.ArchiveAsync(cancellationToken);
            var own = await core.Keys.Own.ReadAsync(cancellationToken);
            using var cipher = view.Archive is { } archive
                ? CipherOf(own.ArchiveKey, core.Device.Account.Id, archive) : null;
            return new ChatArchive(
                IsOffered: true, view.Archive is not null, cipher is not null, view.Bytes, view.MaximumBytes,
                queue.Waiting.Count, uploader.IsFull);
        }
        catch (ChatPayException off) when (off.Code == ErrorCode.ArchiveOff)
        {
            return new ChatArchive(false, false, false, 0, 0, queue.Waiting.Count, false);
        }
    }

    /// <returns>Whether one is on that this device writes to.</returns>
    private async Task<bool> TryFollowAsync(ArchiveView view, CancellationToken cancellationToken)
    {
        var own = await core.Keys.Own.ReadAsync(cancellationToken);
        if (view.Archive is not { } archive)
        {
            await core.Keys.Own.SetArchiveKeyAsync(null, cancellationToken);
            await queue.DropAsync(cancellationToken);
            return false;
        }

        if (await HasKeyAsync(own, archive, cancellationToken))
        {
            await queue.BeginAsync(archive, cancellationToken);
            uploader.Kick();
            return true;
        }

        await queue.DropAsync(cancellationToken);
        return false;
    }

    /// <summary>
    /// Whether this device has the archive's key, or gets it from the wrapped keys. Where it has it and those have not, they
    /// get it back: two devices may have turned archives on at the same moment, of which one stayed.
    /// </summary>
    private async Task<bool> HasKeyAsync(OwnKeysRecord own, ArchiveId archive, CancellationToken cancellationToken)
    {
        var account = core.Device.Account.Id;
        using var mine = CipherOf(own.ArchiveKey, account, archive);
        if (own is not { IdentitySeed: { } seed, RootSecret: { } root })
        {
            return mine is not null;
        }

        var stored = await core.Keys.Wrapped.FindArchiveKeyAsync(root, cancellationToken);
        using var theirs = CipherOf(stored, account, archive);
        if (mine is null && theirs is not null)
        {
            await core.Keys.Own.SetArchiveKeyAsync(stored, cancellationToken);
        }
        else if (mine is not null && theirs is null)
        {
            await core.Keys.Wrapped.TrySetArchiveKeyAsync(seed, root, own.ArchiveKey!, cancellationToken);
        }

        return mine is not null || theirs is not null;
    }

    /// <param name="replaced">The archive key that was wrapped before; null for none.</param>
    private async Task BeginAsync(
        byte[] key, byte[]? replaced, byte[] root, byte[] seed, CancellationToken cancellationToken)
    {
        var account = core.Device.Account.Id;
        using var cipher = ArchiveCipher.Of(key, account);
        try
        {
            await Transport.RetryAsync(
                core, token => core.Client.TurnOnArchiveAsync(cipher.Id, token), cancellationToken);
        }
        catch (ChatPayException exists) when (exists.Code == ErrorCode.ArchiveExists)
        {
            var view = await Transport.RetryAsync(core, core.Client.ArchiveAsync, cancellationToken);
            using var other = view.Archive is { } on ? CipherOf(replaced, account, on) : null;
            if (other is not null)
            {
                // Another device was quicker, and this one has written over its key: that is put right.
                await core.Keys.Wrapped.SetArchiveKeyAsync(seed, root, replaced, cancellationToken);
            }

            if (!await TryFollowAsync(view, cancellationToken))
            {
                throw;
            }

            return;
        }

        await queue.BeginAsync(cipher.Id, cancellationToken);
        uploader.Kick();
        try
        {
            // Another device that stored its keys before this archive was on may have dropped the key from them.
            await HasKeyAsync(await core.Keys.Own.ReadAsync(cancellationToken), cipher.Id, cancellationToken);
        }
        catch (ChatPayException later) when (!later.EndsDevice)
        {
            // With the next look at the archive.
        }
    }

    /// <summary>The archive to turn off: the one that is on, or, where the server says no more, this device's own.</summary>
    private async Task<ArchiveId?> FindAsync(OwnKeysRecord own, CancellationToken cancellationToken)
    {
        try
        {
            return (await Transport.RetryAsync(core, core.Client.ArchiveAsync, cancellationToken)).Archive;
        }
        catch (ChatPayException off) when (off.Code == ErrorCode.ArchiveOff)
        {
            if (own.ArchiveKey is not { } key)
            {
                return null;
            }

            using var cipher = ArchiveCipher.Of(key, core.Device.Account.Id);
            return cipher.Id;
        }
    }
}
