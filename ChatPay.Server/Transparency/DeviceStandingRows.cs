using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using ChatPay.Server.Database.GroupCommit;
using Npgsql;

namespace ChatPay.Server.Transparency;

/// <summary>
/// Whether devices speak for their accounts, in a batch: in the account's chain of the key log and not revoked. They are kept
/// from being revoked until the batch is committed, so nothing is decided by a device whose revocation was answered before.
/// </summary>
internal sealed class DeviceStandingRows : WriteRows
{
    private readonly HashSet<DeviceId> _needed = [];
    private readonly HashSet<(AccountId Account, DeviceId Device)> _standing = [];

    public override int LockOrder => 410;

    public void Need(DeviceId device) => _needed.Add(device);

    public bool IsInChain(AccountId account, DeviceId device) => _needed.Contains(device)
        ? _standing.Contains((account, device))
        : throw new InvalidOperationException("The command did not ask for this device.");

    public override void AddLoads(NpgsqlBatch batch)
    {
        if (_needed.Count > 0)
        {
            batch.Add(
                """
                select account_id, id from device
                where id = any($1) and approved_at is not null and revoked_at is null
                order by id for share
                """,
                _needed.Select(device => device.Value).ToArray());
        }
    }

    public override async Task ReadLoadsAsync(LoadReader reader, CancellationToken cancellationToken)
    {
        if (_needed.Count > 0)
        {
            var rows = await reader.NextAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                _standing.Add((new(rows.GetGuid(0)), new(rows.GetGuid(1))));
            }
        }
    }

    public override void AddWrites(NpgsqlBatch batch)
    {
        // Standing changes by the key log alone.
    }
}

internal sealed class DeviceStandingRowsFactory : IWriteRowsFactory
{
    public WriteRows Create(WriteSet set) => new DeviceStandingRows();
}
