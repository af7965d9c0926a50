using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>What tests of the archive do time and again, at a server whose database they look into.</summary>
internal sealed class ArchiveDesk(Uri address, NpgsqlDataSource database)
{
    public const string Pin = "480279";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Somebody with a PIN who keeps an archive.</summary>
    /// <param name="store">Its own, where it may die; then nobody receives from it.</param>
    public async Task<SdkPerson> KeepAsync(IDeviceStore? store = null)
    {
        var person = await SdkPerson.OpenAsync(
            address, store ?? new MemoryStore(), SdkPerson.NewHandle(), receives: store is null);
        await person.Device.SetPinAsync(Pin, Cancellation);
        await person.Device.TurnOnArchiveAsync(Cancellation);
        return person;
    }

    /// <summary>A new device of an account that has nothing but the PIN.</summary>
    public async Task<ChatPayDevice> RecoverAsync(string handle, string pin = Pin)
    {
        var device = await SdkPerson.NewDeviceAsync(address, handle);
        await device.RecoverAsync(pin, Cancellation);
        return device;
    }

    public static async Task<List<ArchiveEntry>> ReadAsync(ChatPayDevice device) =>
        await device.ReadArchiveAsync(Cancellation).ToListAsync(Cancellation);

    /// <summary>Texts in the order of their log, and nothing damaged.</summary>
    public static async Task<IReadOnlyList<string>> TextsAsync(ChatPayDevice device)
    {
        var entries = await ReadAsync(device);
        Assert.Empty(entries.OfType<ArchiveDamage>());
        return [.. entries.OfType<ArchivedText>().OrderBy(text => text.Seq).Select(text => text.Text)];
    }

    public static Task ArchivedAsync(ChatPayDevice device, params IReadOnlyList<string> texts) => Eventually.TrueAsync(
        async () => (await TextsAsync(device)).SequenceEqual(texts, StringComparer.Ordinal),
        $"archived are {string.Join(", ", texts)}");

    /// <summary>Chunks of a device, as the server says.</summary>
    public static async Task<long> ChunksAsync(ChatPayDevice device) =>
        (await device.Client.ArchiveAsync(Cancellation)).Streams
            .FirstOrDefault(stream => stream.Device == device.Id)?.Chunks ?? 0;

    public static Task HasChunksAsync(ChatPayDevice device, long chunks) => Eventually.TrueAsync(
        async () => await ChunksAsync(device) >= chunks, $"there are {chunks} chunks");

    public async Task<long> CountAsync(AccountId account, string table)
    {
        await using var command = database.CreateCommand($"select count(*) from {table} where account_id = '{account}'");
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    /// <summary>In how many of the account's chunks some text stands as it is.</summary>
    public async Task<long> FindAsync(AccountId account, string text)
    {
        await using var command = database.CreateCommand(
            $"select count(*) from archive_chunk where account_id = '{account}' and position($1::bytea in sealed) > 0");
        command.Parameters.Add(new NpgsqlParameter { Value = System.Text.Encoding.UTF8.GetBytes(text) });
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
