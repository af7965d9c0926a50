using Npgsql;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>Sets the key log's tables back to what a backup of an earlier moment has.</summary>
internal static class KeyLogBackup
{
    /// <param name="leaves">What the log had then, 1 to 256: later entries are lost.</param>
    public static async Task RestoreAsync(string database, int leaves)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(
            $"""
            begin;
            delete from key_entry where leaf_index >= {leaves};
            delete from key_chain c where not exists (select from key_entry e where e.account_id = c.account_id);
            update key_chain c set length = e.sequence + 1, head = sha256('chatpay key log v1 entry'::bytea || e.entry)
            from key_entry e
            where e.account_id = c.account_id
                and e.sequence = (select max(sequence) from key_entry where account_id = c.account_id);
            update device d set approved_at = null where not exists (
                select from key_entry e
                where e.account_id = d.account_id and get_byte(e.entry, 1) = 3
                    and substring(e.entry from 59 for 16) = uuid_send(d.id));
            delete from key_log_leaf where index >= {leaves};
            update key_log_tile set hashes = substring(hashes for {leaves * 32});
            update key_log set size = {leaves};
            commit;
            """);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
