using System.Security.Cryptography;
using System.Text.Json;
using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>The realms inside the server, over HTTP: what a PIN brings back, and what guessing costs.</summary>
public sealed class RealmTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Right = "480279";
    private const string Wrong = "480278";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_PIN_brings_the_root_secret_back_and_costs_no_guess()
    {
        using var person = await RegisteredAsync();
        var view = await person.Client.VaultAsync(Cancellation);
        Assert.Equal((1, 2, 3), (view.Operators, view.Threshold, view.Realms.Distinct().Count()));
        for (var time = 0; time < 3; time++)
        {
            Assert.True((await person.RecoverAsync(Right)).IsOk);
        }

        Assert.Equal([0, 0, 0], await UsedAsync(person));
        var attempts = await person.AttemptsAsync(2);
        Assert.Equal(3, attempts.Count);
        Assert.All(attempts, attempt => Assert.Equal(
            (person.Device, VaultAttemptOutcome.Succeeded), (attempt.Device, attempt.Outcome)));
    }

    [Fact]
    public async Task A_wrong_PIN_costs_one_guess_everywhere_and_a_right_one_gives_back_its_own_only()
    {
        using var person = await RegisteredAsync();
        for (var left = 9; left >= 7; left--)
        {
            var step = await person.RecoverAsync(Wrong);
            Assert.Equal((VaultRejection.WrongPin, (int?)left), (step.Rejection, step.GuessesLeft));
        }

        Assert.True((await person.RecoverAsync(Right)).IsOk);
        Assert.Equal([3, 3, 3], await UsedAsync(person));
        Assert.Equal(3, (await person.AttemptsAsync(1)).Count(attempt => attempt.Outcome == VaultAttemptOutcome.Open));

        Assert.True((await person.Vault.ClearFailuresAsync(person.IdentityKey, Cancellation)).IsOk);
        Assert.Equal([0, 0, 0], await UsedAsync(person));
    }

    [Fact]
    public async Task Only_as_many_attempts_are_kept_as_are_listed()
    {
        using var person = await RegisteredAsync();
        await ScalarAsync(
            1, person,
            """
            insert into vault_attempt (id, account_id, version, device_id, at, outcome)
            select gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid(), now() - interval '1 day', 1
            from generate_series(1, 105)
            """);
        Assert.True((await person.RecoverAsync(Right)).IsOk);
        Assert.Equal(
            Limits.VaultAttempts + 1L, await ScalarAsync(1, person, "select count(*) from vault_attempt where account_id = $1"));
        Assert.Equal(VaultAttemptOutcome.Succeeded, (await person.AttemptsAsync(1))[0].Outcome);
    }

    [Fact]
    public async Task Without_guesses_not_even_the_right_PIN_helps_and_the_records_are_destroyed()
    {
        using var person = await RegisteredAsync();
        for (var left = 9; left >= 0; left--)
        {
            Assert.Equal(left, (await person.RecoverAsync(Wrong)).GuessesLeft);
        }

        Assert.Equal(VaultRejection.GuessesExhausted, (await person.RecoverAsync(Right)).Rejection);
        await AgeAttemptsAsync(person);
        Assert.Equal(VaultRejection.GuessesExhausted, (await person.RecoverAsync(Right)).Rejection);
        for (var index = 1; index <= 3; index++)
        {
            Assert.Equal(
                true, await ScalarAsync(index, person, "select sealed is null from vault_record where account_id = $1"));
        }

        // Nothing is left to protect: whoever is signed in registers anew.
        person.IdentityKey = TestVault.NewKey(RandomNumberGenerator.Fill);
        Assert.True((await person.RegisterAsync(Right)).IsOk);
        Assert.True((await person.RecoverAsync(Right)).IsOk);
    }

    [Fact]
    public async Task Two_hundred_guesses_at_once_over_two_nodes_are_granted_ten_evaluations_at_each_realm()
    {
        using var person = await RegisteredAsync();
        await using var other = await TestServer.StartAsync(fixture.ConnectionString);
        using var elsewhere = new ChatPayClient(other.Address, person.Client.Token);
        var view = await person.Client.VaultAsync(Cancellation);
        var version = (await person.AskAsync<Recover1Response>(1, new Recover1Request(VaultPerson.NewId()))).Version;
        var granted = new int[view.Realms.Count];
        var refused = new int[view.Realms.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 200 * view.Realms.Count),
            new ParallelOptions { MaxDegreeOfParallelism = 200 * view.Realms.Count, CancellationToken = Cancellation },
            async (number, stop) =>
            {
                var realm = number % view.Realms.Count;
                using var request = new Recover2Request(VaultPerson.NewId(), version, VaultPerson.Element());
                var client = number % 2 == 0 ? person.Client : elsewhere;
                var answer = await client.AskRealmAsync(view.Realms[realm], request.Encoding.ToArray(), stop);
                if (VaultMessage.TryRead<Recover2Response>(answer, out var response, out _))
                {
                    response.Dispose();
                    Interlocked.Increment(ref granted[realm]);
                }
                else
                {
                    Assert.True(
                        VaultMessage.TryRead<RealmRefusal>(answer, out var refusal, out var reason), reason.ToString());
                    Assert.Equal(VaultRejection.GuessesExhausted, refusal.Reason);
                    Interlocked.Increment(ref refused[realm]);
                }
            });
        Assert.Equal([10, 10, 10], granted);
        Assert.Equal([190, 190, 190], refused);
        Assert.Equal([10, 10, 10], await UsedAsync(person));
    }

    /// <summary>Nobody has learnt anything, so nobody pays for it.</summary>
    [Fact]
    public async Task A_record_that_cannot_be_read_costs_no_guesses()
    {
        using var person = await RegisteredAsync();
        await DamageAsync();
        for (var time = 0; time < 12; time++)
        {
            var step = await person.RecoverAsync(Right);
            Assert.False(step.IsOk);
            Assert.All(step.Faults, fault => Assert.Equal(VaultRejection.RecordUnreadable, fault.Reason));
        }

        Assert.Equal([0, 0, 0], await UsedAsync(person));
        Assert.Empty(await person.AttemptsAsync(1));
        await DamageAsync();
        Assert.True((await person.RecoverAsync(Right)).IsOk);

        // Damaged twice is as it was.
        async Task DamageAsync()
        {
            for (var realm = 1; realm <= 3; realm++)
            {
                await ScalarAsync(
                    realm, person,
                    """
                    update vault_record set sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) where account_id = $1
                    returning 1
                    """);
            }
        }
    }

    [Fact]
    public async Task Failures_and_a_success_at_the_same_time_give_back_exactly_one_guess()
    {
        using var person = await RegisteredAsync();
        var steps = await Task.WhenAll(Enumerable.Range(0, 6).Select(
            number => person.RecoverAsync(number == 3 ? Right : Wrong)));
        Assert.Single(steps, step => step.IsOk);
        Assert.Equal([5, 5, 5], await UsedAsync(person));
    }

    [Fact]
    public async Task A_share_is_released_once_for_an_attempt_and_for_no_attempt_that_was_not_counted()
    {
        using var person = await RegisteredAsync();
        var start = await person.AskAsync<Recover1Response>(1, new Recover1Request(VaultPerson.NewId()));
        using var recovery = await person.BeginAsync(Right, start.Version);
        using var release = await person.UnlockAsync(recovery);
        using var invented = new Recover3Request(
            VaultPerson.NewId(), start.Version, new AttemptId(VaultPerson.NewId()));
        Assert.Equal(VaultRejection.AttemptUnknown, (await person.AskAsync<RealmRefusal>(1, invented)).Reason);
        var realm = await person.RealmAsync(1);
        var released = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => person.Client.AskRealmAsync(
            realm.Value, release.Encoding.ToArray(), Cancellation)));
        Assert.Single(released, bytes => VaultMessage.TryRead<Recover3Response>(bytes, out _, out _));
        Assert.Equal([0, 1, 0], await UsedAsync(person));
    }

    [Fact]
    public async Task A_success_after_failures_were_cleared_gives_no_later_guess_back()
    {
        using var person = await RegisteredAsync();
        var start = await person.AskAsync<Recover1Response>(1, new Recover1Request(VaultPerson.NewId()));
        using var recovery = await person.BeginAsync(Right, start.Version);
        using var release = await person.UnlockAsync(recovery);
        Assert.True((await person.Vault.ClearFailuresAsync(person.IdentityKey, Cancellation)).IsOk);
        Assert.Equal(VaultRejection.WrongPin, (await person.RecoverAsync(Wrong)).Rejection);
        (await person.AskAsync<Recover3Response>(1, release)).Dispose();
        Assert.Equal([1, 1, 1], await UsedAsync(person));
    }

    [Fact]
    public async Task A_registration_that_is_overwritten_under_way_releases_nothing_and_the_new_one_is_as_it_was()
    {
        using var person = await RegisteredAsync();
        var start = await person.AskAsync<Recover1Response>(1, new Recover1Request(VaultPerson.NewId()));
        using var recovery = await person.BeginAsync(Right, start.Version);
        using var release = await person.UnlockAsync(recovery);
        using var late = recovery.EvaluationRequest();
        Assert.True((await person.RegisterAsync("736104")).IsOk);
        Assert.Equal(VaultRejection.VersionOther, (await person.AskAsync<RealmRefusal>(1, release)).Reason);
        Assert.Equal(VaultRejection.VersionOther, (await person.AskAsync<RealmRefusal>(1, late)).Reason);
        Assert.Equal([0, 0, 0], await UsedAsync(person));
        Assert.True((await person.RecoverAsync("736104")).IsOk);

        Assert.True((await person.Vault.DeleteAsync(person.IdentityKey, Cancellation)).Step.IsOk);
        Assert.Equal(VaultRejection.AttemptUnknown, (await person.AskAsync<RealmRefusal>(1, release)).Reason);
        Assert.Equal(VaultRejection.NotRegistered, (await person.AskAsync<RealmRefusal>(1, late)).Reason);
    }

    [Fact]
    public async Task Each_registration_says_how_much_work_its_PIN_is_so_that_it_can_grow()
    {
        using var person = await RegisteredAsync();
        foreach (var work in new PinHashParameters[] { TestVault.Cheap, new(16, 2, 1), new(32, 3, 1) })
        {
            Assert.True((await person.RegisterAsync(Right, work: work)).IsOk);
            for (var realm = 1; realm <= 3; realm++)
            {
                var told = await person.AskAsync<Recover1Response>(realm, new Recover1Request(VaultPerson.NewId()));
                Assert.Equal(work, told.Parameters);
            }

            Assert.True((await person.RecoverAsync(Right)).IsOk);
        }
    }

    [Fact]
    public async Task A_registration_whose_answer_was_lost_is_answered_again_and_changes_nothing()
    {
        using var person = await VaultPerson.SignUpAsync(fixture.Address);
        var configuration = await person.ConfigurationAsync();
        using var pin = TestVault.PinOf(Right);
        using var registration = VaultRegistration.Create(
            new VaultRegistrationPlan(person.Account, configuration, TestVault.Cheap, [default, default, default]), pin,
            person.Root, person.IdentityKey, person.IdentityKey, RandomNumberGenerator.Fill);
        for (var time = 0; time < 2; time++)
        {
            foreach (var request in registration.Requests)
            {
                using var stored = await person.AskAsync<Register2Response>(request.Index, request);
                Assert.Equal(registration.Context.Version, stored.Version);
            }

            Assert.Equal(VaultRejection.WrongPin, (await person.RecoverAsync(Wrong)).Rejection);
            Assert.Equal([time + 1, time + 1, time + 1], await UsedAsync(person));
        }

        Assert.True((await person.RecoverAsync(Right)).IsOk);
    }

    [Fact]
    public async Task Only_the_identity_key_changes_or_deletes_a_registration()
    {
        using var person = await RegisteredAsync();
        using var stranger = TestVault.NewKey(RandomNumberGenerator.Fill);
        Assert.Equal(VaultRejection.SignatureInvalid, (await person.RegisterAsync("736104", stranger)).Rejection);
        Assert.Equal(
            VaultRejection.SignatureInvalid, (await person.Vault.DeleteAsync(stranger, Cancellation)).Step.Rejection);
        Assert.Equal(
            VaultRejection.SignatureInvalid, (await person.Vault.ClearFailuresAsync(stranger, Cancellation)).Rejection);
        Assert.True((await person.RecoverAsync(Right)).IsOk);

        Assert.True((await person.RegisterAsync("736104")).IsOk);
        Assert.Equal(VaultRejection.WrongPin, (await person.RecoverAsync(Right)).Rejection);
        Assert.True((await person.RecoverAsync("736104")).IsOk);

        Assert.True((await person.Vault.DeleteAsync(person.IdentityKey, Cancellation)).Step.IsOk);
        Assert.Equal(VaultRejection.NotRegistered, (await person.RecoverAsync("736104")).Rejection);
    }

    [Fact]
    public async Task Somebody_elses_vault_answers_nothing_to_me()
    {
        using var ana = await RegisteredAsync();
        using var ben = await VaultPerson.SignUpAsync(fixture.Address);
        var version = (await ana.AskAsync<Recover1Response>(1, new Recover1Request(VaultPerson.NewId()))).Version;
        using var guess = new Recover2Request(VaultPerson.NewId(), version, VaultPerson.Element());
        Assert.Equal(VaultRejection.NotRegistered, (await ben.AskAsync<RealmRefusal>(1, guess)).Reason);
        Assert.Empty(await ben.AttemptsAsync(1));
        Assert.Equal([0, 0, 0], await UsedAsync(ana));
    }

    [Fact]
    public async Task What_is_no_message_or_goes_to_no_realm_is_refused_with_its_number_and_costs_nothing()
    {
        using var person = await RegisteredAsync();
        var realm = (await person.RealmAsync(1)).Value;
        byte[] version = [9, 9];
        foreach (var bytes in new byte[][] { [], [1], version, new byte[Limits.VaultMessageBytes], [1, 7, 0] })
        {
            Assert.Equal(
                ErrorCode.VaultMessageInvalid,
                (ErrorCode)(await Person.ErrorOf(person.Client.AskRealmAsync(realm, bytes, Cancellation))).Code);
        }

        Assert.Equal(
            ErrorCode.TooLarge, (ErrorCode)(await Person.ErrorOf(person.Client.AskRealmAsync(
                realm, new byte[Limits.VaultMessageBytes + 1], Cancellation))).Code);
        Assert.Equal(
            ErrorCode.RealmUnknown, (ErrorCode)(await Person.ErrorOf(person.Client.AskRealmAsync(
                VaultPerson.NewId(), version, Cancellation))).Code);
        Assert.Equal([0, 0, 0], await UsedAsync(person));
    }

    [Fact]
    public async Task A_blinded_element_that_is_none_is_refused_by_its_kind_and_costs_no_guess()
    {
        using var person = await RegisteredAsync();
        var version = (await person.AskAsync<Recover1Response>(1, new Recover1Request(VaultPerson.NewId()))).Version;
        using var request = new Recover2Request(VaultPerson.NewId(), version, VaultPerson.Element());
        var head = request.Encoding[..^32].ToArray();
        byte[] tooLarge = [.. Enumerable.Repeat((byte)0xff, 31), 0x7f];
        byte[] negative = [1, .. new byte[31]];
        Assert.Equal(VaultRejection.PointIdentity, await RefusedAsync(new byte[32]));
        Assert.Equal(VaultRejection.PointInvalid, await RefusedAsync(tooLarge));
        Assert.Equal(VaultRejection.PointInvalid, await RefusedAsync(negative));
        Assert.Equal(VaultRejection.LengthWrong, await RefusedAsync(new byte[31]));
        Assert.Equal(VaultRejection.LengthWrong, await RefusedAsync([.. VaultPerson.Element(), 0]));
        Assert.Equal([0, 0, 0], await UsedAsync(person));
        Assert.Empty(await person.AttemptsAsync(1));

        async Task<VaultRejection> RefusedAsync(byte[] element)
        {
            var error = await Person.ErrorOf(person.Client.AskRealmAsync(
                (await person.RealmAsync(1)).Value, [.. head, .. element], Cancellation));
            Assert.Equal(ErrorCode.VaultMessageInvalid, (ErrorCode)error.Code);
            return (VaultRejection)((JsonElement)error.Details!["rejection"]).GetInt32();
        }
    }

    private async Task<VaultPerson> RegisteredAsync()
    {
        var person = await VaultPerson.SignUpAsync(fixture.Address);
        var step = await person.RegisterAsync(Right);
        Assert.True(step.IsOk, step.Rejection.ToString());
        Assert.Empty(step.Faults);
        return person;
    }

    private async Task<IReadOnlyList<int>> UsedAsync(VaultPerson person)
    {
        var used = new List<int>();
        for (var index = 1; index <= 3; index++)
        {
            used.Add((short)(await ScalarAsync(index, person, "select used from vault_record where account_id = $1"))!);
        }

        return used;
    }

    private async Task AgeAttemptsAsync(VaultPerson person)
    {
        for (var index = 1; index <= 3; index++)
        {
            await ScalarAsync(
                index, person, "update vault_attempt set at = at - interval '5 minutes' where account_id = $1");
        }
    }

    private async Task<object?> ScalarAsync(int index, VaultPerson person, string sql)
    {
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(fixture.ConnectionString)
            {
                SearchPath = $"realm_{index}",
                Pooling = false,
            });
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = person.Account.Value });
        return await command.ExecuteScalarAsync(Cancellation);
    }
}
