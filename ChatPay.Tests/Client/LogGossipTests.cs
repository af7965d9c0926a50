using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Client.Internal.Keys;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>A server that does not say how what somebody else was shown of the key log goes with what this device was.</summary>
public sealed class LogGossipTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private readonly HttpFault _fault = new();
    private readonly LateTime _time = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_the_server_does_not_answer_for_is_asked_again_and_raises_an_alarm_after_a_day(bool isAnswered)
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        var store = new MemoryStore();
        await using var ben = await SdkPerson.JoinAsync(host.Address);
        string handle;
        await using (var ada = await SdkPerson.JoinAsync(host.Address, store, WithTime))
        {
            handle = ada.Handle;
            var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
            await ben.SeesAsync(chat.Id);

            // Ben sees more of the log than Ada, and the log goes on, so that the two are never of one size.
            await using var third = await SdkPerson.JoinAsync(host.Address);
            await ben.Device.StartDirectAsync(third.Id, Cancellation);
            await using var fourth = await SdkPerson.JoinAsync(host.Address);
            Refuse();
            await ben.Device.Conversation(chat.Id).SendTextAsync("do you see what I see?", Cancellation);
            await ada.ReadsAsync("do you see what I see?");
            await Eventually.TrueAsync(async () => await KeptAsync(store) is { Tries: >= 1 }, "it is kept");
            Assert.Equal(ben.Id, (await KeptAsync(store))!.From);
        }

        await using (var again = await SdkPerson.OpenAsync(host.Address, store, handle, WithTime))
        {
            await Eventually.TrueAsync(async () => await KeptAsync(store) is { Tries: >= 2 }, "it is asked about again");
            Assert.Empty(await again.Device.KeyAlarmsAsync(Cancellation));
        }

        _time.Late = TimeSpan.FromDays(1);
        if (isAnswered)
        {
            _fault.Around = null;
        }

        await using var last = await SdkPerson.OpenAsync(host.Address, store, handle, WithTime);
        await Eventually.TrueAsync(async () => await KeptAsync(store) is null, "it is over");
        var alarms = await last.Device.KeyAlarmsAsync(Cancellation);
        if (isAnswered)
        {
            Assert.Empty(alarms);
            return;
        }

        var alarm = Assert.Single(alarms);
        Assert.Equal((KeyAlarmKind.LogUnproven, ben.Id), (alarm.Kind, alarm.Account));
        Assert.Equal(2, alarm.Evidence.Distinct(StringComparer.Ordinal).Count());
    }

    private static async Task<UnprovenNote?> KeptAsync(MemoryStore store) =>
        await store.ReadAsync(StoreKeys.UnprovenNotes, Cancellation) is { } kept
            ? DeviceCore.Decode<UnprovenNotesRecord>(kept).Notes.SingleOrDefault() : null;

    private ChatPayDeviceOptions WithTime(ChatPayDeviceOptions options) =>
        options with { Session = options.Session with { Time = _time } };

    private void Refuse() => _fault.Around = static (context, carryOut) => context.Request.Path == "/v1/keys/consistency"
        ? HttpFault.RefuseAsync(context, ErrorCode.TooManyRequests, "too_many_requests", retryAfterMs: 1) : carryOut();
}
