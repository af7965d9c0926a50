using System.Security.Cryptography;
using ChatPay.Core.Vault;
using ChatPay.Server.Hosting;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>What a realm keeps where, and what happens when a part of it is missing, changed or older than the rest.</summary>
public sealed class RealmHouseTests(PostgresFixture postgres) : IDisposable
{
    private const string Pin = "480279";

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_restart_finds_what_was_registered_and_key_files_are_their_owners_alone()
    {
        var database = await postgres.CreateDatabaseAsync();
        VaultPerson person;
        await using (var server = await StartAsync(database, "keys"))
        {
            person = await RegisteredAsync(server);
        }

        await using var again = await StartAsync(database, "keys");
        using var back = await person.AtAsync(again.Address);
        Assert.True((await back.RecoverAsync(Pin)).IsOk);
        var files = Directory.GetFiles(Path.Combine(_folder.Path, "keys"), "*.key");
        Assert.Equal(6, files.Length);
        if (!OperatingSystem.IsWindows())
        {
            foreach (var file in files)
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }
        }

        Assert.Equal(6, files.Select(File.ReadAllText).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task A_database_without_its_key_files_or_with_others_is_not_served()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using (await StartAsync(database, "keys"))
        {
        }

        Assert.Contains("realm-1.key is missing", await StartupErrorAsync(database, "nothing"), StringComparison.Ordinal);
        Assert.Empty(Directory.Exists(Path.Combine(_folder.Path, "nothing"))
            ? Directory.GetFiles(Path.Combine(_folder.Path, "nothing")) : []);

        await using (await StartAsync(await postgres.CreateDatabaseAsync(), "others"))
        {
        }

        Assert.Contains(
            "belongs to another database", await StartupErrorAsync(database, "others"), StringComparison.Ordinal);
        Assert.Contains(
            "belongs to another database", await StartupErrorAsync(await postgres.CreateDatabaseAsync(), "keys"),
            StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "keys", "realm-2.key"), "nonsense", Cancellation);
        Assert.Contains("no realm key file", await StartupErrorAsync(database, "keys"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restored_backup_locks_its_vaults_until_the_identity_key_registers_anew()
    {
        var database = await postgres.CreateDatabaseAsync();
        VaultPerson person;
        await using (var server = await StartAsync(database, "keys"))
        {
            person = await RegisteredAsync(server);
            Assert.Equal(VaultRejection.WrongPin, (await person.RecoverAsync("480278")).Rejection);
        }

        // As a backup of before would be: all guesses are there again, and it has not come as far as the key files say.
        for (var index = 1; index <= 3; index++)
        {
            await ExecuteAsync(database, index, "update vault_record set used = 0; update realm set beat = 0");
        }

        await using var restored = await StartAsync(database, "keys");
        using var back = await person.AtAsync(restored.Address);
        Assert.Contains("was restored from a backup", restored.Log, StringComparison.Ordinal);
        Assert.Equal(VaultRejection.Locked, (await back.RecoverAsync(Pin)).Rejection);
        using var stranger = TestVault.NewKey(RandomNumberGenerator.Fill);
        Assert.Equal(VaultRejection.SignatureInvalid, (await back.RegisterAsync(Pin, stranger)).Rejection);
        Assert.True((await back.RegisterAsync(Pin)).IsOk);
        Assert.True((await back.RecoverAsync(Pin)).IsOk);
    }

    [Fact]
    public async Task A_backup_that_is_put_back_under_a_running_server_locks_too()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var server = await StartAsync(database, "keys", "1");
        using var person = await RegisteredAsync(server);
        await ExecuteAsync(database, 1, "update realm set beat = 0");
        await ExecuteAsync(database, 2, "update realm set beat = 0");
        await Eventually.TrueAsync(
            async () => (await person.RecoverAsync(Pin)).Rejection == VaultRejection.Locked, "two realms are locked");
    }

    /// <summary>
    /// All three databases without a key: no byte of a registration that a PIN could be tried on stands in them.
    /// </summary>
    [Fact]
    public async Task The_stored_rows_show_nothing_of_a_registration_and_open_with_their_realms_key_only()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var server = await StartAsync(database, "keys");
        using var person = await VaultPerson.SignUpAsync(server.Address);
        var configuration = new RealmConfiguration(
            [await person.RealmAsync(1), await person.RealmAsync(2), await person.RealmAsync(3)], 2);
        using var pin = TestVault.PinOf(Pin);
        using var registration = VaultRegistration.Create(
            new VaultRegistrationPlan(
                person.Account, configuration, TestVault.Cheap, [default, default, default]),
            pin, person.Root, person.IdentityKey, person.IdentityKey, RandomNumberGenerator.Fill);
        foreach (var request in registration.Requests)
        {
            (await person.AskAsync<Register2Response>(request.Index, request)).Dispose();
        }

        for (var index = 1; index <= 3; index++)
        {
            var row = await SealedAsync(database, index, person);
            var request = registration.Requests[index - 1].Encoding.ToArray();
            for (var at = 50; at + 16 <= request.Length; at++)
            {
                // Ids of account, registration and realm stand before; everything after them is hidden.
                Assert.Equal(-1, row.AsSpan().IndexOf(request.AsSpan(at, 16)));
            }

            using var guessed = RealmKey.Import(RandomNumberGenerator.GetBytes(RealmKey.SizeBytes));
            Assert.False(guessed.TryOpen(
                row, configuration.RealmOf(index), person.Account, registration.Context.Version, out _, out var rejection));
            Assert.Equal(VaultRejection.RecordUnreadable, rejection);
        }
    }

    private static async Task<VaultPerson> RegisteredAsync(TestServer server)
    {
        var person = await VaultPerson.SignUpAsync(server.Address);
        Assert.True((await person.RegisterAsync(Pin)).IsOk);
        return person;
    }

    private static async Task<byte[]> SealedAsync(string database, int index, VaultPerson person)
    {
        await using var source = Open(database, index);
        await using var command = source.CreateCommand("select sealed from vault_record where account_id = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = person.Account.Value });
        return (byte[])(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private static async Task ExecuteAsync(string database, int index, string sql)
    {
        await using var source = Open(database, index);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static NpgsqlDataSource Open(string database, int index) => NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(database) { SearchPath = $"realm_{index}", Pooling = false });

    private Task<TestServer> StartAsync(string database, string folder, string beatSeconds = "3600") => TestServer.StartAsync(
        database, new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Vault:KeyFolder"] = Path.Combine(_folder.Path, folder),
            ["Vault:BeatSeconds"] = beatSeconds,
        });

    private async Task<string> StartupErrorAsync(string database, string folder) =>
        (await Assert.ThrowsAsync<StartupException>(() => StartAsync(database, folder))).Message;
}
