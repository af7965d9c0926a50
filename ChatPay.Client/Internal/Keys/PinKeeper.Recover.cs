using System.Security.Cryptography;
using ChatPay.Client.Internal.Vault;
using ChatPay.Core.Identity;
using ChatPay.Core.Vault;

namespace ChatPay.Client.Internal.Keys;

/// <content>The PIN used on a new device.</content>
internal sealed partial class PinKeeper
{
    /// <summary>Brings the account's keys to this device.</summary>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.WrongPin"/>, with <c>guessesLeft</c> in its details; <see cref="ClientErrors.PinRefused"/>: it
    /// cannot be one; the outcomes of <see cref="VaultFailures"/>.
    /// </exception>
    public async Task RecoverAsync(string text, CancellationToken cancellationToken)
    {
        using var pin = Read(text);
        using var turn = await own.Secrets.TakeAsync(cancellationToken);
        var account = core.Device.Account.Id;
        var known = await core.Keys.People.FindAsync(account, cancellationToken);
        if (await log.FollowAsync(account, known.Entries, cancellationToken) is not { } followed)
        {
            throw LocalErrors.NotReady("The server shows keys of this account that cannot be true.");
        }

        var digest = followed.Chain.VaultDigest.ToArray();
        var root = new byte[AccountKeys.RootSecretSize];
        var today = core.Options.PinHash;
        var registered = today;
        PinPlace? realms = null;
        try
        {
            var step = await Realms.RecoverAsync(
                pin, root, digest, cancellationToken,
                (parameters, at) => (registered, realms) = (parameters, at),
                await core.Keys.Vault.RealmsOfAsync(digest, cancellationToken));
            await RequireAsync(step, cancellationToken);
            await core.Keys.Vault.PinOpenedAsync(digest, realms!, Realms.LiarsOf(step), cancellationToken);
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

                await own.UpdateAsync(
                    static now => now.PinVoid ? now with { PinVoid = false } : now, cancellationToken);

                await ForgiveAsync(keys, realms!, cancellationToken);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(root);
        }

        if (registered.AreWeakerThan(today))
        {
            await StrengthenAsync(pin, realms!, cancellationToken);
        }
    }

    /// <summary>
    /// Guesses that failed before are the person's to forgive. They stay in the realms' lists, so other devices alarm all the
    /// same. The keys are back by now: where this fails it is not the recovery that did.
    /// </summary>
    /// <param name="realms">Those that it was recovered from.</param>
    private async Task ForgiveAsync(AccountKeys keys, PinPlace realms, CancellationToken cancellationToken)
    {
        try
        {
            using var identityKey = keys.ImportIdentityKey();
            await Realms.ClearFailuresAsync(identityKey, cancellationToken, realms);
        }
        catch (ChatPayException) when (!cancellationToken.IsCancellationRequested)
        {
            // With the next recovery.
        }
    }

    /// <summary>
    /// Registers the same PIN anew, with what a guess costs today and the same root secret. The policy of new PINs is not asked,
    /// and where it fails the registration that there is goes on.
    /// </summary>
    /// <param name="realms">Those that it was recovered from: nobody is asked here whether it may go to others.</param>
    private async Task StrengthenAsync(Pin pin, PinPlace realms, CancellationToken cancellationToken)
    {
        try
        {
            await SetAsync(pin, realms, cancellationToken);
        }
        catch (ChatPayException failed) when (!failed.EndsDevice && !cancellationToken.IsCancellationRequested)
        {
            // With the next recovery; what has arrived is settled as any other.
        }
    }
}
