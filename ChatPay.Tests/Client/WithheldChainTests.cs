using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Client.Internal.Keys;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>A server that shows nothing of the keys of somebody whose device is in a conversation.</summary>
public sealed class WithheldChainTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private readonly HttpFault _fault = new();
    private readonly LateTime _time = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task A_chain_that_is_not_shown_at_first_contact_is_asked_for_again_and_raises_an_alarm_after_a_day(
        bool isBusy, bool isShownInTheEnd)
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        AccountId ben;
        await using (var person = await SdkPerson.JoinAsync(host.Address))
        {
            ben = person.Id;
        }

        Withhold(ben, isBusy);
        var store = new MemoryStore();
        string handle;
        await using (var ada = await SdkPerson.JoinAsync(host.Address, store, WithTime))
        {
            handle = ada.Handle;
            var chat = await ada.Device.StartDirectAsync(ben, Cancellation);
            await ada.Device.Conversation(chat.Id).SendTextAsync("who are you?", Cancellation);
        }

        while (await TriesAsync() is null or < LogGossip.TriesInVain)
        {
            await using var again = await SdkPerson.OpenAsync(host.Address, store, handle, WithTime);
            var before = await TriesAsync();
            await Eventually.TrueAsync(async () => await TriesAsync() != before, "it is asked for again");
            Assert.Empty(await again.Device.KeyAlarmsAsync(Cancellation));
        }

        _time.Late = TimeSpan.FromDays(1);
        if (isShownInTheEnd)
        {
            _fault.Around = null;
        }

        await using var last = await SdkPerson.OpenAsync(host.Address, store, handle, WithTime);
        await Eventually.TrueAsync(async () => await TriesAsync() is null, "it is over");
        if (isShownInTheEnd)
        {
            Assert.NotEmpty((await KeptAsync(store, ben))!.Entries);
            Assert.Empty(await last.Device.KeyAlarmsAsync(Cancellation));
            return;
        }

        await Eventually.TrueAsync(
            async () => (await last.Device.KeyAlarmsAsync(Cancellation)).Count > 0, "it is told of");
        var alarm = Assert.Single(await last.Device.KeyAlarmsAsync(Cancellation));
        Assert.Equal((KeyAlarmKind.ChainWithheld, ben), (alarm.Kind, alarm.Account));
        Assert.Equal([Convert.ToBase64String((await KeptAsync(store, ben))!.SeenKey!)], alarm.Evidence);

        async Task<int?> TriesAsync() => (await KeptAsync(store, ben))?.Withheld?.Tries;
    }

    private static async Task<PersonKeysRecord?> KeptAsync(MemoryStore store, AccountId account) =>
        await store.ReadAsync(StoreKeys.KeysOf(account), Cancellation) is { } kept
            ? DeviceCore.Decode<PersonKeysRecord>(kept) : null;

    private ChatPayDeviceOptions WithTime(ChatPayDeviceOptions options) =>
        options with { Session = options.Session with { Time = _time } };

    private void Withhold(AccountId account, bool isBusy) => _fault.Around = (context, carryOut) =>
        context.Request.Path != $"/v1/keys/accounts/{account}" ? carryOut()
            : isBusy ? HttpFault.RefuseAsync(context, ErrorCode.TooManyRequests, "too_many_requests", retryAfterMs: 1)
            : HttpFault.RefuseAsync(context, ErrorCode.AccountUnknown, "account_unknown");
}
