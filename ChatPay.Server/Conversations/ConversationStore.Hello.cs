using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using ChatPay.Server.KeyPackages;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.Conversations;

/// <summary>What a device that says Hello has to know, as it was at one moment.</summary>
internal sealed record Arrival(IReadOnlyList<Membership> Memberships, int DeviceMessagesWaiting, int KeyPackagesLeft);

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
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var memberships = new List<Membership>();
        while (await reader.ReadAsync(cancellationToken))
        {
            memberships.Add(new(new(reader.GetGuid(0)), account, reader.GetInt64(1), null, reader.GetInt64(2)));
        }

        return new(memberships, await NextAsync(), await NextAsync());

        async Task<int> NextAsync()
        {
            await reader.NextResultAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            return reader.GetInt32(0);
        }
    }
}
