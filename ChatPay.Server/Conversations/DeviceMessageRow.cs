using ChatPay.Core.Protocol;
using Npgsql;

namespace ChatPay.Server.Conversations;

/// <summary>A device message as its table has it.</summary>
internal static class DeviceMessageRow
{
    public const string Columns = "id, kind, conversation_id, seq, body, created_at, from_account, from_device, client_id";

    /// <summary>Reads <see cref="Columns"/>, which come first in the row.</summary>
    public static DeviceMessage Read(NpgsqlDataReader row) => new(
        row.GetGuid(0), (DeviceMessageKind)row.GetInt16(1), row.IsDBNull(2) ? null : new ConversationId(row.GetGuid(2)),
        row.GetInt64(3), row.GetFieldValue<byte[]>(4), row.GetFieldValue<DateTimeOffset>(5),
        row.IsDBNull(6) ? null : new AccountId(row.GetGuid(6)), row.IsDBNull(7) ? null : new DeviceId(row.GetGuid(7)),
        row.IsDBNull(8) ? null : new ClientMessageId(row.GetGuid(8)));
}
