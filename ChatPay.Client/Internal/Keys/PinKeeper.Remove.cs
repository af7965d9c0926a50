using ChatPay.Core.Identity;
using ChatPay.Core.Transparency;

namespace ChatPay.Client.Internal.Keys;

/// <content>Removing the PIN.</content>
internal sealed partial class PinKeeper
{
    /// <summary>Has the realms forget the registration: from here on only another device can approve a new one.</summary>
    /// <remarks>
    /// A removal wins over every PIN whose setting it overlaps with, so that chain and realms agree in whichever order the two
    /// come. It enters zeros only in the place of a digest that stood in the chain before its deletion, since the registration
    /// of that one was at the realms by then; where another one stands there now it deletes again. To leave that one alone
    /// would be wrong: the realms may have had it at the deletion already. And a device that finds zeros in the chain since it
    /// began does not name its PIN, because the realms may have it no more, but deletes what they have of it, and says so.
    /// </remarks>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        // Which PIN there is, another device may have changed.
        await own.EnsureAsync(cancellationToken);
        using var turn = await own.Secrets.TakeAsync(cancellationToken);
        var keys = await own.RequireAsync(cancellationToken);
        using var account = AccountKeys.Of(keys.IdentitySeed, keys.ArchiveKey);
        using var identityKey = account.ImportIdentityKey();
        var named = Named;
        var hadAny = false;
        for (var attempt = 1; ; attempt++)
        {
            // Realms that never had it would say at once that it is gone.
            var only = await core.Keys.Vault.AgreeAsync(null, cancellationToken);
            var (step, hadSome) = await Realms.DeleteAsync(identityKey, cancellationToken, only);
            await RequireAsync(step, cancellationToken);
            hadAny |= hadSome;
            var left = await own.UpdateAsync(
                static now => now.WithoutBegun().WithoutRoot() with { PinVoid = false }, cancellationToken);
            if (left.Begun().Count > 0)
            {
                LookLater();
            }

            var isOther = false;
            await own.ChangeAsync(
                (chain, signer) =>
                {
                    isOther = !chain.VaultDigest.IsEmpty && !chain.VaultDigest.SequenceEqual(named);
                    if (isOther)
                    {
                        named = chain.VaultDigest.ToArray();
                    }

                    // Where the realms had one that the chain does not name, its device is about to: it has to see that it went.
                    return isOther || (chain.VaultDigest.IsEmpty && !hadAny)
                        ? [] : [KeyLogEntry.VaultConfigured(chain.Next, new byte[KeyLogEntry.DigestSize], signer)];
                },
                cancellationToken);
            if (!isOther)
            {
                await core.Keys.Vault.SettleAsync(cancellationToken);
                return;
            }

            if (attempt == Attempts)
            {
                throw LocalErrors.VaultUnavailable("Another device sets a PIN again and again while this one removes it.");
            }
        }
    }
}
