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
/// A device that dies between registering and storing has the root secret and stores at its next start, unless another
/// device's is there; then the PIN has to be set again, and brings nothing back until it is.
/// </para>
/// </remarks>
internal sealed class PinKeeper(DeviceCore core, OwnKeys own, WrappedKeys wrapped, KeyLogFollower log)
{
    /// <summary>Two devices that set a PIN at the same moment; more often than this it cannot be chance.</summary>
    private const int Attempts = 8;

    private readonly Turns _turns = new();

    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.PinRefused"/>, <see cref="ClientErrors.VaultUnavailable"/>, <c>device_not_approved</c>.
    /// </exception>
    public async Task SetAsync(string text, CancellationToken cancellationToken)
    {
        using var pin = Read(text);
        if (PinPolicy.Check(pin, core.Device.Account.Handle) is var refusal and not PinRefusal.None)
        {
            throw Refused(refusal);
        }

        using var turn = await _turns.TakeAsync(cancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var digest = await RegisterAsync(pin, cancellationToken);
                await own.ChangeAsync(
                    async (chain, signer, token) => await wrapped.IsOwnAsync(token)
                        ? [KeyLogEntry.VaultConfigured(chain.Next, digest, signer)] : [],
                    cancellationToken);
                return;
            }
            catch (ChatPayException stale) when (stale.Code == ErrorCode.WrappedKeysStale && attempt < Attempts)
            {
                // Another device was quicker: its registration may be the older one, or the newer.
            }
        }
    }

    /// <summary>Brings the account's keys to this device.</summary>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.WrongPin"/>, with <c>guessesLeft</c> in its details; <see cref="ClientErrors.PinRefused"/>: it
    /// cannot be one; <see cref="ClientErrors.VaultUnavailable"/>.
    /// </exception>
    public async Task RecoverAsync(string text, CancellationToken cancellationToken)
    {
        using var pin = Read(text);
        using var turn = await _turns.TakeAsync(cancellationToken);
        var account = core.Device.Account.Id;
        var known = await core.Keys.People.FindAsync(account, cancellationToken);
        if (await log.FollowAsync(account, known.Entries, cancellationToken) is not { } followed)
        {
            throw LocalErrors.NotReady("The server shows keys of this account that cannot be true.");
        }

        var root = new byte[AccountKeys.RootSecretSize];
        try
        {
            Require(await Vault().RecoverAsync(
                pin, root, followed.Chain.VaultDigest.ToArray(), cancellationToken));
            var stored = await core.Client.WrappedKeysAsync(cancellationToken);
            if (!AccountKeys.TryUnwrap(stored.Wrapped, account, root, out var keys))
            {
                throw LocalErrors.VaultUnavailable("The PIN is right, but the keys that the server has are not the account's.");
            }

            using (keys)
            {
                if (!await own.TakeAsync(keys, root, cancellationToken))
                {
                    throw LocalErrors.VaultUnavailable("The keys are of an earlier identity of the account.");
                }

                // Guesses that failed before are the person's to forgive.
                using var identityKey = keys.ImportIdentityKey();
                await Vault().ClearFailuresAsync(identityKey, cancellationToken);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(root);
        }
    }

    /// <summary>Has the realms forget the registration: from here on only another device can approve a new one.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        using var turn = await _turns.TakeAsync(cancellationToken);
        var keys = await own.RequireAsync(cancellationToken);
        using var account = AccountKeys.Of(keys.IdentitySeed, keys.ArchiveKey);
        using var identityKey = account.ImportIdentityKey();
        Require(await Vault().DeleteAsync(identityKey, cancellationToken));
        await own.UpdateAsync(static now => now with { RootSecret = null, WrapDue = false }, cancellationToken);
        await own.ChangeAsync(
            (chain, signer) => chain.VaultDigest.IsEmpty
                ? [] : [KeyLogEntry.VaultConfigured(chain.Next, new byte[KeyLogEntry.DigestSize], signer)],
            cancellationToken);
    }

    /// <summary>Cancels waits at all realms.</summary>
    public async Task CancelWaitAsync(CancellationToken cancellationToken)
    {
        var keys = await own.RequireAsync(cancellationToken);
        using var account = AccountKeys.Of(keys.IdentitySeed, keys.ArchiveKey);
        using var identityKey = account.ImportIdentityKey();
        Require(await Vault().CancelWaitAsync(identityKey, cancellationToken));
    }

    private static Pin Read(string text) =>
        Pin.TryRead(text, out var pin, out var refusal) ? pin : throw Refused(refusal);

    private static ChatPayException Refused(PinRefusal refusal) => LocalErrors.PinRefused(refusal);

    private static void Require(VaultStep step)
    {
        if (step.Rejection == VaultRejection.WrongPin)
        {
            throw LocalErrors.WrongPin(step.GuessesLeft ?? 0);
        }

        if (!step.IsOk)
        {
            var liars = string.Join(", ", step.Faults.Where(fault => fault.IsLie).Select(fault => fault.Realm.Value));
            throw LocalErrors.VaultUnavailable(
                $"The PIN vault cannot help now: {step.Rejection}."
                + (liars.Length > 0 ? $" Realms that gave an answer which cannot be true: {liars}." : ""));
        }
    }

    private PinVault Vault() => new(core.Client, GroupKeeper.Random);

    /// <summary>Registers the PIN, and stores the keys wrapped by what it brings back.</summary>
    /// <returns>The registration's digest, for the chain.</returns>
    private async Task<byte[]> RegisterAsync(Pin pin, CancellationToken cancellationToken)
    {
        var keys = await own.RequireAsync(cancellationToken);
        var (revision, _, stored) = await wrapped.OpenAsync(keys.RootSecret, cancellationToken);
        using (stored)
        {
            keys = await wrapped.KeepArchiveAsync(keys, stored, cancellationToken);
        }

        // Kept before a realm hears of it: see above.
        var fresh = RandomNumberGenerator.GetBytes(AccountKeys.RootSecretSize);
        keys = await own.UpdateAsync(
            now => now with { RootSecret = now.RootSecret ?? fresh, WrapDue = true }, cancellationToken);
        var root = keys.RootSecret!;
        using var account = AccountKeys.Of(keys.IdentitySeed, keys.ArchiveKey);
        using var identityKey = account.ImportIdentityKey();
        var (step, digest) = await Vault().RegisterAsync(
            pin, root, identityKey, identityKey, PinHashParameters.Default, cancellationToken);
        Require(step);
        await wrapped.StoreAsync(revision, keys, root, cancellationToken);

        // A look at what was stored before may have taken it for overtaken meanwhile.
        await own.UpdateAsync(now => now with { RootSecret = root, WrapDue = false }, cancellationToken);
        return digest;
    }
}
