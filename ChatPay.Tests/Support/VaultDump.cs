using System.Buffers.Text;
using System.Globalization;
using System.Text;
using ChatPay.Core.Identity;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>One value of one row, as bytes.</summary>
internal sealed record DumpedValue(string Place, byte[] Bytes);

/// <summary>
/// What somebody has who has copied a whole database: every value of every table in every schema, the server's and all
/// realms', and no file beside it.
/// </summary>
internal sealed class VaultDump
{
    private readonly List<DumpedValue> _values = [];
    private readonly Dictionary<(int Realm, Guid Account), (Guid Id, Guid Version, byte[] Sealed)> _rows = [];

    public IReadOnlyList<DumpedValue> Values => _values;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<VaultDump> ReadAsync(NpgsqlDataSource owner)
    {
        var dump = new VaultDump();
        var tables = new List<string>();
        await using (var command = owner.CreateCommand(
            """
            select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p', 'm', 'S') and n.nspname !~ '^(pg_|information_schema)' order by 1
            """))
        {
            await using var reader = await command.ExecuteReaderAsync(Cancellation);
            while (await reader.ReadAsync(Cancellation))
            {
                tables.Add(reader.GetString(0));
            }
        }

        foreach (var table in tables)
        {
            await dump.AddAsync(owner, table);
        }

        for (var realm = 1; realm <= 3; realm++)
        {
            await dump.AddRowsAsync(owner, realm);
        }

        return dump;
    }

    /// <summary>An account's row at a realm.</summary>
    public (RealmId Realm, RegistrationVersion Version, byte[] Sealed) Row(int realm, AccountId account)
    {
        var (id, version, sealedRow) = _rows[(realm, account.Value)];
        return (new RealmId(id), new RegistrationVersion(version), sealedRow);
    }

    /// <summary>What a key makes of an account's row; the caller disposes of it.</summary>
    public RealmRecord? Open(int realm, AccountId account, RealmKey key)
    {
        var (id, version, sealedRow) = Row(realm, account);
        return key.TryOpen(sealedRow, id, account, version, out var record, out _) ? record : null;
    }

    /// <summary>What something makes of an account's wrapped keys as its root secret; the caller disposes of it.</summary>
    public AccountKeys? Unwrap(AccountId account, byte[] root)
    {
        foreach (var value in _values.Where(value => value.Place == "public.wrapped_keys.wrapped"))
        {
            if (AccountKeys.TryUnwrap(value.Bytes, account, root, out var keys))
            {
                return keys;
            }
        }

        return null;
    }

    /// <summary>
    /// Where a secret stands, whole or its first half, as bytes or written in hexadecimal or base64 of either kind.
    /// </summary>
    public static IReadOnlyList<string> Find(IEnumerable<DumpedValue> values, ReadOnlySpan<byte> secret)
    {
        var half = secret[..Math.Max(8, secret.Length / 2)];
        byte[][] forms =
        [
            half.ToArray(), Encoding.ASCII.GetBytes(Convert.ToHexStringLower(half)),
            Encoding.ASCII.GetBytes(Convert.ToHexString(half)),

            // In groups of three bytes, so that no character depends on what follows.
            Encoding.ASCII.GetBytes(Convert.ToBase64String(half[..(half.Length / 3 * 3)])),
            Encoding.ASCII.GetBytes(Base64Url.EncodeToString(half[..(half.Length / 3 * 3)])),
        ];
        return [.. values.Where(value => forms.Any(form => value.Bytes.AsSpan().IndexOf(form) >= 0))
            .Select(value => value.Place)];
    }

    private async Task AddAsync(NpgsqlDataSource owner, string table)
    {
        await using var command = owner.CreateCommand($"select * from {table}");
        command.AllResultTypesAreUnknown = false;
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        while (await reader.ReadAsync(Cancellation))
        {
            for (var column = 0; column < reader.FieldCount; column++)
            {
                if (!await reader.IsDBNullAsync(column, Cancellation))
                {
                    Add($"{table}.{reader.GetName(column)}", reader.GetValue(column));
                }
            }
        }
    }

    private void Add(string place, object value)
    {
        switch (value)
        {
            case byte[] bytes:
                _values.Add(new DumpedValue(place, bytes));
                break;
            case Guid id:
                _values.Add(new DumpedValue(place, id.ToByteArray(bigEndian: true)));
                break;
            case Array list:
                foreach (var element in list)
                {
                    Add(place, element!);
                }

                break;
            default:
                _values.Add(new DumpedValue(
                    place, Encoding.UTF8.GetBytes(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")));
                break;
        }
    }

    private async Task AddRowsAsync(NpgsqlDataSource owner, int realm)
    {
        await using var command = owner.CreateCommand(
            $"""
            select v.account_id, r.id, v.version, v.sealed from realm_{realm}.vault_record v, realm_{realm}.realm r
            where v.sealed is not null
            """);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        while (await reader.ReadAsync(Cancellation))
        {
            var row = await reader.GetFieldValueAsync<byte[]>(3, Cancellation);
            _rows.Add((realm, reader.GetGuid(0)), (reader.GetGuid(1), reader.GetGuid(2), row));
        }
    }
}
