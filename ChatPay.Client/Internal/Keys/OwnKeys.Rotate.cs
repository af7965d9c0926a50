using System.Security.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;

namespace ChatPay.Client.Internal.Keys;

/// <content>Another identity key in the place of the one in force, and what follows from it on each device.</content>
internal sealed partial class OwnKeys
{
    /// <summary>
    /// The new key is kept as the next one before anybody hears of it, and takes the place of the old one once the chain has
    /// it: whoever dies in between sees in the chain whether it was posted. Then the keys are wrapped anew, with the same
    /// root secret, and the device's leaves are renewed.
    /// </summary>
    /// <exception cref="ChatPayException">
    /// <c>device_not_approved</c>; <see cref="ClientErrors.NotReady"/>: there is a PIN, and this device has not what it would
    /// carry over to the new key.
    /// </exception>
    public async Task RotateAsync(CancellationToken cancellationToken)
    {
        using var turn = await Secrets.TakeAsync(cancellationToken);
        await InTurnAsync(
            async limited =>
            {
                for (var attempt = 1; ; attempt++)
                {
                    var chain = await RequireChainAsync(limited);
                    var before = await ReadAsync(limited);
                    var own = await TakeNextAsync(before, chain, limited);
                    if (before.NextSeed is null || own.NextSeed is not null || !IsInForce(own))
                    {
                        try
                        {
                            chain = await PostNextAsync(chain, limited);
                        }
                        catch (ChatPayException stale) when (
                            stale.Code == ErrorCode.KeyChainStale && attempt < Attempts)
                        {
                            // Another device was quicker.
                            continue;
                        }
                    }

                    // Else this is what was posted when it was tried last, and nobody saw the answer.
                    return await EnterAsync(chain, limited);
                }
            },
            cancellationToken);
        try
        {
            await WrapAsync(cancellationToken);
        }
        catch (ChatPayException later) when (!later.EndsDevice)
        {
            // The key is another one; what is left to do is done with the next look at the chain.
        }
    }

    /// <summary>
    /// Does what a change of the account's keys has left to be done: wraps them anew and names the PIN's registration in the
    /// chain, or takes up what another device has wrapped.
    /// </summary>
    /// <exception cref="ChatPayException">The server cannot be reached.</exception>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        var own = await ReadAsync(cancellationToken);
        if (own is { ApprovalKey: not null, IdentitySeed: not null, RootSecret: not null })
        {
            await CatchUpAsync(cancellationToken);
        }
        else if (own.WrapDue || own.Begun().Count > 0)
        {
            using var turn = await Secrets.TakeAsync(cancellationToken);
            await WrapAsync(cancellationToken);
        }
    }

    private async Task WrapAsync(CancellationToken cancellationToken)
    {
        if ((await ReadAsync(cancellationToken)).WrapDue)
        {
            await core.Keys.Wrapped.PutAsync(cancellationToken);
        }

        await core.Keys.Pin.SettleAsync(cancellationToken);
    }

    private async Task<KeyChain> PostNextAsync(KeyChain chain, CancellationToken cancellationToken)
    {
        using var identityKey = await RequireIdentityAsync(chain, cancellationToken);
        if (!chain.VaultDigest.IsEmpty && !await core.Keys.Wrapped.IsOwnAsync(cancellationToken))
        {
            throw LocalErrors.NotReady(
                "The account has a PIN that was set elsewhere, which would not bring the new key back. Set one on this "
                + "device first, or replace the key on the device that has set it.");
        }

        var own = await UpdateAsync(
            static now => now.NextSeed is null
                ? now with { NextSeed = RandomNumberGenerator.GetBytes(KeySize) } : now,
            cancellationToken);
        using var next = Import(own.NextSeed!);
        return await PostAsync([KeyLogEntry.Identity(chain.Next, next, identityKey)], cancellationToken);
    }

    /// <summary>
    /// Has the next key take the place of the present one where the chain has it, and forgets it where the chain has gone on
    /// without it: its entry was made for a place that is taken.
    /// </summary>
    private async Task<OwnKeysRecord> TakeNextAsync(
        OwnKeysRecord own, KeyChain chain, CancellationToken cancellationToken)
    {
        if (own.NextSeed is not { } nextSeed)
        {
            return own;
        }

        using var next = Import(nextSeed);
        if (IsInForce(chain, next))
        {
            return await UpdateAsync(
                static now => now with
                {
                    IdentitySeed = now.NextSeed,
                    NextSeed = null,
                    ApprovalKey = null,
                    WrapDue = now.RootSecret is not null,
                },
                cancellationToken);
        }

        if (own.IdentitySeed is not { } seed)
        {
            // A reset's: it goes on from any place, when it is tried again.
            return own;
        }

        using var present = Import(seed);
        return IsInForce(chain, present)
            ? own : await UpdateAsync(static now => now with { NextSeed = null }, cancellationToken);
    }

    /// <summary>
    /// Another device has replaced the identity key, and this one has the root secret: the new key is what the server keeps
    /// wrapped, as soon as that device has put it there.
    /// </summary>
    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var own = await ReadAsync(cancellationToken);
            if (own is not { ApprovalKey: not null, RootSecret: { } root })
            {
                return;
            }

            var (_, isThere, keys) = await core.Keys.Wrapped.OpenAsync(root, cancellationToken);
            using (keys)
            {
                if (keys is null && isThere)
                {
                    await core.Keys.Wrapped.ForgetRootAsync(root, cancellationToken);
                    return;
                }

                if (keys is not null && await TakeAsync(keys, root, cancellationToken))
                {
                    return;
                }
            }

            var options = core.Options.Session;
            await Transport.PauseAsync(
                core, Backoff.FullJitter(attempt, options.BaseDelay, options.MaxDelay, options.Random),
                cancellationToken);
        }
    }
}
