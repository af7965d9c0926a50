using ChatPay.Core.Protocol;
using Microsoft.Extensions.Caching.Memory;

namespace ChatPay.Server.Accounts;

/// <summary>
/// The signature keys of devices, for whoever checks what a device signed. A device's key never changes, so what was read once
/// is kept; whether the device may still speak for its account is another question, asked where something is decided.
/// </summary>
internal sealed class DeviceSignatureKeys(DeviceStore devices) : IDisposable
{
    private const int Kept = 100_000;

    private readonly MemoryCache _keys = new(new MemoryCacheOptions { SizeLimit = Kept });

    /// <returns>Ed25519, 32 bytes; null where there is no such device.</returns>
    public async ValueTask<byte[]?> FindAsync(DeviceId device, CancellationToken cancellationToken)
    {
        if (_keys.TryGetValue(device, out byte[]? known))
        {
            return known;
        }

        var row = await devices.GetAsync(device, cancellationToken);
        return row is null
            ? null
            : _keys.Set(device, row.SignatureKey, new MemoryCacheEntryOptions { Size = 1 });
    }

    public void Dispose() => _keys.Dispose();
}
