using System.Net;
using System.Security.Cryptography;
using ChatPay.Client;
using ChatPay.Client.Internal.Vault;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Server.Hosting;
using ChatPay.Server.Vault;
using ChatPay.Tests.Client;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>Realms that are processes of their own, by the server and by themselves.</summary>
public sealed class RealmRoleTests(RealmTrio trio, PostgresFixture postgres) : IClassFixture<RealmTrio>
{
    private const string Right = "480279";
    private const string Wrong = "480278";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_server_says_where_the_realms_are_who_runs_them_and_answers_for_none()
    {
        using var person = await VaultPerson.SignUpAsync(trio.Server.Address);
        var view = await person.Client.VaultAsync(Cancellation);
        Assert.Equal((2, 2, 3), (view.Operators, view.Threshold, view.Realms.Count));
        Assert.Equal(view.Realms, view.Hosts!.Select(host => host.Realm));
        Assert.Equal(
            trio.Realms.Select(realm => realm.Address.Port), view.Hosts!.Select(host => host.Address.Port));
        Assert.Equal(
            ErrorCode.RealmUnknown, (ErrorCode)(await Person.ErrorOf(person.Client.AskRealmAsync(
                view.Realms[0], new Register1Request(VaultPerson.NewId()).Encoding.ToArray(), Cancellation))).Code);
        Assert.Equal(
            ErrorCode.RealmUnknown,
            (ErrorCode)(await Person.ErrorOf(person.Client.RealmTokenAsync(VaultPerson.NewId(), Cancellation))).Code);
        using var page = trio.Server.CreateClient();
        using var answer = await page.GetAsync("/health/live", Cancellation);
        Assert.Contains(
            " " + view.Hosts![0].Address.GetLeftPart(UriPartial.Authority),
            answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_PIN_comes_back_with_one_realm_away_and_with_two_away_the_device_says_that_too_few_answer()
    {
        using var person = await trio.RegisteredAsync(Right);
        Assert.True((await person.RecoverAsync(Right)).IsOk);
        try
        {
            await trio.Realms[2].KillAsync();
            Assert.True((await person.RecoverAsync(Right)).IsOk);
            Assert.Equal(VaultRejection.WrongPin, (await person.RecoverAsync(Wrong)).Rejection);
            await trio.Realms[1].KillAsync();
            Assert.Equal(VaultRejection.SharesTooFew, (await person.RecoverAsync(Right)).Rejection);
        }
        finally
        {
            await trio.RestartAsync(1);
            await trio.RestartAsync(2);
        }

        Assert.True((await person.RecoverAsync(Right)).IsOk);
        Assert.Equal([1, 1, 0], await trio.UsedAsync(person));
    }

    [Fact]
    public async Task A_realm_that_lies_is_named_and_the_others_go_on_without_it()
    {
        await using var liar = await LyingRealm.StartAsync(trio.Realms[1].Address);
        await using var server = await trio.StartServerAsync(index => index == 1 ? liar.Address : null);
        using var person = await trio.RegisteredAsync(Right, server);
        var step = await person.RecoverAsync(Right);
        Assert.True(step.IsOk, step.Rejection.ToString());
        var fault = Assert.Single(step.Faults);
        Assert.Equal(
            (2, await person.RealmAsync(2), VaultRejection.ProofInvalid, true),
            (fault.Index, fault.Realm, fault.Reason, fault.IsLie));

        // Named also where it is one of too many that fail.
        try
        {
            await trio.Realms[2].KillAsync();
            step = await person.RecoverAsync(Right);
            Assert.Equal(VaultRejection.ProofInvalid, step.Rejection);
            Assert.Equal(2, Assert.Single(step.Faults).Index);
        }
        finally
        {
            await trio.RestartAsync(2);
        }
    }

    [Fact]
    public async Task People_are_told_which_realms_lied_where_they_are_and_who_runs_them()
    {
        await using var ada = await SdkPerson.JoinAsync(trio.Server.Address);
        await ada.Device.SetPinAsync("480279", Cancellation);
        await using var liar = await LyingRealm.StartAsync(trio.Realms[1].Address);
        await using var other = await LyingRealm.StartAsync(trio.Realms[2].Address);
        await using var server = await trio.StartServerAsync(index => index == 1 ? liar.Address : null);
        await using (var tablet = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle))
        {
            // One is named beside another outcome, and keeps nobody from going on.
            var wrong = await Assert.ThrowsAsync<ChatPayException>(() => tablet.RecoverAsync("736104", Cancellation));
            Assert.Equal(ClientErrors.WrongPin, wrong.Name);
            Assert.Equal(
                new NamedRealm(trio.RealmAt(1).Value, "Ben's", liar.Address),
                Assert.Single((IEnumerable<NamedRealm>)wrong.Error.Details!["realms"]));
            Assert.Contains("Ben's", wrong.Message, StringComparison.Ordinal);

            // Also where the others bring the keys back without it.
            await tablet.RecoverAsync("480279", Cancellation);
            var alarm = Assert.Single(await tablet.KeyAlarmsAsync(Cancellation));
            Assert.Equal(KeyAlarmKind.RealmLied, alarm.Kind);
            Assert.Equal([trio.RealmAt(1).Value.ToString(), "Ben's", liar.Address.ToString()], alarm.Evidence);
        }

        await using var worse = await trio.StartServerAsync(
            index => index == 1 ? liar.Address : index == 2 ? other.Address : null);
        await using var phone = await SdkPerson.NewDeviceAsync(worse.Address, ada.Handle);
        var lied = await Assert.ThrowsAsync<ChatPayException>(() => phone.RecoverAsync("480279", Cancellation));
        Assert.Equal((ClientErrors.VaultRealmLied, false), (lied.Name, lied.Retryable));
        Assert.Equal(
            [
                new NamedRealm(trio.RealmAt(1).Value, "Ben's", liar.Address),
                new NamedRealm(trio.RealmAt(2).Value, "Ana's", other.Address),
            ],
            (IEnumerable<NamedRealm>)lied.Error.Details!["realms"]);
        Assert.Contains(trio.RealmAt(1).Value.ToString(), lied.Message, StringComparison.Ordinal);
        Assert.Contains("Ben's", lied.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_token_that_a_realm_does_not_take_has_its_own_number()
    {
        using var person = await trio.RegisteredAsync(Right);
        using var stranger = TestVault.NewKey(RandomNumberGenerator.Fill);
        var now = TimeProvider.System.GetUtcNow();
        var good = new RealmToken(
            new Caller(person.Account, person.Device), trio.RealmAt(0), now, now.AddMinutes(5), IdentityKey: null);
        var expired = good with { IssuedAt = now.AddMinutes(-6), ExpiresAt = now.AddSeconds(-1) };
        Assert.Null(await ErrorOfAsync(good.Sign(trio.TokenKey)));
        Assert.Null(await ErrorOfAsync((await person.Client.RealmTokenAsync(trio.RealmAt(0).Value, Cancellation)).Token));

        Assert.Equal(ErrorCode.Unauthenticated, await ErrorOfAsync(null));
        Assert.Equal(ErrorCode.RealmTokenInvalid, await ErrorOfAsync(person.Client.Token));
        Assert.Equal(ErrorCode.RealmTokenSigner, await ErrorOfAsync(good.Sign(stranger)));
        Assert.Equal(
            ErrorCode.RealmTokenAudience,
            await ErrorOfAsync((await person.Client.RealmTokenAsync(trio.RealmAt(1).Value, Cancellation)).Token));
        Assert.Equal(ErrorCode.RealmTokenExpired, await ErrorOfAsync(expired.Sign(trio.TokenKey)));
        Assert.Equal(
            ErrorCode.RealmTokenExpired,
            await ErrorOfAsync(
                (good with { IssuedAt = now.AddMinutes(5), ExpiresAt = now.AddMinutes(9) }).Sign(trio.TokenKey)));
        Assert.Equal(
            ErrorCode.RealmTokenExpired,
            await ErrorOfAsync((good with { ExpiresAt = now.AddHours(2) }).Sign(trio.TokenKey)));

        // None of them lets a guess be made.
        var version = (await person.AskAsync<Recover1Response>(1, new Recover1Request(VaultPerson.NewId()))).Version;
        using var guess = new Recover2Request(VaultPerson.NewId(), version, VaultPerson.Element());
        foreach (var token in new[] { null, person.Client.Token, good.Sign(stranger), expired.Sign(trio.TokenKey) })
        {
            using var realm = new ChatPayClient(trio.Realms[0].Address, token);
            await Person.ErrorOf(realm.AskRealmAsync(trio.RealmAt(0).Value, guess.Encoding.ToArray(), Cancellation));
        }

        Assert.Equal([0, 0, 0], await trio.UsedAsync(person));

        // Every byte after the key's id belongs to what is signed, or is the signature.
        var bytes = System.Buffers.Text.Base64Url.DecodeFromChars(good.Sign(trio.TokenKey));
        for (var at = 9; at < bytes.Length; at += 13)
        {
            byte[] altered = [.. bytes];
            altered[at] ^= 1;
            Assert.Equal(
                ErrorCode.RealmTokenInvalid, await ErrorOfAsync(System.Buffers.Text.Base64Url.EncodeToString(altered)));
        }
    }

    [Fact]
    public async Task Only_the_servers_own_pages_may_talk_to_a_realm()
    {
        Assert.Equal(RealmTrio.Page, await AllowedAsync(RealmTrio.Page));
        Assert.Null(await AllowedAsync("https://evil.example"));

        async Task<string?> AllowedAsync(string origin)
        {
            using var http = new HttpClient { BaseAddress = trio.Realms[0].Address };
            using var asked = new HttpRequestMessage(HttpMethod.Options, $"v1/vault/realms/{trio.RealmAt(0)}");
            asked.Headers.Add("Origin", origin);
            asked.Headers.Add("Access-Control-Request-Method", "POST");
            asked.Headers.Add("Access-Control-Request-Headers", "authorization,content-type");
            using var answer = await http.SendAsync(asked, Cancellation);
            return answer.Headers.TryGetValues("Access-Control-Allow-Origin", out var values) ? values.Single() : null;
        }
    }

    [Fact]
    public async Task A_realm_says_whether_it_is_ready_and_does_not_start_without_the_servers_key()
    {
        using var http = new HttpClient { BaseAddress = trio.Realms[0].Address };
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("health/ready", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("health/live", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("v1/me", Cancellation)).StatusCode);
        var failure = await Assert.ThrowsAsync<StartupException>(async () => await TestServer.StartAsync(
            await postgres.CreateEmptyDatabaseAsync(),
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["Hosting:Role"] = "Realm" }));
        Assert.Contains("Realm:TokenKey", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failures_and_a_success_at_the_same_time_give_back_exactly_one_guess()
    {
        using var person = await trio.RegisteredAsync(Right);
        var steps = await Task.WhenAll(Enumerable.Range(0, 6).Select(
            number => person.RecoverAsync(number == 3 ? Right : Wrong)));
        Assert.Single(steps, step => step.IsOk);
        Assert.Equal([5, 5, 5], await trio.UsedAsync(person));
    }

    /// <summary>The database takes its time over the commit, and meanwhile the realm dies.</summary>
    [Fact]
    public async Task A_realm_that_dies_between_count_and_evaluation_has_cost_the_guess_and_given_none()
    {
        using var person = await trio.RegisteredAsync(Right);
        var version = (await person.AskAsync<Recover1Response>(1, new Recover1Request(VaultPerson.NewId()))).Version;
        await trio.ScalarAsync(
            0, person,
            """
            create function take_long() returns trigger language plpgsql as $$ begin perform pg_sleep(2); return null; end $$;
            create trigger take_long after insert on vault_attempt for each row execute function take_long();
            """);
        try
        {
            var guess = TryGuessAsync(person, version);
            await Eventually.TrueAsync(
                async () => await trio.ScalarAsync(
                    0, person, "select count(*) from pg_stat_activity where wait_event = 'PgSleep'") is 1L,
                "the guess is being counted");
            await trio.Realms[0].KillAsync();
            Assert.Null(await guess);
        }
        finally
        {
            await Eventually.TrueAsync(
                async () => await trio.UsedAsync(0, person) == 1, "the database finishes what it was told");
            await trio.ScalarAsync(0, person, "drop function take_long() cascade");
            await trio.RestartAsync(0);
        }

        var granted = 0;
        while (await TryGuessAsync(person, version) is VaultMessageType.Recover2Response)
        {
            granted++;
        }

        Assert.Equal(9, granted);
        Assert.Equal(10, await trio.UsedAsync(0, person));
    }

    [Fact]
    public async Task A_realm_that_is_killed_under_load_grants_ten_evaluations_at_most()
    {
        using var person = await trio.RegisteredAsync(Right);
        var version = (await person.AskAsync<Recover1Response>(2, new Recover1Request(VaultPerson.NewId()))).Version;
        var granted = 0;
        var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isBack = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var guessers = Enumerable.Range(0, 6).Select(async _ =>
        {
            while (true)
            {
                switch (await TryGuessAsync(person, version, realm: 1))
                {
                    case VaultMessageType.Recover2Response:
                        Interlocked.Increment(ref granted);
                        first.TrySetResult();
                        break;
                    case VaultMessageType.Refusal:
                        return;
                    case null:
                        await isBack.Task.WaitAsync(Cancellation);
                        break;
                }
            }
        }).ToList();
        await first.Task.WaitAsync(Cancellation);
        await trio.Realms[1].KillAsync();
        await trio.RestartAsync(1);
        isBack.SetResult();
        await Task.WhenAll(guessers);
        Assert.InRange(granted, 1, 10);
        Assert.Equal(10, await trio.UsedAsync(1, person));
        Assert.Equal(10L, await trio.ScalarAsync(1, person, "select count(*) from vault_attempt where account_id = $1"));
    }

    [Fact]
    public async Task The_token_brings_the_identity_key_in_force_and_the_realm_takes_no_registration_of_another()
    {
        var identities = new KnownKey();
        await using var server = await trio.StartServerAsync(identities: identities);
        using var person = await VaultPerson.SignUpAsync(server.Address);
        using var log = TestVault.NewKey(RandomNumberGenerator.Fill);
        identities.Key = log.PublicKey.Export(KeyBlobFormat.RawPublicKey);
        Assert.Equal(VaultRejection.IdentityOther, (await person.RegisterAsync(Right)).Rejection);
        identities.Key = person.IdentityKey.PublicKey.Export(KeyBlobFormat.RawPublicKey);
        Assert.True((await person.RegisterAsync(Right)).IsOk);

        // The log goes on to another key, which then overwrites what names the earlier one.
        identities.Key = log.PublicKey.Export(KeyBlobFormat.RawPublicKey);
        Assert.Equal(VaultRejection.IdentityOther, (await person.RegisterAsync(Right)).Rejection);
        using var earlier = person.IdentityKey;
        person.IdentityKey = log;
        Assert.Equal(VaultRejection.SignatureInvalid, (await person.RegisterAsync(Right, earlier)).Rejection);
        Assert.True((await person.RegisterAsync(Right)).IsOk);
        Assert.True((await person.RecoverAsync(Right)).IsOk);
    }

    private async Task<ErrorCode?> ErrorOfAsync(string? token)
    {
        using var realm = new ChatPayClient(trio.Realms[0].Address, token);
        try
        {
            await realm.RealmAttemptsAsync(trio.RealmAt(0).Value, Cancellation);
            return null;
        }
        catch (ChatPayException refused)
        {
            return (ErrorCode)refused.Error.Code;
        }
    }

    /// <summary>What kind of answer one guess at one realm gets; null where there is none.</summary>
    private static async Task<VaultMessageType?> TryGuessAsync(VaultPerson person, RegistrationVersion version, int realm = 0)
    {
        using var door = new RealmDoor(person.Client, await person.Client.VaultAsync(Cancellation));
        using var request = new Recover2Request(VaultPerson.NewId(), version, VaultPerson.Element());
        try
        {
            return (VaultMessageType)(await door.AskAsync(
                door.View.Realms[realm], request.Encoding.ToArray(), Cancellation))[1];
        }
        catch (ChatPayException)
        {
            return null;
        }
    }

    private sealed class KnownKey : IIdentityKeys
    {
        public byte[]? Key { get; set; }

        public ValueTask<byte[]?> FindAsync(AccountId account, CancellationToken cancellationToken) => new(Key);
    }
}
