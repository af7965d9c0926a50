using ChatPay.Core.Conversations;
using ChatPay.Server.Database;
using Npgsql;
using NpgsqlTypes;

namespace ChatPay.Server.Conversations;

internal sealed partial class ConversationRows
{
    public override void AddWrites(NpgsqlBatch batch)
    {
        if (!_follows)
        {
            AddTrusted(batch);
        }

        AddConversations(batch);
        AddEvents(batch);
        AddMembers(batch);
        AddLeaves(batch);
        AddGroupInfos(batch);
        AddWelcomes(batch);
    }

    private void AddConversations(NpgsqlBatch batch)
    {
        if (_created.Count > 0)
        {
            var pairs = _directs.ToDictionary(entry => entry.Value, entry => entry.Key);
            ConversationState[] created = [.. _created.Select(id => _found[id])];
            batch.Add("""
                insert into conversation (id, kind, direct_low, direct_high, head, epoch, created_at)
                select * from unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[],
                    $7::timestamptz[])
                """,
                created.Select(state => state.Id.Value).ToArray(),
                created.Select(state => (short)state.Kind).ToArray(),
                created.Select(state => pairs.TryGetValue(state.Id, out var pair) ? pair.Low.Value : (Guid?)null).ToArray(),
                created.Select(state => pairs.TryGetValue(state.Id, out var pair) ? pair.High.Value : (Guid?)null).ToArray(),
                created.Select(state => state.Head).ToArray(),
                created.Select(state => state.Epoch).ToArray(),
                created.Select(state => state.CreatedAt).ToArray());
        }

        ConversationState[] changed =
        [
            .. _found.Values.Where(
                state => state.IsChanged && !_created.Contains(state.Id) && !_trusted.ContainsKey(state.Id)),
        ];
        if (changed.Length > 0)
        {
            batch.Add("""
                update conversation c set head = u.head, epoch = u.epoch
                from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as u (id, head, epoch)
                where c.id = u.id
                """,
                changed.Select(state => state.Id.Value).ToArray(),
                changed.Select(state => state.Head).ToArray(),
                changed.Select(state => state.Epoch).ToArray());
        }

        ConversationState[] kept = [.. _found.Values.Where(state => state.NewRetention is not null)];
        if (kept.Length > 0)
        {
            batch.Add("""
                update conversation c set retention_days = u.days
                from unnest($1::uuid[], $2::smallint[]) as u (id, days) where c.id = u.id
                """,
                kept.Select(state => state.Id.Value).ToArray(),
                kept.Select(state => (short)(state.NewRetention!.Days ?? 0)).ToArray());
        }
    }

    private void AddEvents(NpgsqlBatch batch)
    {
        if (_appended.Count == 0)
        {
            return;
        }

        batch.Add("""
            insert into event (conversation_id, seq, kind, account_id, device_id, client_id, epoch, body, card_id, data,
                created_at)
            select conversation_id, seq, kind, account_id, device_id, client_id, epoch, body, card_id, data,
                created_at
            from unnest($1::uuid[], $2::bigint[], $3::smallint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::bigint[],
                $8::bytea[], $9::uuid[], $10::text[], $11::timestamptz[])
                as e (conversation_id, seq, kind, account_id, device_id, client_id, epoch, body, card_id, data, created_at)
            """,
            _appended.Select(e => e.Conversation.Value).ToArray(),
            _appended.Select(e => e.Seq).ToArray(),
            _appended.Select(e => (short)e.Kind).ToArray(),
            _appended.Select(e => e.Account?.Value).ToArray(),
            _appended.Select(e => e.Device?.Value).ToArray(),
            _appended.Select(e => e.ClientId?.Value).ToArray(),
            _appended.Select(e => e.Epoch).ToArray(),
            SqlArray.Nullable(_appended.Select(e => e.Body), NpgsqlDbType.Bytea),
            _appended.Select(e => e.Card?.Id.Value).ToArray(),
            SqlArray.Nullable(_appended.Select(EventRow.DataOf), NpgsqlDbType.Text),
            _appended.Select(e => e.At).ToArray());
    }

    private void AddMembers(NpgsqlBatch batch)
    {
        var changed = _found.Values
            .SelectMany(state => state.ChangedMembers, (state, account) => (state.Id, Row: state.Find(account)!))
            .ToArray();
        if (changed.Length == 0)
        {
            return;
        }

        batch.Add("""
            insert into member (conversation_id, account_id, role, joined_seq, left_seq)
            select * from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::bigint[], $5::bigint[])
            on conflict (conversation_id, account_id)
            do update set role = excluded.role, joined_seq = excluded.joined_seq, left_seq = excluded.left_seq,
                changed_xid = excluded.changed_xid
            """,
            changed.Select(member => member.Id.Value).ToArray(),
            changed.Select(member => member.Row.Account.Value).ToArray(),
            changed.Select(member => (short)member.Row.Role).ToArray(),
            changed.Select(member => member.Row.JoinedSeq).ToArray(),
            changed.Select(member => member.Row.LeftSeq).ToArray());
    }

    private void AddLeaves(NpgsqlBatch batch)
    {
        var touched = _found.Values
            .SelectMany(state => state.ChangedLeaves, (state, index) => (state.Id, Index: index, Row: state.LeafAt(index)))
            .ToArray();
        if (touched.Length == 0)
        {
            return;
        }

        // First away with all that changed: a device may have moved to another leaf.
        batch.Add("""
            delete from leaf l using unnest($1::uuid[], $2::integer[]) as k (conversation_id, leaf_index)
            where l.conversation_id = k.conversation_id and l.leaf_index = k.leaf_index
            """,
            touched.Select(leaf => leaf.Id.Value).ToArray(),
            touched.Select(leaf => leaf.Index).ToArray());
        var present = touched.Where(leaf => leaf.Row is not null).ToArray();
        if (present.Length > 0)
        {
            batch.Add("""
                insert into leaf (conversation_id, leaf_index, device_id, account_id, added_seq, pending)
                select * from unnest($1::uuid[], $2::integer[], $3::uuid[], $4::uuid[], $5::bigint[], $6::boolean[])
                """,
                present.Select(leaf => leaf.Id.Value).ToArray(),
                present.Select(leaf => leaf.Index).ToArray(),
                present.Select(leaf => leaf.Row!.Device.Value).ToArray(),
                present.Select(leaf => leaf.Row!.Account.Value).ToArray(),
                present.Select(leaf => leaf.Row!.AddedSeq).ToArray(),
                present.Select(leaf => leaf.Row!.Pending).ToArray());
        }
    }

    private void AddGroupInfos(NpgsqlBatch batch)
    {
        if (_groupInfos.Count == 0)
        {
            return;
        }

        // Nobody joins an epoch that is over, so only the newest is kept.
        batch.Add("delete from group_info where conversation_id = any($1)",
            _groupInfos.Select(row => row.Conversation.Value).ToArray());
        batch.Add("""
            insert into group_info (conversation_id, epoch, seq, body)
            select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bytea[])
            """,
            _groupInfos.Select(row => row.Conversation.Value).ToArray(),
            _groupInfos.Select(row => row.Epoch).ToArray(),
            _groupInfos.Select(row => row.Seq).ToArray(),
            _groupInfos.Select(row => row.Body).ToArray());
    }

    private void AddWelcomes(NpgsqlBatch batch)
    {
        if (_welcomes.Count == 0)
        {
            return;
        }

        // One Welcome per device and conversation bounds the queue of a device that never comes back.
        batch.Add("""
            delete from device_message m using unnest($1::uuid[], $2::uuid[]) as k (device_id, conversation_id)
            where m.device_id = k.device_id and m.conversation_id = k.conversation_id
            """,
            _welcomes.Select(row => row.Device.Value).ToArray(),
            _welcomes.Select(row => row.Message.Conversation!.Value.Value).ToArray());
        batch.Add("""
            insert into device_message (id, device_id, kind, conversation_id, seq, body, created_at)
            select * from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::uuid[], $5::bigint[], $6::bytea[],
                $7::timestamptz[])
            """,
            _welcomes.Select(row => row.Message.Id).ToArray(),
            _welcomes.Select(row => row.Device.Value).ToArray(),
            _welcomes.Select(row => (short)row.Message.Kind).ToArray(),
            _welcomes.Select(row => row.Message.Conversation!.Value.Value).ToArray(),
            _welcomes.Select(row => row.Message.Seq).ToArray(),
            _welcomes.Select(row => row.Message.Body).ToArray(),
            _welcomes.Select(row => row.Message.At).ToArray());
    }
}
