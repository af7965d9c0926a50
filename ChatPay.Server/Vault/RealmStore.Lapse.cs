using ChatPay.Core.Protocol;
using ChatPay.Server.Database;

namespace ChatPay.Server.Vault;

internal sealed partial class RealmStore
{
    /// <summary>
    /// Ends attempts whose time is over as failures: nobody came back with the right tag. Nodes that look at once find each
    /// one once.
    /// </summary>
    /// <param name="since">For how long nobody has looked; what lapsed before then is not looked for.</param>
    public async Task<IReadOnlyList<(AccountId Account, EndedAttempt Attempt)>> LapseAsync(
        TimeSpan since, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(
            $"""
            update vault_attempt set outcome = 2 where outcome = 0 and id in (
                select id from vault_attempt
                where outcome = 0 and at <= now() - {OpenFor} and at > now() - {OpenFor} - $1::interval
                for update skip locked)
            returning account_id, device_id, at
            """,
            since);
        var lapsed = new List<(AccountId, EndedAttempt)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            lapsed.Add((
                new AccountId(reader.GetGuid(0)),
                new EndedAttempt(new DeviceId(reader.GetGuid(1)), reader.GetFieldValue<DateTimeOffset>(2))));
        }

        return lapsed;
    }
}
