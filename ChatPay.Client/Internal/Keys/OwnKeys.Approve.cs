using System.Security.Cryptography;
using ChatPay.Core.Identity;
using ChatPay.Core.Transparency;

namespace ChatPay.Client.Internal.Keys;

/// <content>How the account's keys come to a device that has them not, or not the one in force; or begin anew.</content>
internal sealed partial class OwnKeys
{
    /// <summary>So many devices that were approved here are remembered: an account has fewer.</summary>
    private const int ApprovedKept = 100;

    /// <summary>
    /// A device that was approved takes the keys when it is next online, and comes into the chain right after that. One that
    /// comes much later is worth an alarm: whoever approved it has forgotten it, and somebody else may have it by then.
    /// </summary>
    private static readonly TimeSpan s_approvalLasts = TimeSpan.FromDays(7);

    /// <summary>What this device makes for others to approve it with; null where it has the key in force.</summary>
    public async Task<ApprovalCode?> CodeAsync(CancellationToken cancellationToken)
    {
        var own = await ReadAsync(cancellationToken);
        return own.ApprovalKey is { } privateKey
            ? new ApprovalCode(
                core.Device.Account.Id, core.Device.Device, core.Groups.Member.PublicSignatureKey,
                SealedApproval.PublicKeyOf(privateKey))
            : null;
    }

    /// <summary>
    /// Begins the account's identity anew, without the old key: all other devices are revoked, and everybody has to accept the
    /// new one. The new key is kept as the next one until the chain has it, as in <see cref="RotateAsync"/>.
    /// </summary>
    public Task ResetAsync(CancellationToken cancellationToken) => InTurnAsync(
        async limited =>
        {
            var chain = await RequireChainAsync(limited);
            var before = await ReadAsync(limited);
            if (before.NextSeed is not null && (await TakeNextAsync(before, chain, limited)).IdentitySeed is not null)
            {
                // It had been posted when it was tried last.
                return await EnterAsync(chain, limited);
            }

            if (chain.Devices.ContainsKey(core.Device.Device) || chain.IsRevoked(core.Device.Device))
            {
                // Its key is the chain's already, and no key comes into a chain twice.
                throw LocalErrors.NotReady("Only a device that is not approved begins the identity anew.");
            }

            var own = await UpdateAsync(
                static now => new OwnKeysRecord(
                    null, ApprovalKey: now.ApprovalKey,
                    NextSeed: now.NextSeed ?? RandomNumberGenerator.GetBytes(KeySize)),
                limited);
            using var identityKey = Import(own.NextSeed!);
            var reset = KeyLogEntry.IdentityReset(chain.Next, identityKey);
            chain = await PostAsync([reset, DeviceAdded(Next(chain.Next, reset), identityKey)], limited);
            return await EnterAsync(chain, limited);
        },
        cancellationToken);

    /// <summary>Takes the keys that another device or the PIN has brought, where they are the account's.</summary>
    /// <param name="rootSecret">32 bytes, or none.</param>
    /// <returns>Whether they are, and the device is in the chain now.</returns>
    public async Task<bool> TakeAsync(
        AccountKeys keys, ReadOnlyMemory<byte> rootSecret, CancellationToken cancellationToken)
    {
        var isTaken = await InTurnAsync(
            async limited =>
            {
                using var identityKey = keys.ImportIdentityKey();
                if (await FollowAsync(limited) is not { } chain || !IsInForce(chain, identityKey))
                {
                    return false;
                }

                await UpdateAsync(own => Taken(own, keys, rootSecret), limited);
                return true;
            },
            cancellationToken);
        return isTaken && await EnsureAsync(cancellationToken);
    }

    /// <summary>An approval that came for this device; anything else is passed over.</summary>
    public async Task<bool> TakeApprovalAsync(byte[] message, CancellationToken cancellationToken)
    {
        var own = await ReadAsync(cancellationToken);
        if (own.ApprovalKey is not { } privateKey)
        {
            return false;
        }

        var root = new byte[KeySize];
        try
        {
            if (!SealedApproval.TryOpen(
                message, core.Device.Account.Id, core.Device.Device, privateKey, root, out var hasRoot, out var keys))
            {
                return false;
            }

            using (keys)
            {
                return await TakeAsync(keys, hasRoot ? root : default(ReadOnlyMemory<byte>), cancellationToken);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(root);
            CryptographicOperations.ZeroMemory(privateKey);
        }
    }

    /// <summary>Seals the account's keys for a device that shows a code.</summary>
    /// <exception cref="ChatPayException">
    /// <c>device_not_approved</c>: this device has not the key in force itself; the code is none.
    /// </exception>
    public async Task<byte[]> ApprovalAsync(ApprovalCode code, CancellationToken cancellationToken)
    {
        var own = await ReadAsync(cancellationToken);
        if (own.IdentitySeed is not { } seed || !IsInForce(own))
        {
            throw NotApproved();
        }

        using var keys = AccountKeys.Of(seed, own.ArchiveKey);
        var approval = SealedApproval.Seal(code, keys, own.RootSecret, GroupKeeper.Random)
            ?? throw LocalErrors.CodeInvalid("The code holds a key that is none.");
        await UpdateAsync(
            now => now with
            {
                Approvals = [.. Lasting(now).TakeLast(ApprovedKept - 1), new(code.Device, core.Time.GetUtcNow())],
            },
            cancellationToken);
        return approval;
    }

    /// <summary>A root secret that this device has and did not get with the keys wraps another key until now.</summary>
    private static OwnKeysRecord Taken(OwnKeysRecord own, AccountKeys keys, ReadOnlyMemory<byte> rootSecret) => own with
    {
        IdentitySeed = keys.IdentitySeed.ToArray(),
        RootSecret = rootSecret.IsEmpty ? own.RootSecret : rootSecret.ToArray(),
        ArchiveKey = keys.ArchiveKey.IsEmpty ? own.ArchiveKey : keys.ArchiveKey.ToArray(),
        ApprovalKey = null,
        NextSeed = null,
        WrapDue = own.WrapDue || (rootSecret.IsEmpty && own.RootSecret is not null),
    };

    private IEnumerable<GivenApproval> Lasting(OwnKeysRecord own) =>
        (own.Approvals ?? []).Where(one => core.Time.GetUtcNow() - one.At < s_approvalLasts);

    private Task<OwnKeysRecord> AskForApprovalAsync(CancellationToken cancellationToken) => UpdateAsync(
        static own => own.ApprovalKey is null
            ? own with { ApprovalKey = RandomNumberGenerator.GetBytes(KeySize) } : own,
        cancellationToken);
}
