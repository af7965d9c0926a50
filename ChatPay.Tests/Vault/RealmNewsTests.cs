using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Server.Hosting;
using ChatPay.Server.Vault;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>
/// Realms that are processes of their own, whose server comes for what happens there: an account's devices hear of it on the
/// connection that they have.
/// </summary>
public sealed class RealmNewsTests(RealmTrio trio) : IClassFixture<RealmTrio>, IAsyncLifetime
{
    private const string Right = "480279";
    private const string Wrong = "480278";

    private Person? _ada;
    private Person? _elsewhere;
    private VaultPerson? _person;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _ada = await Person.JoinAsync(trio.Server.Address);
        _elsewhere = await _ada.OnAnotherDeviceAsync(trio.Server.Address);
        _person = VaultPerson.Of(_ada);
        Assert.True((await _person.RegisterAsync(Right)).IsOk);
    }

    public async ValueTask DisposeAsync()
    {
        await _elsewhere!.DisposeAsync();
        await _ada!.DisposeAsync();
    }

    [Fact]
    public async Task A_guess_and_how_it_ended_is_told_to_the_other_device_once_by_each_realm()
    {
        Assert.Equal(VaultRejection.WrongPin, (await _person!.RecoverAsync(Wrong)).Rejection);
        await HearAsync(VaultAttemptOutcome.Open, times: 3);
        Assert.True((await _person.RecoverAsync(Right)).IsOk);
        await HearAsync(VaultAttemptOutcome.Succeeded, times: 2);
        await HearAsync(VaultAttemptOutcome.Open, times: 6);

        // Each is what the realm's list says, and none came twice.
        var heard = _elsewhere!.Keys.Items.Where(static signal => signal.Attempt is not null).ToList();
        Assert.All(
            heard,
            signal => Assert.Equal((_ada!.Id, 0L, _ada.Device), (signal.Account, signal.Length, signal.Attempt!.Device)));
        Assert.Equal(heard.Count, heard.Select(static one => one.Attempt).Distinct().Count());
        for (var index = 0; index < 3; index++)
        {
            var listed = await _person.AttemptsAsync(index + 1);
            Assert.Equal(
                listed.Select(static one => one.At).Order(),
                heard.Select(static one => one.Attempt!)
                    .Where(one => one.Realm == trio.RealmAt(index).Value && one.Outcome == VaultAttemptOutcome.Open)
                    .Select(static one => one.At).Order());
        }
    }

    [Fact]
    public async Task Waits_are_told_as_well()
    {
        var mine = _person!.IdentityKey;
        Assert.True((await _person.Vault.BeginWaitAsync(Cancellation)).Step.IsOk);
        await HearWaitAsync(VaultWaitState.Begun);
        Assert.True((await VaultPerson.Of(_elsewhere!, _person).Vault.CancelWaitAsync(mine, Cancellation)).IsOk);
        await HearWaitAsync(VaultWaitState.Cancelled);
    }

    [Fact]
    public async Task A_guess_that_nobody_came_back_for_is_told_as_failed_when_its_time_is_over()
    {
        Assert.Equal(VaultRejection.WrongPin, (await _person!.RecoverAsync(Wrong)).Rejection);
        await HearAsync(VaultAttemptOutcome.Open, times: 3);
        await trio.ScalarAsync(
            1, _person,
            "update vault_attempt set at = now() - interval '121 seconds' where account_id = $1 and outcome = 0");
        var ended = await _elsewhere!.Keys.FirstAsync(
            static signal => signal.Attempt is { Outcome: VaultAttemptOutcome.Failed });
        Assert.Equal((_ada!.Device, trio.RealmAt(1).Value), (ended.Attempt!.Device, ended.Attempt.Realm!.Value));
    }

    [Fact]
    public async Task A_realm_that_is_away_keeps_nobody_from_hearing_of_the_others_and_tells_the_rest_when_it_is_back()
    {
        var noted = await NewsAsync(null);
        await trio.Realms[2].KillAsync();
        try
        {
            Assert.Equal(VaultRejection.WrongPin, (await _person!.RecoverAsync(Wrong)).Rejection);
            await HearAsync(VaultAttemptOutcome.Open, times: 2);
            await Eventually.TrueAsync(
                () => Task.FromResult(trio.Server.Log.Contains(
                    $"Realm {trio.RealmAt(2).Value} does not say what happens there", StringComparison.Ordinal)),
                "the server says so");
        }
        finally
        {
            await trio.RestartAsync(2);
        }

        Assert.Equal(VaultRejection.WrongPin, (await _person!.RecoverAsync(Wrong)).Rejection);
        await _elsewhere!.Keys.FirstAsync(signal => signal.Attempt?.Realm == trio.RealmAt(2).Value);
        Assert.Equal(2, Mine(await NewsAsync(noted.Next, count: 2)).Count());
    }

    [Fact]
    public async Task Each_node_tells_its_own_connections()
    {
        await using var node = await trio.StartServerAsync();
        await using var there = await _ada!.OnAnotherDeviceAsync(node.Address);
        Assert.Equal(VaultRejection.WrongPin, (await _person!.RecoverAsync(Wrong)).Rejection);
        await HearAsync(VaultAttemptOutcome.Open, times: 3);
        await HearAsync(VaultAttemptOutcome.Open, times: 3, there);
    }

    [Fact]
    public async Task What_is_committed_late_is_passed_over_by_no_look()
    {
        var before = await NewsAsync(null);
        await using var late = await trio.OpenAsync(0);
        await using var transaction = await late.BeginTransactionAsync(Cancellation);
        await NoteAsync(1);
        await trio.ScalarAsync(0, _person!, Note(2));
        var between = await NewsAsync(before.Next);
        Assert.Empty(Mine(between));
        await transaction.CommitAsync(Cancellation);
        Assert.Equal([1, 2], Mine(await NewsAsync(between.Next, count: 2)));

        async Task NoteAsync(int outcome)
        {
            await using var command = late.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = Note(outcome);
            command.Parameters.Add(new Npgsql.NpgsqlParameter { Value = _person!.Account.Value });
            await command.ExecuteNonQueryAsync(Cancellation);
        }
    }

    [Fact]
    public async Task Pages_follow_one_another_and_a_cursor_of_a_restored_database_begins_anew()
    {
        var before = await NewsAsync(null);
        await trio.ScalarAsync(
            0, _person!,
            $"""
            insert into vault_news (account_id, device_id, at, state)
            select $1, gen_random_uuid(), now() + make_interval(secs => number), 0
            from generate_series(1, {(2 * Limits.RealmNews) + 7}) number order by number
            """);
        var pages = new List<RealmNews> { await NewsAsync(before.Next, count: 1) };
        while (pages[^1].More)
        {
            pages.Add(await NewsAsync(pages[^1].Next));
        }

        Assert.Equal([Limits.RealmNews, Limits.RealmNews], pages.Take(2).Select(static page => page.News.Count));
        var times = pages.SelectMany(static page => page.News).Where(signal => signal.Account == _ada!.Id)
            .Select(static signal => signal.Attempt!.At).ToList();
        Assert.Equal((2 * Limits.RealmNews) + 7, times.Distinct().Count());
        Assert.Equal(times.Order(), times);

        // A database whose beat is behind its key file's begins another lineage.
        Assert.NotEmpty((await NewsAsync(before.Next)).News);
        await trio.ScalarAsync(0, _person!, "update realm set beat = 0");
        await Eventually.TrueAsync(
            async () => await NewsAsync(before.Next) is { News.Count: 0, More: false }, "the cursor is of another history");
        var renewed = await NewsAsync(before.Next);
        await trio.ScalarAsync(0, _person!, Note(1));
        Assert.Equal([1], Mine(await NewsAsync(renewed.Next, count: 1)));

        // And one that has not come as far as the cursor, which nothing else shows.
        var parts = renewed.Next.Split('-');
        Assert.Empty((await NewsAsync($"{parts[0]}-{ulong.MaxValue / 2}-0")).News);
        Assert.Empty((await NewsAsync("nonsense")).News);

        // The server goes on from where its own look finds the other history.
        await Eventually.TrueAsync(
            async () =>
            {
                await trio.ScalarAsync(0, _person!, Note(2));
                return _elsewhere!.Keys.Items.Any(static signal => signal.Attempt?.Outcome == VaultAttemptOutcome.Failed);
            },
            "the other device hears of what is noted there");
    }

    [Fact]
    public async Task Devices_do_not_get_through_the_servers_door_nor_the_server_through_theirs()
    {
        var device = (await _ada!.Client.RealmTokenAsync(trio.RealmAt(0).Value, Cancellation)).Token;
        Assert.Equal(ErrorCode.RealmTokenAudience, await RefusalAsync(device, "news"));
        Assert.Equal(ErrorCode.Unauthenticated, await RefusalAsync(null, "news"));
        Assert.Equal(ErrorCode.RealmTokenAudience, await RefusalAsync(OwnToken(trio.RealmAt(1)), "news"));
        Assert.Equal(ErrorCode.RealmTokenAudience, await RefusalAsync(OwnToken(trio.RealmAt(0)), "attempts"));
        using var stranger = TestVault.NewKey(RandomNumberGenerator.Fill);
        Assert.Equal(ErrorCode.RealmTokenSigner, await RefusalAsync(OwnToken(trio.RealmAt(0), stranger), "news"));
    }

    private static string Note(int outcome) =>
        $"insert into vault_news (account_id, device_id, at, state) values ($1, gen_random_uuid(), now(), {outcome})";

    private IEnumerable<int> Mine(RealmNews page) =>
        page.News.Where(signal => signal.Account == _ada!.Id).Select(static signal => (int)signal.Attempt!.Outcome);

    private string OwnToken(RealmId realm, ChatPay.Core.Cryptography.Key? key = null)
    {
        var now = TimeProvider.System.GetUtcNow();
        return new RealmToken(default, realm, now, now.AddMinutes(5), IdentityKey: null).Sign(key ?? trio.TokenKey);
    }

    /// <summary>
    /// What is told behind a cursor, once there is so much of it. Any transaction of the whole cluster holds news back as long as
    /// it runs, and other databases of the same one are busy.
    /// </summary>
    private async Task<RealmNews> NewsAsync(string? after, int count)
    {
        RealmNews? page = null;
        await Eventually.TrueAsync(
            async () => Mine(page = await NewsAsync(after)).Count() >= count, "the news are not held back any more");
        return page!;
    }

    private async Task<RealmNews> NewsAsync(string? after)
    {
        using var answer = await AskAsync(OwnToken(trio.RealmAt(0)), after is null ? "news" : "news?after=" + after);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<RealmNews>(ProtocolJson.Create(), Cancellation))!;
    }

    private async Task<ErrorCode> RefusalAsync(string? token, string door)
    {
        using var answer = await AskAsync(token, door);
        return (ErrorCode)(await answer.Content.ReadFromJsonAsync<ProblemBody>(ProtocolJson.Create(), Cancellation))!.Code;
    }

    private async Task<HttpResponseMessage> AskAsync(string? token, string door)
    {
        using var http = new HttpClient { BaseAddress = trio.Realms[0].Address };
        if (token is not null)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return await http.GetAsync($"v1/vault/realms/{trio.RealmAt(0).Value:D}/{door}", Cancellation);
    }

    private Task HearAsync(VaultAttemptOutcome outcome, int times, Person? who = null) => Eventually.TrueAsync(
        () => Task.FromResult(
            (who ?? _elsewhere!).Keys.Items.Count(signal => signal.Attempt?.Outcome == outcome) >= times),
        "the other device hears of it");

    private Task HearWaitAsync(VaultWaitState state) => Eventually.TrueAsync(
        () => Task.FromResult(_elsewhere!.Keys.Items.Count(signal => signal.Wait?.State == state) == 3),
        "the other device hears of the wait");
}
