using ChatPay.Client;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Another identity key in the place of the one in force: who sees it, who has it, and what may go wrong.</summary>
public sealed class DeviceRotationTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private const string Pin = "480279";

    private readonly HttpFault _fault = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Contacts_send_and_pay_nothing_until_they_accept_the_new_key_and_the_safety_number_is_another()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var chat = await ben.Device.StartDirectAsync(ada.Id, Cancellation);
        await ada.SeesAsync(chat.Id);
        var before = await ben.Device.PersonKeysAsync(ada.Id, Cancellation);
        Assert.True(await ben.Device.VerifyIdentityAsync(ada.Id, before.SafetyNumber!, Cancellation));
        var request = await ada.Device.Conversation(chat.Id).RequestMoneyAsync(
            ben.Id, Money.Of(100, AssetCode.Parse("EUR")), "Tea", cancellationToken: Cancellation);
        await ben.Items.FirstAsync(item => item is CardPosted);

        await ada.Device.RotateIdentityAsync(Cancellation);
        await ben.Signals.FirstAsync(signal => signal is IdentityChangedSignal changed && changed.Account == ada.Id);
        foreach (var act in new Func<Task>[]
        {
            () => chat.SendTextAsync("a secret", Cancellation),
            () => ben.Device.PayAsync(request.Id, Cancellation),
        })
        {
            var blocked = await Assert.ThrowsAsync<ChatPayException>(act);
            Assert.Equal(ClientErrors.IdentityChanged, blocked.Name);
        }

        var after = await ben.Device.PersonKeysAsync(ada.Id, Cancellation);
        Assert.True(after is { IsAccepted: false, IsVerified: false, IsLogged: true });
        Assert.NotEqual(before.SafetyNumber, after.SafetyNumber);
        Assert.Equal(
            after.SafetyNumber, (await ada.Device.PersonKeysAsync(ben.Id, Cancellation)).SafetyNumber);
        await ben.ShowsAsync(chat.Id, ada.Device.Id, after.IdentityKey!);

        // Who has rotated is not hindered, and all goes on once the other one has accepted it.
        await ada.Device.Conversation(chat.Id).SendTextAsync("with a new key", Cancellation);
        await ben.ReadsAsync("with a new key");
        await ben.Device.AcceptIdentityAsync(ada.Id, Cancellation);
        await chat.SendTextAsync("accepted", Cancellation);
        await ada.ReadsAsync("accepted");
        await ben.Device.PayAsync(request.Id, Cancellation);
        Assert.Empty(await ada.Device.KeyAlarmsAsync(Cancellation));
        Assert.Empty(await ben.Device.KeyAlarmsAsync(Cancellation));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_device_that_knows_no_root_secret_chats_on_and_shows_a_code_until_it_is_approved_again()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        var chat = await ben.Device.StartDirectAsync(ada.Id, Cancellation);
        await phone.SeesAsync(chat.Id);
        var old = (await ben.LeavesAsync(chat.Id))[phone.Device.Id];
        await ada.Device.RotateIdentityAsync(Cancellation);
        await Eventually.TrueAsync(
            async () => await phone.Device.ApprovalCodeAsync(Cancellation) is not null, "the phone shows a code");
        Assert.True(phone.Device.IsApproved);
        await phone.Device.Conversation(chat.Id).SendTextAsync("still the old key", Cancellation);
        await ben.ReadsAsync("still the old key");
        await ada.ReadsAsync("still the old key");
        Assert.Contains(
            await phone.Device.KeyAlarmsAsync(Cancellation), static alarm => alarm.Kind == KeyAlarmKind.OwnKeysChanged);

        // With the old key nothing is done to the account.
        var refused = await Assert.ThrowsAsync<ChatPayException>(
            () => phone.Device.RotateIdentityAsync(Cancellation));
        Assert.Equal(ErrorCode.DeviceNotApproved, refused.Code);
        refused = await Assert.ThrowsAsync<ChatPayException>(() => phone.Device.SetPinAsync(Pin, Cancellation));
        Assert.Equal(ErrorCode.DeviceNotApproved, refused.Code);
        Assert.Equal(old, (await ben.LeavesAsync(chat.Id))[phone.Device.Id]);

        // Nor is anybody told a safety number that is no more.
        Assert.Null((await phone.Device.PersonKeysAsync(ben.Id, Cancellation)).SafetyNumber);
        refused = await Assert.ThrowsAsync<ChatPayException>(
            () => phone.Device.VerifyIdentityAsync(ben.Id, new string('1', 60), Cancellation));
        Assert.Equal(ClientErrors.NotReady, refused.Name);

        await ada.Device.ApproveAsync((await phone.Device.ApprovalCodeAsync(Cancellation))!, Cancellation);
        var key = (await ben.Device.PersonKeysAsync(ada.Id, Cancellation)).IdentityKey!;
        await ben.ShowsAsync(chat.Id, phone.Device.Id, key);
        await ben.ShowsAsync(chat.Id, ada.Device.Id, key);
        Assert.Null(await phone.Device.ApprovalCodeAsync(Cancellation));
        await ben.Device.AcceptIdentityAsync(ada.Id, Cancellation);
        await chat.SendTextAsync("to both", Cancellation);
        await phone.ReadsAsync("to both");
        Assert.DoesNotContain(
            await phone.Device.KeyAlarmsAsync(Cancellation), static alarm => alarm.Kind == KeyAlarmKind.IdentityUnlogged);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task With_a_root_secret_the_other_devices_and_the_PIN_take_up_the_new_key_by_themselves()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await using var old = await ada.OnAnotherDeviceAsync();
        await ada.Device.SetPinAsync(Pin, Cancellation);
        await using var phone = await ada.OnAnotherDeviceAsync();
        var chat = await ben.Device.StartDirectAsync(ada.Id, Cancellation);
        await phone.SeesAsync(chat.Id);

        // What was approved before there was a PIN cannot carry it over, and does not make it useless.
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => old.Device.RotateIdentityAsync(Cancellation));
        Assert.Equal(ClientErrors.NotReady, refused.Name);
        await ada.Device.RotateIdentityAsync(Cancellation);
        var key = (await ben.Device.PersonKeysAsync(ada.Id, Cancellation)).IdentityKey!;
        await ben.ShowsAsync(chat.Id, phone.Device.Id, key);
        await ben.ShowsAsync(chat.Id, ada.Device.Id, key);
        Assert.Null(await phone.Device.ApprovalCodeAsync(Cancellation));
        Assert.NotNull(await old.Device.ApprovalCodeAsync(Cancellation));

        await using var tablet = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        await tablet.RecoverAsync(Pin, Cancellation);
        await ben.ShowsAsync(chat.Id, tablet.Id, key);

        // The phone may go on from there, with the same PIN.
        await phone.Device.RotateIdentityAsync(Cancellation);
        var next = (await ben.Device.PersonKeysAsync(ada.Id, Cancellation)).IdentityKey!;
        Assert.NotEqual(key, next);
        await ben.ShowsAsync(chat.Id, ada.Device.Id, next);
        await ben.ShowsAsync(chat.Id, tablet.Id, next);
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_device_that_dies_at_any_write_has_the_old_key_or_the_new_one_when_it_goes_on(bool lastOneHappens)
    {
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var (deaths, died) = (0, true);
        for (var diesAt = 1; died; diesAt++)
        {
            Assert.True(diesAt <= 40, "It never lives to the end.");
            var (store, handle, chat) = await SdkPerson.LeaveChatAsync(ben);
            var mortal = new MortalStore(store) { LastOneHappens = lastOneHappens };
            await using (var dying = await ChatPayDevice.OpenAsync(
                SdkPerson.Options(server.Address, mortal), Cancellation))
            {
                await dying.OnlineAsync(Cancellation);
                mortal.DiesAt = mortal.Writes + diesAt;
                _ = await Record.ExceptionAsync(() => dying.RotateIdentityAsync(Cancellation));
                died = mortal.IsDead;
            }

            deaths += died ? 1 : 0;
            await using var again = await SdkPerson.OpenAsync(server.Address, store, handle);
            Assert.Null(await again.Device.ApprovalCodeAsync(Cancellation));

            // Once more where it did not come to it: it is the account's device in any case.
            await again.Device.RotateIdentityAsync(Cancellation);
            var key = (await ben.Device.PersonKeysAsync(again.Id, Cancellation)).IdentityKey!;
            await ben.ShowsAsync(chat, again.Device.Id, key);
            Assert.Empty(await again.Device.KeyAlarmsAsync(Cancellation));
            await again.Device.Conversation(chat).SendTextAsync($"after {diesAt}", Cancellation);
            await ben.ReadsAsync($"after {diesAt}");
        }

        Assert.True(deaths >= 5, $"There were only {deaths} writes to die at.");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task After_a_lost_answer_the_device_has_the_key_that_the_chain_has()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        _fault.Around = static async (context, carryOut) =>
        {
            if (!IsPost(context))
            {
                await carryOut();
                return;
            }

            await HttpFault.LoseAnswerAsync(context, carryOut);
            await HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal");
        };
        await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.RotateIdentityAsync(Cancellation));
        _fault.Around = null;

        // Only who has the key in force sets a PIN.
        await ada.Device.SetPinAsync(Pin, Cancellation);
        Assert.Equal(1, await RotationsAsync(ada));
        Assert.Empty(await ada.Device.KeyAlarmsAsync(Cancellation));

        // And one that the server never saw is another attempt with the same key.
        _fault.Around = static (context, carryOut) => IsPost(context)
            ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
        await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.RotateIdentityAsync(Cancellation));
        _fault.Around = null;
        await ada.Device.RotateIdentityAsync(Cancellation);
        Assert.Equal(2, await RotationsAsync(ada));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_reset_whose_answer_was_lost_is_the_devices_when_it_is_tried_again()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        await using var phone = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        Assert.NotNull(await phone.ApprovalCodeAsync(Cancellation));
        _fault.Around = static async (context, carryOut) =>
        {
            if (IsPost(context))
            {
                await HttpFault.LoseAnswerAsync(context, carryOut);
                await HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal");
                return;
            }

            await carryOut();
        };
        await Assert.ThrowsAsync<ChatPayException>(() => phone.ResetIdentityAsync(Cancellation));
        _fault.Around = null;
        await Eventually.TrueAsync(
            async () => phone.IsApproved || await Record.ExceptionAsync(() => phone.ResetIdentityAsync(Cancellation)) is null,
            "the identity is the phone's");
        Assert.Null(await phone.ApprovalCodeAsync(Cancellation));
        Assert.True(phone.IsApproved);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task What_could_not_be_wrapped_anew_is_when_the_device_is_opened_again()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        var (store, ada) = (new MemoryStore(), "");
        byte[] key;
        await using (var person = await SdkPerson.JoinAsync(host.Address, store))
        {
            ada = person.Handle;
            await person.Device.SetPinAsync(Pin, Cancellation);
            _fault.Around = static (context, carryOut) =>
                context.Request.Method == HttpMethods.Put && context.Request.Path == "/v1/keys/wrapped"
                    ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
            await person.Device.RotateIdentityAsync(Cancellation);
            key = await OwnKeyAsync(person);
        }

        _fault.Around = null;
        await using var tablet = await SdkPerson.NewDeviceAsync(host.Address, ada);
        var early = await Assert.ThrowsAsync<ChatPayException>(() => tablet.RecoverAsync(Pin, Cancellation));
        Assert.Equal(ClientErrors.VaultUnavailable, early.Name);
        await using var again = await SdkPerson.OpenAsync(host.Address, store, ada);
        await Eventually.TrueAsync(
            async () => await Record.ExceptionAsync(() => tablet.RecoverAsync(Pin, Cancellation)) is null,
            "the PIN brings the new key back");
        Assert.True(tablet.IsApproved);
        Assert.Equal(key, await OwnKeyAsync(again));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Who_is_told_to_come_back_tomorrow_is_told_so_at_once()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        var asked = 0;
        _fault.Around = (context, carryOut) =>
        {
            if (!IsPost(context))
            {
                return carryOut();
            }

            asked++;
            return HttpFault.RefuseAsync(
                context, ErrorCode.TooManyRequests, "too_many_requests", retryAfterMs: 24 * 3600 * 1000);
        };
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.RotateIdentityAsync(Cancellation));
        Assert.Equal((ErrorCode.TooManyRequests, 1), (refused.Code, asked));

        // Nobody waits for their turn behind it.
        _fault.Around = null;
        await ada.Device.SetPinAsync(Pin, Cancellation);
    }

    private static bool IsPost(HttpContext context) =>
        context.Request.Method == HttpMethods.Post && context.Request.Path == "/v1/keys/entries";

    private static async Task<int> RotationsAsync(SdkPerson person) => (await ChainAsync(person))
        .Count(static entry => entry is { Type: KeyLogEntryType.Identity, Sequence: > 0 });

    /// <summary>The identity key in force, as the log has it.</summary>
    private static async Task<byte[]> OwnKeyAsync(SdkPerson person) => (await ChainAsync(person))
        .Last(static entry => entry.Type == KeyLogEntryType.Identity).NewKey.ToArray();

    private static async Task<IReadOnlyList<KeyLogEntry>> ChainAsync(SdkPerson person)
    {
        var chain = await person.Device.Client.KeyChainAsync(person.Id, 0, 0, Cancellation);
        return
        [
            .. chain.Entries.Select(static logged =>
                KeyLogEntry.TryRead(logged.Entry, out var entry, out _) ? entry : throw new InvalidDataException()),
        ];
    }
}
