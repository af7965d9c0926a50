using ChatPay.Core.Identity;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Keys;

/// <summary>
/// The account's keys as the server keeps them, wrapped by the root secret. Every device may write them, so whoever does
/// looks first at what is there: an archive's key that this device knows nothing of must not get lost.
/// </summary>
internal sealed class WrappedKeys(DeviceCore core)
{
    /// <summary>Other devices may write at the same moment; more often than this it cannot be chance.</summary>
    private const int Attempts = 8;

    /// <summary>Stores these keys, and the archive key that is there where they have none.</summary>
    /// <param name="root">32 bytes.</param>
    public async Task StoreAsync(AccountKeys keys, byte[] root, CancellationToken cancellationToken) =>
        await ChangeAsync(
            root,
            stored =>
            {
                using (stored)
                {
                    return AccountKeys.Of(
                        keys.IdentitySeed, keys.ArchiveKey.IsEmpty && stored is not null ? stored.ArchiveKey : keys.ArchiveKey);
                }
            },
            cancellationToken);

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
        byte[]? replaced = null;
        await ChangeAsync(
            root,
            stored =>
            {
                using (stored)
                {
                    replaced = stored is { ArchiveKey.IsEmpty: false } ? stored.ArchiveKey.ToArray() : null;
                    return AccountKeys.Of(stored is null ? seed : stored.IdentitySeed, archiveKey);
                }
            },
            cancellationToken, isForeignKept: true);
        return replaced;
    }

    /// <summary>The same, but for keys that this device cannot open, which stay as they are.</summary>
    public async Task TrySetArchiveKeyAsync(
        byte[] seed, byte[] root, byte[] archiveKey, CancellationToken cancellationToken)
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
        using var stored = Open(await core.Client.WrappedKeysAsync(cancellationToken), root);
        return stored is { ArchiveKey.IsEmpty: false } ? stored.ArchiveKey.ToArray() : null;
    }

    private async Task ChangeAsync(
        byte[] root, Func<AccountKeys?, AccountKeys> change, CancellationToken cancellationToken,
        bool isForeignKept = false)
    {
        for (var attempt = 1; ; attempt++)
        {
            var view = await core.Client.WrappedKeysAsync(cancellationToken);
            var stored = Open(view, root);
            if (stored is null && view.Revision > 0 && isForeignKept)
            {
                throw LocalErrors.PinNeeded();
            }

            using var next = change(stored);
            try
            {
                await core.Client.StoreWrappedKeysAsync(
                    new(view.Revision, next.Wrap(core.Device.Account.Id, root, GroupKeeper.Random)), cancellationToken);
                return;
            }
            catch (ChatPayException stale) when (stale.Code == ErrorCode.WrappedKeysStale && attempt < Attempts)
            {
                // Another device was quicker: what it has stored is looked at first.
            }
        }
    }

    private AccountKeys? Open(WrappedKeysView view, byte[] root) =>
        view.Wrapped is { } wrapped && AccountKeys.TryUnwrap(wrapped, core.Device.Account.Id, root, out var keys)
            ? keys : null;
}
