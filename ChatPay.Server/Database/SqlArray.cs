using Npgsql;
using NpgsqlTypes;

namespace ChatPay.Server.Database;

internal static class SqlArray
{
    /// <summary>An array of a reference type with nulls in it, which needs its type said.</summary>
    public static NpgsqlParameter Nullable<T>(IEnumerable<T?> values, NpgsqlDbType type)
        where T : class => new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type };
}
