using System.Globalization;
using System.Security.Cryptography;
using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Server.Cards;
using ChatPay.Server.Hosting;
using ChatPay.Server.Ledger;
using ChatPay.Tests.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>Somebody with one device.</summary>
internal sealed record WalletHolder(AccountId Account, DeviceId Device)
{
    public CardSigner Signer { get; } = new(Account, Device, TestMls.NewSignatureKey());

    public Caller Caller => new(Account, Device);
}

/// <summary>
/// The server with euros, yen and dinars, and people in conversations, for tests of money below the hub. Its database's
/// clock can be put forward.
/// </summary>
public sealed class MoneyFixture(PostgresFixture postgres) : IAsyncLifetime
{
    private NpgsqlDataSource? _dataSource;
    private TestServer? _server;
    private int _people;
    private TimeSpan _ahead;
    private DateTimeOffset? _stopped;

    public string ConnectionString { get; private set; } = "";

    public TestServer Server => _server!;

    /// <summary>The owner's way in, who may what the server may not: tamper.</summary>
    public NpgsqlDataSource DataSource => _dataSource!;

    public static IReadOnlyDictionary<string, string?> Settings { get; } = new Dictionary<string, string?>(
        StringComparer.Ordinal)
    {
        ["Ledger:Assets:0:Code"] = "EUR",
        ["Ledger:Assets:0:Exponent"] = "2",
        ["Ledger:Assets:0:SandboxMinor"] = "10000",
        ["Ledger:Assets:1:Code"] = "JPY",
        ["Ledger:Assets:1:Exponent"] = "0",
        ["Ledger:Assets:2:Code"] = "KWD",
        ["Ledger:Assets:2:Exponent"] = "3",

        // Tests sweep when they want to; and one of them asks for money a hundred times.
        ["Cards:SweepIntervalMs"] = "60000",
        ["Cards:RequestBurst"] = "10000",
    };

    /// <summary>How far the deciding clock is ahead of this machine's.</summary>
    private TimeSpan Ahead => _stopped is { } at ? at + _ahead - TimeProvider.System.GetUtcNow() : _ahead;

    internal CardService Cards => Server.Services.GetRequiredService<CardService>();

    internal CardSweeper Sweeper => Server.Services.GetRequiredService<CardSweeper>();

    internal WalletService Wallets => Server.Services.GetRequiredService<WalletService>();

    internal StatementService Statements => Server.Services.GetRequiredService<StatementService>();

    public async ValueTask InitializeAsync()
    {
        ArgumentNullException.ThrowIfNull(postgres);
        var plain = await postgres.CreateDatabaseAsync();

        // The server reads the time from clock_timestamp(); this schema's own comes before PostgreSQL's.
        ConnectionString = new NpgsqlConnectionStringBuilder(plain) { SearchPath = "test,pg_catalog,public" }
            .ConnectionString;
        _dataSource = NpgsqlDataSource.Create(ConnectionString);
        await using (var connection = await _dataSource.OpenConnectionAsync())
        {
            await connection.ExecuteAsync("""
                create schema test;
                create table test.clock (ahead interval not null, stopped timestamptz);
                insert into test.clock values ('0');
                create function test.clock_timestamp() returns timestamptz language sql volatile as
                    $$ select coalesce(stopped, pg_catalog.clock_timestamp()) + ahead from test.clock $$;
                create function test.statement_timestamp() returns timestamptz language sql stable as
                    $$ select coalesce(stopped, pg_catalog.statement_timestamp()) + ahead from test.clock $$;
                grant usage on schema test to chatpay_server;
                grant select on test.clock to chatpay_server;
                """);
        }

        _server = await TestServer.StartAsync(ConnectionString, Settings);

        // Cards come to their end when a test sweeps, and not beside it.
        await Sweeper.StopAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
            _server = null;
        }

        if (_dataSource is not null)
        {
            await _dataSource.DisposeAsync();
            _dataSource = null;
        }
    }

    /// <summary>Lets time pass for the database.</summary>
    public async Task AdvanceAsync(TimeSpan by)
    {
        await using var connection = await DataSource.OpenConnectionAsync();
        await connection.ExecuteAsync("update test.clock set ahead = ahead + @by", new { by });
        _ahead += by;
    }

    /// <summary>Stops the database's clock: from here on only <see cref="AdvanceAsync"/> moves it.</summary>
    /// <returns>What it shows.</returns>
    internal async Task<DateTimeOffset> StopClockAsync()
    {
        await using var connection = await DataSource.OpenConnectionAsync();
        var stopped = await connection.QuerySingleAsync<DateTime>(
            "update test.clock set stopped = coalesce(stopped, pg_catalog.clock_timestamp()) returning stopped");
        _stopped = new DateTimeOffset(stopped, TimeSpan.Zero);
        return _stopped.Value + _ahead;
    }

    internal Guid NewId() => Server.Services.GetRequiredService<IdFactory>().NewUuid();

    /// <summary>An account with wallets and play money: 100.00 EUR, 1,000 JPY, 1,000.000 KWD.</summary>
    internal async Task<WalletHolder> PersonAsync(bool withWallets = true)
    {
        var person = new WalletHolder(new AccountId(NewId()), new DeviceId(NewId()));
        var name = "person" + Interlocked.Increment(ref _people).ToString(CultureInfo.InvariantCulture);
        await using var connection = await DataSource.OpenConnectionAsync();
        await connection.ExecuteAsync(
            """
            insert into account (id, handle, skeleton, display_name, password_hash)
            values (@id, @name, @name, @name, '');
            insert into device (id, account_id, name, signature_key, approved_at)
            values (@device, @id, 'A phone', @key, now());
            """,
            new
            {
                id = person.Account.Value,
                name,
                device = person.Device.Value,
                key = TestMls.PublicKeyOf(person.Signer.Key),
            });
        await BeginChainAsync(connection, person);
        if (withWallets)
        {
            await Wallets.AccountOpenedAsync(person.Account, TestContext.Current.CancellationToken);

            // Otherwise a server would find the account unfinished and open its wallets again, whenever it gets to it.
            await connection.ExecuteAsync(
                "update account set opened_at = now() where id = @id", new { id = person.Account.Value });
        }

        return person;
    }

    /// <summary>Another device of the person, which is in no chain yet.</summary>
    internal async Task<Caller> OtherDeviceAsync(WalletHolder person)
    {
        var device = new DeviceId(NewId());
        using var key = TestMls.NewSignatureKey();
        await using var connection = await DataSource.OpenConnectionAsync();
        await connection.ExecuteAsync(
            "insert into device (id, account_id, name, signature_key) values (@device, @id, 'A tablet', @key)",
            new { device = device.Value, id = person.Account.Value, key = TestMls.PublicKeyOf(key) });
        return new Caller(person.Account, device);
    }

    /// <summary>The person's chain in the key log, as the server would have stored it.</summary>
    private static async Task BeginChainAsync(NpgsqlConnection connection, WalletHolder person)
    {
        using var identityKey = TestMls.NewSignatureKey();
        var first = KeyLogEntry.Identity(KeyLogPlace.First(person.Account), identityKey, identityKey);
        var second = KeyLogEntry.DeviceAdded(
            new KeyLogPlace(person.Account, 1, first.Hash()), person.Device, person.Signer.Key, identityKey);
        await connection.ExecuteAsync(
            """
            with entries as (
                insert into key_entry (account_id, sequence, entry, salt)
                values (@id, 0, @first, @salt), (@id, 1, @second, @salt)
            )
            insert into key_chain (account_id, length, head, identity_keys) values (@id, 2, @head, array[@key])
            """,
            new
            {
                id = person.Account.Value,
                first = first.Encoding.ToArray(),
                second = second.Encoding.ToArray(),
                salt = RandomNumberGenerator.GetBytes(KeyLogEntry.SaltSize),
                head = second.Hash(),
                key = TestMls.PublicKeyOf(identityKey),
            });
    }

    internal async Task<ConversationId> ConversationAsync(params WalletHolder[] people)
    {
        var conversation = new ConversationId(NewId());
        await using var connection = await DataSource.OpenConnectionAsync();
        await connection.ExecuteAsync(
            "insert into conversation (id, kind) values (@id, 2)", new { id = conversation.Value });
        await connection.ExecuteAsync(
            "insert into member (conversation_id, account_id, role, joined_seq) values (@id, @account, 1, 1)",
            people.Select(person => new { id = conversation.Value, account = person.Account.Value }));
        return conversation;
    }

    /// <summary>Two people who can pay, and a conversation of theirs.</summary>
    internal async Task<(WalletHolder Alice, WalletHolder Bob, ConversationId Conversation)> PairAsync()
    {
        var (alice, people, conversation) = await TableAsync(1);
        return (alice, people[0], conversation);
    }

    /// <summary>Somebody who can pay, as many others, and a conversation of theirs.</summary>
    internal async Task<(WalletHolder Alice, WalletHolder[] People, ConversationId Conversation)> TableAsync(int others)
    {
        var alice = await PersonAsync();
        var people = await Task.WhenAll(Enumerable.Range(0, others).Select(_ => PersonAsync()));
        return (alice, people, await ConversationAsync([alice, .. people]));
    }

    /// <summary>A well-formed request to post a card; tests spoil it with <c>with</c>.</summary>
    internal static CardActRequest Card(
        CardKind kind, ConversationId conversation, WalletHolder author, WalletHolder other, long amountMinor,
        string asset = "EUR", int lifetimeSeconds = Limits.CardLifetimeDefaultSeconds, CardPlan? plan = null) =>
        TestCards.Post(
            kind, conversation, 0, author.Account, other.Account, amountMinor, asset, lifetimeSeconds, plan);

    /// <summary>Posts or acts; a post that takes the actor's money is signed by the actor's device.</summary>
    internal Task<Result<CardActReply>> ActAsync(WalletHolder actor, CardActRequest request) =>
        Cards.ActAsync(actor.Caller, Sign(actor, request), TestContext.Current.CancellationToken);

    /// <summary>As the actor's device would send it.</summary>
    internal CardActRequest Sign(WalletHolder actor, CardActRequest request) => actor.Signer.Sign(request, Ahead);

    internal CardActRequest Sign(WalletHolder actor, CardActRequest request, CardView card) =>
        actor.Signer.Sign(request, card, Ahead);

    /// <summary>Signs for other terms than the card's, by the database's clock.</summary>
    internal CardActRequest Sign(
        WalletHolder actor, CardActRequest request, CardTerms terms, byte[] detailCommit, long? amountMinor) =>
        actor.Signer.Sign(request, terms, detailCommit, Ahead + TimeSpan.FromMinutes(10), amountMinor);

    internal Task<Result<CardActReply>> ActAsync(WalletHolder actor, CardView card, CardActionKind action) =>
        ActAsync(actor, actor.Signer.Sign(new CardActRequest(card.Id, card.Version, action, NewId()), card, Ahead));

    /// <summary>Posts a card that must be accepted by the server.</summary>
    internal async Task<CardView> PostAsync(
        CardKind kind, ConversationId conversation, WalletHolder author, WalletHolder other, long amountMinor,
        string asset = "EUR", int lifetimeSeconds = Limits.CardLifetimeDefaultSeconds)
    {
        var posted = await ActAsync(
            author, Card(kind, conversation, author, other, amountMinor, asset, lifetimeSeconds));
        Assert.Null(posted.Error);
        return posted.Value.Card;
    }

    internal async Task<(long BalanceMinor, long HeldMinor)> BalanceAsync(WalletHolder person, string asset = "EUR")
    {
        var wallet = await Wallets.ReadAsync(person.Account, TestContext.Current.CancellationToken);
        var balance = wallet.Value.Balances.Single(balance => balance.Asset == asset);
        return (balance.BalanceMinor, balance.HeldMinor);
    }

    internal async Task<(int ExitCode, string Output)> VerifyAsync()
    {
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        var exitCode = await Server.Services.VerifyLedgerAsync(output, TestContext.Current.CancellationToken);
        return (exitCode, output.ToString());
    }

    internal async Task AssertCleanAsync()
    {
        var (exitCode, output) = await VerifyAsync();
        Assert.True(exitCode == 0, output);
        await using var connection = await DataSource.OpenConnectionAsync();
        Assert.Equal(0, await connection.QuerySingleAsync<long>("select count(*) - count(distinct seq) from transfer"));
    }

    /// <summary>Everything that an error must leave as it was; kept rejections are no change of anything.</summary>
    internal async Task<string> StateAsync()
    {
        await using var connection = await DataSource.OpenConnectionAsync();
        return await connection.QuerySingleAsync<string>("""
            select concat_ws(' ',
                (select md5(string_agg(a::text, ',' order by id)) from ledger_account a),
                (select md5(string_agg(e::text, ',' order by account_id, version)) from entry e),
                (select md5(string_agg(h::text, ',' order by transfer_id)) from hold h),
                (select md5(string_agg(c::text, ',' order by id)) from card c),
                (select md5(string_agg(c::text, ',' order by id)) from conversation c),
                (select count(*) from event),
                (select count(*) from transfer where status = 0))
            """);
    }
}
