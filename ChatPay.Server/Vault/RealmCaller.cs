using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Vault;

/// <summary>Who asks a realm, and how the realm learns which identity key of the account is in force.</summary>
/// <param name="InForceAsync">Asked where something is to be changed; null is what nobody knows.</param>
internal readonly record struct RealmCaller(Caller Caller, Func<CancellationToken, ValueTask<byte[]?>> InForceAsync)
{
    public AccountId Account => Caller.Account;

    public DeviceId Device => Caller.Device;
}
