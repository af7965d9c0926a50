using System.Globalization;
using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Tests.Support;
using Microsoft.Extensions.Options;
using Xunit;

namespace ChatPay.Tests.Accounts;

/// <summary>Guessers wait, owners do not. Over HTTP what people see; against a clock of our own how long it takes.</summary>
public sealed class SignInGuardTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private const string Wrong = "walrus-teapot-95";

    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await AccountsServer.StartAsync(
        database.ConnectionString, "SignInLimits:FirstDelayMs=60000", "SignInLimits:PerAddress=30",
        "SignInLimits:PerKnownDevice=3");

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_stranger_at_one_address_has_to_wait_and_is_told_how_long()
    {
        var (owner, _, request) = await OwnerAsync();
        using var stranger = _server.Client();
        stranger.From = "198.51.100.1";
        for (var guess = 0; guess < 5; guess++)
        {
            Assert.Equal(ErrorCode.BadCredentials, await GuessAsync(stranger, request.Handle));
        }

        using var response = await stranger.PostAsync("/v1/sessions", Attempt(request.Handle, Wrong));
        Assert.Equal(ErrorCode.TooManyRequests, await AccountsClient.ErrorOfAsync(response));
        Assert.InRange(response.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(50), TimeSpan.FromSeconds(60));

        // Not even the right password helps now: otherwise the wait would be none for the guess that matters.
        using var right = await stranger.PostAsync("/v1/sessions", Attempt(request.Handle, request.Password));
        Assert.Equal(ErrorCode.TooManyRequests, await AccountsClient.ErrorOfAsync(right));
        owner.Dispose();
    }

    [Fact]
    public async Task The_owner_gets_in_from_a_known_device_whoever_guesses_from_wherever()
    {
        var (owner, up, request) = await OwnerAsync();
        using var browser = _server.Client();
        browser.From = "192.0.2.50";
        await browser.SignInAsync(Attempt(request.Handle, request.Password) with { Session = "cookie" });

        await GuessFromManyAddressesAsync(request.Handle);
        using var sameAddress = _server.Client();
        sameAddress.From = "203.0.113.9";
        while (await GuessAsync(sameAddress, request.Handle) != ErrorCode.TooManyRequests)
        {
        }

        // A new address, and even one that the guesser has used up: the device alone counts.
        owner.From = "203.0.113.9";
        var again = await owner.SignInAsync(new SignInRequest(
            request.Handle, request.Password, request.Device, up.Device.Id, DeviceToken: up.DeviceToken));
        Assert.Equal(up.Device.Id, again.Device.Id);
        browser.From = "203.0.113.9";
        await browser.SignInAsync(Attempt(request.Handle, request.Password) with { Session = "cookie" });
        owner.Dispose();
    }

    [Fact]
    public async Task The_owner_gets_in_with_a_new_device_from_a_known_address()
    {
        var (owner, _, request) = await OwnerAsync("192.0.2.77");
        await GuessFromManyAddressesAsync(request.Handle);

        using var newDevice = _server.Client();
        newDevice.From = "192.0.2.77";
        await newDevice.SignInAsync(Attempt(request.Handle, request.Password));

        using var elsewhere = _server.Client();
        elsewhere.From = "192.0.2.78";
        using var response = await elsewhere.PostAsync("/v1/sessions", Attempt(request.Handle, request.Password));
        Assert.Equal(ErrorCode.TooManyRequests, await AccountsClient.ErrorOfAsync(response));
        owner.Dispose();
    }

    [Fact]
    public async Task Knowing_a_devices_id_and_key_is_not_being_it()
    {
        var (owner, up, request) = await OwnerAsync();
        await GuessFromManyAddressesAsync(request.Handle);
        using var contact = _server.Client();
        contact.From = "198.51.100.99";
        foreach (var token in (string?[])[null, "", new string('A', 43), up.Token])
        {
            using var response = await contact.PostAsync("/v1/sessions", new SignInRequest(
                request.Handle, request.Password, request.Device, up.Device.Id, DeviceToken: token));
            Assert.Equal(ErrorCode.TooManyRequests, await AccountsClient.ErrorOfAsync(response));
        }

        owner.Dispose();
    }

    [Fact]
    public async Task Another_accounts_device_is_a_stranger_too()
    {
        var (owner, _, request) = await OwnerAsync();
        var (other, otherUp, _) = await OwnerAsync();
        await GuessFromManyAddressesAsync(request.Handle);
        other.From = "198.51.100.98";
        using var response = await other.PostAsync("/v1/sessions", Attempt(request.Handle, request.Password) with
        {
            DeviceToken = otherUp.DeviceToken,
        });

        Assert.Equal(ErrorCode.TooManyRequests, await AccountsClient.ErrorOfAsync(response));
        owner.Dispose();
        other.Dispose();
    }

    [Fact]
    public async Task A_stolen_device_token_gives_few_guesses()
    {
        var (owner, up, request) = await OwnerAsync();
        using var thief = _server.Client();
        for (var guess = 0; guess < 3; guess++)
        {
            thief.From = $"198.51.100.{20 + guess}";
            using var response = await thief.PostAsync(
                "/v1/sessions", Attempt(request.Handle, Wrong) with { DeviceToken = up.DeviceToken });
            Assert.Equal(ErrorCode.BadCredentials, await AccountsClient.ErrorOfAsync(response));
        }

        using var next = await thief.PostAsync(
            "/v1/sessions", Attempt(request.Handle, Wrong) with { DeviceToken = up.DeviceToken });
        Assert.Equal(ErrorCode.TooManyRequests, await AccountsClient.ErrorOfAsync(next));
        owner.Dispose();
    }

    [Fact]
    public async Task One_address_cannot_try_its_luck_with_everybody()
    {
        using var sprayer = _server.Client();
        sprayer.From = "198.51.100.200";
        for (var account = 0; account < 30; account++)
        {
            Assert.Equal(ErrorCode.BadCredentials, await GuessAsync(sprayer, AccountsClient.FreshHandle()));
        }

        Assert.Equal(ErrorCode.TooManyRequests, await GuessAsync(sprayer, AccountsClient.FreshHandle()));

        // An IPv6 customer has a whole /64, so another address of it is no other customer.
        for (var account = 0; account < 30; account++)
        {
            sprayer.From = $"2001:db8:1:2::{account.ToString("x", CultureInfo.InvariantCulture)}";
            Assert.Equal(ErrorCode.BadCredentials, await GuessAsync(sprayer, AccountsClient.FreshHandle()));
        }

        sprayer.From = "2001:db8:1:2:ffff::1";
        Assert.Equal(ErrorCode.TooManyRequests, await GuessAsync(sprayer, AccountsClient.FreshHandle()));
        sprayer.From = "2001:db8:1:3::1";
        Assert.Equal(ErrorCode.BadCredentials, await GuessAsync(sprayer, AccountsClient.FreshHandle()));
    }

    [Fact]
    public async Task The_waits_do_not_tell_which_handles_exist()
    {
        using var stranger = _server.Client();
        stranger.From = "198.51.100.3";
        var nobody = AccountsClient.FreshHandle();
        for (var guess = 0; guess < 5; guess++)
        {
            Assert.Equal(ErrorCode.BadCredentials, await GuessAsync(stranger, nobody));
        }

        Assert.Equal(ErrorCode.TooManyRequests, await GuessAsync(stranger, nobody));
    }

    [Fact]
    public async Task Many_guesses_at_once_get_no_more_than_many_in_a_row()
    {
        var (owner, _, request) = await OwnerAsync();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 40).Select(async _ =>
        {
            using var stranger = _server.Client();
            stranger.From = "198.51.100.4";
            return await GuessAsync(stranger, request.Handle);
        }));

        Assert.Equal(5, outcomes.Count(code => code == ErrorCode.BadCredentials));
        Assert.Equal(35, outcomes.Count(code => code == ErrorCode.TooManyRequests));
        owner.Dispose();
    }

    [Fact]
    public async Task Changing_the_password_is_no_way_round()
    {
        var (owner, _, request) = await OwnerAsync();
        var change = new ChangePasswordRequest(Wrong, "heron-violin-311");
        for (var guess = 0; guess < 3; guess++)
        {
            using var refused = await owner.SendAsync(HttpMethod.Put, "/v1/me/password", change);
            Assert.Equal(ErrorCode.BadCredentials, await AccountsClient.ErrorOfAsync(refused));
        }

        using var response = await owner.SendAsync(
            HttpMethod.Put, "/v1/me/password", change with { CurrentPassword = request.Password });
        Assert.Equal(ErrorCode.TooManyRequests, await AccountsClient.ErrorOfAsync(response));
        owner.Dispose();
    }

    [Fact]
    public void Each_further_failure_doubles_the_wait_up_to_a_bound()
    {
        var time = new ManualTime();
        var guard = Guard(time, new SignInLimitOptions());
        for (var slip = 0; slip < 5; slip++)
        {
            Assert.True(guard.Begin("ana", "a", null, knownAddress: false).IsOk);
        }

        foreach (var expected in (int[])[1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
        {
            var refused = guard.Begin("ana", "a", null, knownAddress: false);
            Assert.Equal(expected * 1000, refused.Error?.Details?["retryAfterMs"]);
            time.Advance(TimeSpan.FromSeconds(expected));
            Assert.True(guard.Begin("ana", "a", null, knownAddress: false).IsOk);
        }

        time.Advance(TimeSpan.FromHours(1));
        for (var slip = 0; slip < 5; slip++)
        {
            Assert.True(guard.Begin("ana", "a", null, knownAddress: false).IsOk);
        }

        Assert.False(guard.Begin("ana", "a", null, knownAddress: false).IsOk);
    }

    [Fact]
    public void Success_forgives_the_slips_before_it_but_not_what_strangers_did()
    {
        var guard = Guard(new ManualTime(), new SignInLimitOptions { PerAccountFromStrangers = 6 });
        for (var slip = 0; slip < 4; slip++)
        {
            Assert.True(guard.Begin("ana", "a", null, knownAddress: false).IsOk);
        }

        guard.Begin("ana", "a", null, knownAddress: false).Value.Succeeded();
        Assert.True(guard.Begin("ana", "a", null, knownAddress: false).IsOk);
        Assert.True(guard.Begin("ana", "b", null, knownAddress: false).IsOk);
        Assert.False(guard.Begin("ana", "c", null, knownAddress: false).IsOk);
        Assert.True(guard.Begin("ana", "a", null, knownAddress: true).IsOk);
    }

    [Fact]
    public void An_attempt_that_was_not_decided_counts_for_nothing()
    {
        var guard = Guard(new ManualTime(), new SignInLimitOptions());
        for (var attempt = 0; attempt < 100; attempt++)
        {
            guard.Begin("ana", "a", null, knownAddress: false).Value.Undo();
        }
    }

    [Fact]
    public void The_book_keeps_what_failed_last_when_it_is_full()
    {
        var guard = Guard(new ManualTime(), new SignInLimitOptions { Capacity = 1000 });
        for (var slip = 0; slip < 5; slip++)
        {
            Assert.True(guard.Begin("ana", "a", null, knownAddress: false).IsOk);
        }

        for (var other = 0; other < 300; other++)
        {
            Assert.True(guard.Begin("x" + other, "y" + other, null, knownAddress: false).IsOk);
        }

        Assert.False(guard.Begin("ana", "a", null, knownAddress: false).IsOk);
        for (var other = 0; other < 1000; other++)
        {
            Assert.True(guard.Begin("z" + other, "w" + other, null, knownAddress: false).IsOk);
        }

        Assert.True(guard.Begin("ana", "a", null, knownAddress: false).IsOk);
    }

    private static SignInGuard Guard(TimeProvider time, SignInLimitOptions limits) => new(Options.Create(limits), time);

    private static SignInRequest Attempt(string handle, string password) =>
        new(handle, password, AccountsClient.FreshDevice());

    private static async Task<ErrorCode> GuessAsync(AccountsClient client, string handle)
    {
        using var response = await client.PostAsync("/v1/sessions", Attempt(handle, Wrong));
        return await AccountsClient.ErrorOfAsync(response);
    }

    /// <summary>Until a guess from an address never used before is refused unseen.</summary>
    private async Task GuessFromManyAddressesAsync(string handle)
    {
        using var stranger = _server.Client();
        for (var address = 0; address < 100; address++)
        {
            stranger.From = $"203.0.113.{address + 100}";
            if (await GuessAsync(stranger, handle) == ErrorCode.TooManyRequests)
            {
                Assert.Equal(20, address);
                return;
            }
        }

        Assert.Fail("A hundred addresses may guess at one account.");
    }

    private async Task<(AccountsClient Client, SessionReply Up, SignUpRequest Request)> OwnerAsync(
        string address = "192.0.2.1")
    {
        var client = _server.Client();
        client.From = address;
        var request = AccountsClient.FreshSignUp();
        return (client, await client.SignUpAsync(request), request);
    }
}
