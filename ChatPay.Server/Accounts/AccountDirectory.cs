using ChatPay.Core.Accounts;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Accounts;

/// <summary>A device that is not revoked.</summary>
internal sealed record LiveDevice(AccountId Account, DeviceId Device, byte[] SignatureKey);

/// <param name="Revoked">Whether it is revoked, which is for good.</param>
internal sealed record KnownDevice(AccountId Account, DeviceId Device, byte[] SignatureKey, bool Revoked);

/// <summary>
/// Who is who, for the other features: names by id and by handle, devices by account. Names are remembered for some seconds,
/// so a changed display name shows everywhere soon; devices are read each time, because others trust them.
/// </summary>
internal sealed class AccountDirectory(
    AccountStore accounts, DeviceStore devices, IOptions<AccountOptions> options, TimeProvider time)
{
    private readonly GenerationCache<AccountId, AccountView> _byId = new(
        TimeSpan.FromMilliseconds(options.Value.DirectoryCacheMs), options.Value.DirectoryCacheCapacity, time);

    /// <summary>The accounts that exist, by id; the others are left out.</summary>
    public async Task<IReadOnlyDictionary<AccountId, AccountView>> GetAsync(
        IReadOnlyCollection<AccountId> ids, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var found = new Dictionary<AccountId, AccountView>(ids.Count);
        var missing = new List<Guid>();
        foreach (var id in ids)
        {
            if (_byId.TryGet(id, out var known))
            {
                found[id] = known;
            }
            else
            {
                missing.Add(id.Value);
            }
        }

        if (missing.Count > 0)
        {
            foreach (var row in await accounts.GetAsync([.. missing], cancellationToken))
            {
                found[row.View.Id] = row.View;
                _byId.Set(row.View.Id, row.View);
            }
        }

        return found;
    }

    public async Task<AccountView?> FindAsync(AccountId id, CancellationToken cancellationToken) =>
        (await GetAsync([id], cancellationToken)).GetValueOrDefault(id);

    /// <summary>The account with exactly this handle, which may have an <c>@</c> before it.</summary>
    public async Task<Result<AccountView>> FindByHandleAsync(string handle, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(handle);
        var bare = handle.StartsWith('@') ? handle[1..] : handle;
        if (Handles.CheckForm(bare) is { } error)
        {
            return error;
        }

        var row = await accounts.FindByHandleAsync(bare, cancellationToken);
        return row is null ? AccountErrors.AccountUnknown : row.View;
    }

    /// <summary>All devices of the accounts that are not revoked, oldest first within an account.</summary>
    public async Task<IReadOnlyList<LiveDevice>> LiveDevicesAsync(
        IReadOnlyCollection<AccountId> ids, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var rows = await devices.LiveAsync([.. ids.Select(id => id.Value)], cancellationToken);
        return [.. rows.Select(row => new LiveDevice(new(row.AccountId), new(row.Id), row.SignatureKey))];
    }

    /// <summary>The device, revoked or not; null if there is none.</summary>
    public async Task<KnownDevice?> GetDeviceAsync(DeviceId device, CancellationToken cancellationToken) =>
        await devices.GetAsync(device, cancellationToken) is { } row
            ? new KnownDevice(new(row.AccountId), new(row.Id), row.SignatureKey, row.RevokedAt is not null)
            : null;

    /// <summary>Forgets a name, after it was changed.</summary>
    public void Forget(AccountId account) => _byId.Remove(account);
}
