using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;
using Npgsql;

namespace ChatPay.Server.KeyPackages;

/// <summary>What other features may ask of the stock, and how a device learns that it runs low.</summary>
internal sealed class KeyPackageStock(Fanout fanout)
{
    /// <summary>
    /// Asks in somebody else's batch how many one-time key packages the device has left; the first column of the answer.
    /// For its Hello.
    /// </summary>
    public static void AddLeft(NpgsqlBatch batch, DeviceId device) => KeyPackageStore.AddCount(batch, device);

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
