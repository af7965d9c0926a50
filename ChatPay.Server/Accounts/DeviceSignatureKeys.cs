using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Accounts;

/// <summary>
/// The signature keys of devices, for whoever checks what a device signed. A device's key never changes, so what was read once
/// is kept; whether the device may still speak for its account is another question, asked where something is decided.
/// </summary>
internal sealed class DeviceSignatureKeys(DeviceStore devices, TimeProvider time)
{
    private const int Kept = 100_000;

    private readonly GenerationCache<DeviceId, byte[]> _keys = new(Timeout.InfiniteTimeSpan, Kept, time);

    /// <returns>Ed25519, 32 bytes; null where there is no such device.</returns>
    public async ValueTask<byte[]?> FindAsync(DeviceId device, CancellationToken cancellationToken)
    {
        if (_keys.TryGet(device, out var known))
        {
            return known;
        }

        if (await devices.GetAsync(device, cancellationToken) is not { } row)
        {
            return null;
        }

        _keys.Set(device, row.SignatureKey);
        return row.SignatureKey;
    }
}
