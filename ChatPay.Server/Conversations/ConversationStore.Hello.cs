using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using ChatPay.Server.KeyPackages;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.Conversations;

/// <summary>What a device that says Hello has to know, as it was at one moment.</summary>
internal sealed record Arrival(
    IReadOnlyList<Membership> Memberships, int DeviceMessagesWaiting, int KeyPackagesLeft,
    IReadOnlyList<Cursor> ReadElsewhere);

internal sealed partial class ConversationStore
{
    /// <summary>
    /// All conversations the account is in with their heads, and what waits for the device. One round trip: after the loss
    /// of a node thousands ask at once.
    /// </summary>
    public async Task<Arrival> ArriveAsync(Caller caller, CancellationToken cancellationToken)
    {
        var (account, device) = caller;
        await using var batch = dataSource.CreateBatch();
        batch.Add(
            """
            select c.id, m.joined_seq, c.head from member m join conversation c on c.id = m.conversation_id
            where m.account_id = $1 and m.left_seq is null
            """,
            account.Value);
        DeviceMessageStore.AddCount(batch, device);
        KeyPackageStock.AddLeft(batch, device);
        batch.Add(
            """
            select r.conversation_id, max(r.read) from receipt r
            join member m on m.conversation_id = r.conversation_id and m.account_id = r.account_id and m.left_seq is null
            where r.account_id = $1
            group by r.conversation_id
            having max(r.read) > coalesce(max(r.read) filter (where r.device_id = $2), 0)
            """,
            account.Value, device.Value);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var memberships = new List<Membership>();
        while (await reader.ReadAsync(cancellationToken))
        {
            memberships.Add(new(new(reader.GetGuid(0)), account, reader.GetInt64(1), null, reader.GetInt64(2)));
        }

        var (waiting, left) = (await NextAsync(), await NextAsync());
        await reader.NextResultAsync(cancellationToken);
        var read = new List<Cursor>();
        while (await reader.ReadAsync(cancellationToken))
        {
            read.Add(new(new(reader.GetGuid(0)), reader.GetInt64(1)));
        }

        return new(memberships, waiting, left, read);

        async Task<int> NextAsync()
        {
            await reader.NextResultAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            return reader.GetInt32(0);
        }
    }
}
