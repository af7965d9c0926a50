using System.Security.Cryptography;
using ChatPay.Client.Internal.Vault;
using ChatPay.Core.Identity;
using ChatPay.Core.Transparency;
using ChatPay.Core.Vault;

namespace ChatPay.Client.Internal.Keys;

/// <summary>
/// The account's PIN: set, changed, used on a new device, removed. The root secret stays the same while there is a PIN, so
/// that at no moment of a change the keys could be lost: realms that have the old registration and realms that have the new
/// one give the same.
/// </summary>
internal sealed class PinKeeper(DeviceCore core, OwnKeys own, KeyLogFollower log)
{
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

        var keys = await RequireKeysAsync(cancellationToken);
        var root = keys.RootSecret ?? RandomNumberGenerator.GetBytes(AccountKeys.RootSecretSize);
        await own.WriteAsync(keys with { RootSecret = root }, cancellationToken);
        using var account = AccountKeys.Of(keys.IdentitySeed, keys.ArchiveKey);
        using var identityKey = account.ImportIdentityKey();
        var (step, digest) = await Vault().RegisterAsync(
            pin, root, identityKey, identityKey, PinHashParameters.Default, cancellationToken);
        Require(step);
        await WrapAsync(account, root, cancellationToken);
        await own.ChangeAsync(
            (chain, signer) => [KeyLogEntry.VaultConfigured(chain.Next, digest, signer)], cancellationToken);
        CryptographicOperations.ZeroMemory(root);
    }

    /// <summary>Brings the account's keys to this device.</summary>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.WrongPin"/>, with <c>guessesLeft</c> in its details; <see cref="ClientErrors.PinRefused"/>: it
    /// cannot be one; <see cref="ClientErrors.VaultUnavailable"/>.
    /// </exception>
    public async Task RecoverAsync(string text, CancellationToken cancellationToken)
    {
        using var pin = Read(text);
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
        var keys = await RequireKeysAsync(cancellationToken);
        using var account = AccountKeys.Of(keys.IdentitySeed, keys.ArchiveKey);
        using var identityKey = account.ImportIdentityKey();
        Require(await Vault().DeleteAsync(identityKey, cancellationToken));
        await own.WriteAsync(keys with { RootSecret = null }, cancellationToken);
        await own.ChangeAsync(
            (chain, signer) => chain.VaultDigest.IsEmpty
                ? [] : [KeyLogEntry.VaultConfigured(chain.Next, new byte[KeyLogEntry.DigestSize], signer)],
            cancellationToken);
    }

    /// <summary>Cancels waits at all realms.</summary>
    public async Task CancelWaitAsync(CancellationToken cancellationToken)
    {
        var keys = await RequireKeysAsync(cancellationToken);
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

    private async Task<OwnKeysRecord> RequireKeysAsync(CancellationToken cancellationToken)
    {
        if (!await core.Keys.IsApprovedAsync(cancellationToken))
        {
            throw OwnKeys.NotApproved();
        }

        return await own.ReadAsync(cancellationToken);
    }

    private Task WrapAsync(AccountKeys keys, byte[] root, CancellationToken cancellationToken) =>
        new WrappedKeys(core).StoreAsync(keys, root, cancellationToken);
}
