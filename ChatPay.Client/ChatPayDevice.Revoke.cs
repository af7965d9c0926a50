using ChatPay.Client.Internal;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;

namespace ChatPay.Client;

/// <content>Revoking another device of the account.</content>
public sealed partial class ChatPayDevice
{
    /// <summary>
    /// Revokes another device of the account, for good: in the account's keys, so that nobody takes it for one of the account's,
    /// and at the server, which ends its sessions and has its leaves removed from all groups. Each half is tried whatever
    /// becomes of the other one, and calling it again does what is left.
    /// </summary>
    /// <param name="device">Another one; <see cref="SignOutAsync"/> is for this one.</param>
    /// <returns>What was done; no half of it has failed.</returns>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.RevokedInPart"/>: one half is done or was, and the other is not; <c>device_unknown</c>: there is
    /// none; the server cannot be reached, among others: neither half is done.
    /// </exception>
    /// <example>
    /// <code>await device.RevokeAsync(lostPhone.Id, cancellationToken);</code>
    /// </example>
    public async Task<DeviceRevocation> RevokeAsync(DeviceId device, CancellationToken cancellationToken)
    {
        // A lost device is put out even where the key log cannot be gone on with.
        var (chain, unlogged) = await TryHalfAsync(() => RevokeInChainAsync(device, cancellationToken));
        var (session, unended) = await TryHalfAsync(async () =>
        {
            await Client.RevokeDeviceAsync(device, cancellationToken);
            return RevocationHalf.Done;
        });
        var done = new DeviceRevocation(chain, session);
        var failures = new[] { unlogged, unended }.OfType<ChatPayException>().ToList();
        if (failures.Find(static one => one.EndsDevice) is { } ended)
        {
            throw ended;
        }

        var isInKeys = chain is RevocationHalf.NotApproved or RevocationHalf.Failed;
        return (isInKeys, session) switch
        {
            (true, RevocationHalf.Failed) => throw unended!,
            (true, _) or (false, RevocationHalf.Failed) => throw LocalErrors.RevokedInPart(
                device, done, failures.Find(one => session != RevocationHalf.NotThere || one != unended)),
            (_, RevocationHalf.NotThere) when chain == RevocationHalf.NotThere => throw unended!,
            _ => done,
        };
    }

    private static async Task<(RevocationHalf Half, ChatPayException? Failure)> TryHalfAsync(Func<Task<RevocationHalf>> half)
    {
        try
        {
            return (await half(), null);
        }
        catch (ChatPayException failed)
        {
            return (failed.Code switch
            {
                ErrorCode.DeviceUnknown => RevocationHalf.NotThere,
                ErrorCode.DeviceNotApproved => RevocationHalf.NotApproved,
                _ => RevocationHalf.Failed,
            }, failed);
        }
    }

    /// <summary>Revokes in the chain what the chain has, so that everybody sees it go.</summary>
    private async Task<RevocationHalf> RevokeInChainAsync(DeviceId device, CancellationToken cancellationToken)
    {
        if (!await _core.Keys.IsApprovedAsync(cancellationToken))
        {
            return _core.Keys.People.ChainOf(_core.Device.Account.Id)?.Devices.ContainsKey(device) == true
                ? RevocationHalf.NotApproved : RevocationHalf.NotThere;
        }

        var isThere = false;
        await _core.Keys.Own.ChangeAsync(
            (chain, identityKey) => (isThere = chain.Devices.ContainsKey(device))
                ? [KeyLogEntry.DeviceRevoked(chain.Next, device, identityKey)] : [],
            cancellationToken);
        return isThere ? RevocationHalf.Done : RevocationHalf.NotThere;
    }
}
