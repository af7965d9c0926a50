using System.Globalization;
using ChatPay.Core.Protocol;
using Npgsql;
using NpgsqlTypes;

namespace ChatPay.LoadTest.Database;

/// <summary>Adds accounts of people who cannot sign in: the owners of the wallets that money goes between.</summary>
internal static class PeopleStore
{
    public static async Task AddAsync(
        NpgsqlDataSource dataSource, IReadOnlyList<AccountId> people, CancellationToken cancellationToken)
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var import = await connection.BeginBinaryImportAsync(
            "copy account (id, handle, skeleton, display_name, password_hash, opened_at) from stdin (format binary)",
            cancellationToken);
        foreach (var person in people)
        {
            // As long as handles may be, and hexadecimal: no two look alike.
            var handle = string.Create(CultureInfo.InvariantCulture, $"{person.Value:N}");
            await import.StartRowAsync(cancellationToken);
            await import.WriteAsync(person.Value, NpgsqlDbType.Uuid, cancellationToken);
            await import.WriteAsync(handle, NpgsqlDbType.Text, cancellationToken);
            await import.WriteAsync(handle, NpgsqlDbType.Text, cancellationToken);
            await import.WriteAsync("Load test", NpgsqlDbType.Text, cancellationToken);
            await import.WriteAsync("", NpgsqlDbType.Text, cancellationToken);

            // Their wallets are opened here, so the server is not to look after them as well.
            await import.WriteAsync(now, NpgsqlDbType.TimestampTz, cancellationToken);
        }

        await import.CompleteAsync(cancellationToken);
    }
}
