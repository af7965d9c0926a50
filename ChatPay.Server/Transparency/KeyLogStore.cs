using ChatPay.Core.Transparency;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Transparency;

/// <summary>The key log, which takes in the entries of accounts' chains.</summary>
internal sealed class KeyLogStore(NpgsqlDataSource dataSource)
    : LogStore(dataSource, LogDefinition.Keys, new KeyLogIntake())
{
    private sealed class KeyLogIntake : LogIntake
    {
        private readonly List<long> _positions = [];
        private readonly List<byte[]> _leaves = [];

        public override int LeavesPerRound => 1024;

        public override async Task<IReadOnlyList<byte[]>> FindAsync(
            NpgsqlConnection connection, int number, CancellationToken cancellationToken)
        {
            await using var command = new NpgsqlCommand(
                """
                select position, entry, salt from key_entry where leaf_index is null order by position limit $1
                """,
                connection);
            command.Add(LeavesPerRound);
            _positions.Clear();
            _leaves.Clear();
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            while (await row.ReadAsync(cancellationToken))
            {
                var position = row.GetInt64(0);
                _positions.Add(position);
                _leaves.Add(KeyLogEntry.TryRead(row.GetFieldValue<byte[]>(1), out var entry, out var rejection)
                    ? entry.Leaf(row.GetFieldValue<byte[]>(2))
                    : throw new InvalidOperationException($"The stored entry {position} is none: {rejection}."));
            }

            return _leaves;
        }

        public override void AddTake(NpgsqlBatch batch, long firstIndex)
        {
            var indices = Enumerable.Range(0, _leaves.Count).Select(i => firstIndex + i).ToArray();
            batch.Add(
                """
                update key_entry e set leaf_index = v.leaf_index
                from unnest($1::bigint[], $2::bigint[]) as v (position, leaf_index)
                where e.position = v.position and e.leaf_index is null
                """,
                _positions.ToArray(), indices);
            batch.Add(
                "insert into key_log_leaf (index, leaf) select * from unnest($1::bigint[], $2::bytea[])",
                indices, _leaves.ToArray());
        }

        public override void AddRenew(NpgsqlBatch batch) =>
            batch.Add("update key_entry set leaf_index = null where leaf_index is not null");

        public override bool Taken() => _leaves.Count == LeavesPerRound;
    }
}
