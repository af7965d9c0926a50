using System.Globalization;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Vault;
using ChatPay.Server.Vault;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>
/// Three realms, each a process of its own with a database and a key of its own, and a server that sends devices there: take
/// it as a class fixture.
/// </summary>
public sealed class RealmTrio(PostgresFixture postgres) : IAsyncLifetime
{
    public const string Page = "https://chat.example";
    public const int Threshold = 2;

    private static readonly string[] s_operators = ["Ana's", "Ben's", "Ana's"];

    private readonly TemporaryFolder _folder = new();
    private readonly List<ServerProcess> _realms = [];
    private readonly List<string> _databases = [];
    private Key? _tokenKey;
    private TestServer? _server;
    private string _database = "";

    public TestServer Server => _server!;

    public IReadOnlyList<ServerProcess> Realms => _realms;

    /// <summary>The server's, to make tokens with that it would not make.</summary>
    internal Key TokenKey => _tokenKey!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _tokenKey = RealmTokenKeyFile.Open(_folder.Path);
        for (var index = 0; index < s_operators.Length; index++)
        {
            var database = await postgres.CreateEmptyDatabaseAsync();
            _databases.Add(database);
            _realms.Add(new ServerProcess(new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Hosting__Role"] = "Realm",
                ["Hosting__AllowedOrigins__0"] = Page,
                ["Vault__BeatSeconds"] = "1",
                ["Database__ConnectionString"] = database,
                ["Realm__TokenKey"] = Convert.ToBase64String(_tokenKey.PublicKey.Export(KeyBlobFormat.RawPublicKey)),
            }));
        }

        await Task.WhenAll(_realms.Select(realm => realm.StartAsync()));
        _database = await postgres.CreateDatabaseAsync();
        _server = await StartServerAsync();
    }

    /// <summary>A server before these realms.</summary>
    /// <param name="addressOf">Where it says that a realm, counted from 0, is; null for where it is.</param>
    internal Task<TestServer> StartServerAsync(
        Func<int, Uri?>? addressOf = null, IIdentityKeys? identities = null)
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Vault:KeyFolder"] = _folder.Path,
            ["Vault:NewsSeconds"] = "1",
            ["Vault:Threshold"] = Threshold.ToString(CultureInfo.InvariantCulture),
        };
        for (var index = 0; index < _realms.Count; index++)
        {
            settings[$"Vault:Realms:{index}:Id"] = RealmAt(index).ToString();
            settings[$"Vault:Realms:{index}:Address"] = (addressOf?.Invoke(index) ?? _realms[index].Address).ToString();
            settings[$"Vault:Realms:{index}:Operator"] = s_operators[index];
        }

        return TestServer.StartAsync(_database, settings, configure: services =>
        {
            if (identities is not null)
            {
                services.AddSingleton(identities);
            }
        });
    }

    /// <summary>The id that the realm has given itself: the second line of its key file.</summary>
    internal RealmId RealmAt(int index) => new(Guid.Parse(
        File.ReadAllLines(Path.Combine(_realms[index].DataFolder, "vault-keys", "realm.key"))[1],
        CultureInfo.InvariantCulture));

    /// <summary>Starts a realm again that was killed, where it was.</summary>
    public Task RestartAsync(int index) => _realms[index].StartAsync(_realms[index].Address.Port);

    /// <summary>A connection of the owner's to the realm's database.</summary>
    internal async Task<NpgsqlConnection> OpenAsync(int index)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_databases[index]) { SearchPath = "realm", Pooling = false }.ConnectionString);
        await connection.OpenAsync(Cancellation);
        return connection;
    }

    /// <summary>What the realm's database says, as its owner; $1 is the person's account.</summary>
    internal async Task<object?> ScalarAsync(int index, VaultPerson person, string sql)
    {
        await using var connection = await OpenAsync(index);
        await using var command = new NpgsqlCommand(sql, connection);
        if (sql.Contains("$1", StringComparison.Ordinal))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = person.Account.Value });
        }

        return await command.ExecuteScalarAsync(Cancellation);
    }

    internal async Task<int> UsedAsync(int index, VaultPerson person) =>
        (short)(await ScalarAsync(index, person, "select used from vault_record where account_id = $1"))!;

    internal async Task<IReadOnlyList<int>> UsedAsync(VaultPerson person) =>
        [await UsedAsync(0, person), await UsedAsync(1, person), await UsedAsync(2, person)];

    internal async Task<VaultPerson> RegisteredAsync(string pin, TestServer? server = null)
    {
        var person = await VaultPerson.SignUpAsync((server ?? Server).Address);
        var step = await person.RegisterAsync(pin);
        Assert.True(step.IsOk, step.Rejection.ToString());
        Assert.Empty(step.Faults);
        return person;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        foreach (var realm in _realms)
        {
            await realm.DisposeAsync();
        }

        _tokenKey?.Dispose();
        _folder.Dispose();
    }
}
