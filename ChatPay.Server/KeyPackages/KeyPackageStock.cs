using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.KeyPackages;

/// <summary>What other features may ask of the stock, and how a device learns that it runs low.</summary>
internal sealed class KeyPackageStock(KeyPackageStore store, Fanout fanout)
{
    /// <summary>One-time key packages that the device has left; for its Hello.</summary>
    public async Task<int> LeftAsync(DeviceId device, CancellationToken cancellationToken) =>
        (await store.CountAsync(device, cancellationToken)).OneTime;

    /// <summary>
    /// Tells a device that few are left, if it is connected here; one that is not connected learns it at its next Hello.
    /// </summary>
    public void Taken(DeviceId device, int left)
    {
        if (left < Limits.KeyPackagesLowStock)
        {
            fanout.ToDevice(device, Push.Of(new ControlSignal(ControlKind.KeyPackagesLow)));
        }
    }
}
