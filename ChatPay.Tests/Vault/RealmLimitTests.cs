using ChatPay.Client;
using ChatPay.Core.Vault;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>Guesses that come when there is none left, in the moment in which a success gives one back.</summary>
public sealed class RealmLimitTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Right = "480279";
    private const int GuessesMax = 10;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The database gives the guess back after it has found none left and before the realm asks why.</summary>
    [Fact]
    public async Task A_guess_that_finds_none_left_is_counted_where_a_success_gives_one_back_meanwhile()
    {
        using var person = await RegisteredAsync();
        var version = await VersionAsync(person);
        using var release = await UseUpAsync(person, version);
        await ScalarAsync(
            $"""
            create function succeed_meanwhile() returns trigger language plpgsql as $$ begin
                with ended as (
                    update vault_attempt set outcome = 1 where id = '{release.Attempt}' and outcome = 0 returning account_id
                )
                update vault_record v set used = used - 1 from ended e where v.account_id = e.account_id;
                return null;
            end $$;
            create trigger succeed_meanwhile after insert on vault_attempt for each statement
                execute function succeed_meanwhile();
            """);
        try
        {
            Assert.Equal((VaultRejection.None, 0), await GuessAsync(person.Client, await RealmAsync(person), version));
            Assert.Equal(
                (VaultRejection.GuessesExhausted, 0), await GuessAsync(person.Client, await RealmAsync(person), version));
        }
        finally
        {
            await ScalarAsync("drop function succeed_meanwhile() cascade");
        }

        Assert.Equal(GuessesMax, await UsedAsync(person));
    }

    /// <summary>It sees that all are used, waits for the row, and the row then has one.</summary>
    [Fact]
    public async Task A_guess_that_waits_while_a_success_gives_the_last_one_back_is_counted()
    {
        using var person = await RegisteredAsync();
        var version = await VersionAsync(person);
        using var release = await UseUpAsync(person, version);
        await using var source = Open();
        await using var success = await source.OpenConnectionAsync(Cancellation);
        await ExecuteAsync(
            success,
            $"""
            begin;
            update vault_record set used = used - 1 where account_id = '{person.Account}';
            update vault_attempt set outcome = 1 where id = '{release.Attempt}';
            """);
        var guess = GuessAsync(person.Client, await RealmAsync(person), version);
        await Eventually.TrueAsync(
            async () => await ScalarAsync(
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") is 1L,
            "the guess waits for the row");
        await ExecuteAsync(success, "commit");
        Assert.Equal((VaultRejection.None, 0), await guess);
        Assert.Equal(
            (VaultRejection.GuessesExhausted, 0), await GuessAsync(person.Client, await RealmAsync(person), version));
        Assert.Equal(GuessesMax, await UsedAsync(person));
    }

    /// <summary>The database counts none, and each time that the realm asks why, there is one left.</summary>
    [Fact]
    public async Task A_guess_that_others_are_quicker_than_three_times_is_told_that_there_is_none()
    {
        using var person = await RegisteredAsync();
        var (realm, version) = (await RealmAsync(person), await VersionAsync(person));
        await ScalarAsync(
            $"""
            create sequence tries;
            grant usage on sequence tries to chatpay_server;
            create function count_none() returns trigger language plpgsql as $$ begin
                perform nextval('realm_1.tries');
                return null;
            end $$;
            create trigger count_none before update on vault_record for each row
                when (new.account_id = '{person.Account}' and new.used > old.used) execute function count_none();
            """);
        try
        {
            Assert.Equal((VaultRejection.GuessesExhausted, 0), await GuessAsync(person.Client, realm, version));
            Assert.Equal(3L, await ScalarAsync("select last_value from tries"));
        }
        finally
        {
            await ScalarAsync("drop function count_none() cascade; drop sequence tries");
        }

        // Nothing was counted, and nothing destroyed.
        Assert.Equal(0, await UsedAsync(person));
        Assert.Equal((VaultRejection.None, GuessesMax - 1), await GuessAsync(person.Client, realm, version));
    }

    /// <summary>Seven that fail, three that are right, and sixty more that come as the three give theirs back.</summary>
    [Fact]
    public async Task Successes_at_the_limit_make_room_for_as_many_guesses_and_not_one_more()
    {
        const int Rights = 3;
        await using var other = await TestServer.StartAsync(fixture.ConnectionString);
        for (var round = 0; round < 3; round++)
        {
            using var person = await RegisteredAsync();
            using var elsewhere = new ChatPayClient(other.Address, person.Client.Token);
            ChatPayClient[] nodes = [person.Client, elsewhere];
            var (realm, version) = (await RealmAsync(person), await VersionAsync(person));
            for (var failure = 0; failure < GuessesMax - Rights; failure++)
            {
                await GuessAsync(person.Client, realm, version);
            }

            var releases = new List<Recover3Request>();
            for (var right = 0; right < Rights; right++)
            {
                using var recovery = await person.BeginAsync(Right, version);
                releases.Add(await person.UnlockAsync(recovery));
            }

            Assert.Equal(GuessesMax, await UsedAsync(person));
            var released = releases.Select((release, number) => nodes[number % 2].AskRealmAsync(
                realm, release.Encoding.ToArray(), Cancellation));
            var guesses = Enumerable.Range(0, 60).Select(number => GuessAsync(nodes[number % 2], realm, version));
            var (answers, told) = (Task.WhenAll(released), Task.WhenAll(guesses));
            Assert.All(await answers, static answer => Assert.Equal((byte)VaultMessageType.Recover3Response, answer[1]));
            var granted = (await told).Count(static answer => answer.Rejection == VaultRejection.None);
            Assert.All(
                (await told).Where(static answer => answer.Rejection != VaultRejection.None),
                static answer => Assert.Equal((VaultRejection.GuessesExhausted, 0), answer));
            Assert.Equal(GuessesMax - Rights + granted, await UsedAsync(person));

            // What nobody took at once is there for who comes later.
            while ((await GuessAsync(person.Client, realm, version)).Rejection == VaultRejection.None)
            {
                granted++;
            }

            Assert.Equal(Rights, granted);
            Assert.Equal(GuessesMax, await UsedAsync(person));
            releases.ForEach(static release => release.Dispose());
        }
    }

    /// <summary>Nine wrong guesses and a right one, whose share may be asked for.</summary>
    private static async Task<Recover3Request> UseUpAsync(VaultPerson person, RegistrationVersion version)
    {
        for (var left = GuessesMax - 1; left > 0; left--)
        {
            Assert.Equal((VaultRejection.None, left), await GuessAsync(person.Client, await RealmAsync(person), version));
        }

        using var recovery = await person.BeginAsync(Right, version);
        return await person.UnlockAsync(recovery);
    }

    private static async Task<RegistrationVersion> VersionAsync(VaultPerson person) =>
        (await person.AskAsync<Recover1Response>(1, new Recover1Request(VaultPerson.NewId()))).Version;

    private static async Task<Guid> RealmAsync(VaultPerson person) => (await person.RealmAsync(1)).Value;

    /// <returns>What the realm says, and how many guesses it says are left.</returns>
    private static async Task<(VaultRejection Rejection, int Left)> GuessAsync(
        ChatPayClient node, Guid realm, RegistrationVersion version)
    {
        using var request = new Recover2Request(VaultPerson.NewId(), version, VaultPerson.Element());
        var answer = await node.AskRealmAsync(realm, request.Encoding.ToArray(), Cancellation);
        if (VaultMessage.TryRead<Recover2Response>(answer, out var granted, out _))
        {
            using (granted)
            {
                return (VaultRejection.None, granted.GuessesLeft);
            }
        }

        Assert.True(VaultMessage.TryRead<RealmRefusal>(answer, out var refusal, out var reason), reason.ToString());
        return (refusal.Reason, refusal.GuessesLeft);
    }

    private async Task<VaultPerson> RegisteredAsync()
    {
        var person = await VaultPerson.SignUpAsync(fixture.Address);
        Assert.True((await person.RegisterAsync(Right)).IsOk);
        return person;
    }

    private async Task<int> UsedAsync(VaultPerson person) =>
        (short)(await ScalarAsync($"select used from vault_record where account_id = '{person.Account}'"))!;

    private async Task<object?> ScalarAsync(string sql)
    {
        await using var source = Open();
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Cancellation);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    /// <summary>The first realm's schema, as its owner.</summary>
    private NpgsqlDataSource Open() => NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(fixture.ConnectionString) { SearchPath = "realm_1", Pooling = false });
}
