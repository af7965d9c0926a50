using System.Text.Json;
using System.Text.Json.Serialization;
using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Servers that are newer, busy, broken or not to be trusted: a device takes no harm of them.</summary>
public sealed class DeviceDoubtTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    private readonly HttpFault _http = new();
    private readonly HubFault _hub = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_conversation_that_is_not_of_exactly_these_two_is_none_to_talk_with_one_person_in()
    {
        await using var strange = await StartAsync();
        await using var ada = await SdkPerson.JoinAsync(strange.Address);
        await using var ben = await SdkPerson.JoinAsync(strange.Address);
        await using var chiara = await SdkPerson.JoinAsync(strange.Address);
        var group = await ada.Device.CreateGroupAsync("Lunch", [ben.Id, chiara.Id], Cancellation);
        var hers = await ada.Device.StartDirectAsync(chiara.Id, Cancellation);
        foreach (var wrong in new[] { group.Id, hers.Id })
        {
            _http.Around = async (context, carryOut) =>
            {
                if (context.Request.Method != HttpMethods.Post || context.Request.Path != "/v1/conversations")
                {
                    await carryOut();
                    return;
                }

                context.Response.StatusCode = StatusCodes.Status409Conflict;
                context.Response.ContentType = "application/problem+json";
                await context.Response.WriteAsync(
                    $$"""
                    {"code":{{(int)ErrorCode.ConversationExists}},"name":"conversation_exists","detail":"",
                    "retryable":false,"details":{"conversation":"{{wrong}}"} }
                    """);
            };
            var refused = await Assert.ThrowsAsync<ChatPayException>(
                () => ada.Device.StartDirectAsync(ben.Id, Cancellation));
            Assert.Equal(ErrorCode.DirectConversation, refused.Code);
        }

        _http.Around = null;
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        Assert.DoesNotContain(chat.Id, new[] { group.Id, hers.Id });
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_server_that_always_has_more_for_a_device_but_never_says_what_keeps_it_from_nothing()
    {
        await using var strange = await StartAsync();
        var pulls = 0;
        _hub.Around = async (call, carryOut) =>
        {
            if (call.HubMethodName == nameof(IChatHub.PullDevice))
            {
                Interlocked.Increment(ref pulls);
                return new HubReply<DeviceMessagesPage>(new([], More: true));
            }

            var answer = await carryOut();
            return answer is HubReply<HelloReply> { Ok: { } greeting }
                ? new HubReply<HelloReply>(greeting with { DeviceMessagesWaiting = 1 }) : answer;
        };
        await using var device = await ChatPayDevice.OpenAsync(
            SdkPerson.Options(strange.Address, new MemoryStore()), Cancellation);
        await device.SignUpAsync(SdkPerson.NewHandle(), "Ada", Person.Password, Cancellation);
        await device.OnlineAsync(Cancellation).WaitAsync(s_deadline, Cancellation);
        Assert.InRange(pulls, 1, 10);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task What_only_a_newer_version_knows_is_shown_as_such_and_the_log_goes_on()
    {
        await using var newer = await TestServer.StartAsync(server.ConnectionString, configure: services =>
        {
            _hub.AddTo(services);
            services.PostConfigure<JsonHubProtocolOptions>(
                json => json.PayloadSerializerOptions.Converters.Insert(0, new KindsToCome()));
        });
        await using var ben = await SdkPerson.JoinAsync(newer.Address);
        var (memory, handle, chat) = await SdkPerson.LeaveChatAsync(ben);
        var his = ben.Device.Conversation(chat);
        var strange = await his.SendTextAsync("of a kind to come", Cancellation);
        await his.SendTextAsync("as ever", Cancellation);
        _hub.Around = async (_, carryOut) =>
        {
            var answer = await carryOut();
            return answer is HubReply<SyncReply> { Ok: { } reply }
                ? new HubReply<SyncReply>(new([.. reply.Pages.Select(page => page with
                {
                    Events = [.. page.Events.Select(logged => logged.Seq == strange.Seq
                        ? logged with { Kind = KindsToCome.Kind, Body = null } : logged)],
                })]))
                : answer;
        };
        await using var ada = await SdkPerson.OpenAsync(newer.Address, memory, handle);
        await ada.ReadsAsync("as ever");
        var warning = Assert.Single(ada.Items.Items.OfType<Unreadable>());
        Assert.Equal((strange.Seq, UnreadableReason.NewerVersion), (warning.Seq, warning.Reason));
        await ada.Device.Conversation(chat).SendTextAsync("I see", Cancellation);
        await ben.ReadsAsync("I see");
    }

    [Fact]
    public void A_name_that_this_version_does_not_know_is_none_and_is_kept_as_such()
    {
        var role = JsonSerializer.Deserialize<RoleChange>(
            $$"""{"account":"01890a5d-ac96-7b8a-b1d0-6d5a4e0f9a11","role":"deputy"}""", WireFormat.Json)!;
        Assert.Equal(default, role.Role);
        var stored = JsonSerializer.Serialize(role, WireFormat.Json);
        Assert.Equal(role, JsonSerializer.Deserialize<RoleChange>(stored, WireFormat.Json));
        foreach (var known in Enum.GetValues<CardState>())
        {
            var name = JsonSerializer.Serialize(known, WireFormat.Json);
            Assert.Equal(JsonSerializer.Serialize(known, ProtocolJson.Create()), name);
            Assert.Equal(known, JsonSerializer.Deserialize<CardState>(name, WireFormat.Json));
        }

        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<CardState>("1", WireFormat.Json));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_conversation_that_cannot_be_joined_for_now_keeps_no_other_waiting_and_is_joined_later()
    {
        await using var busy = await StartAsync();
        await using var ada = await SdkPerson.JoinAsync(busy.Address);
        await using var ben = await SdkPerson.JoinAsync(busy.Address);
        var stuck = await ben.Device.CreateGroupAsync("Stuck", [ada.Id], Cancellation);
        var chat = await ben.Device.StartDirectAsync(ada.Id, Cancellation);
        await ada.SeesAsync(stuck.Id);
        await ada.SeesAsync(chat.Id);
        _http.Around = (context, carryOut) => context.Request.Path == $"/v1/conversations/{stuck.Id}/group-info"
            ? HttpFault.RefuseAsync(context, ErrorCode.Unavailable, "unavailable", retryAfterMs: 5)
            : carryOut();
        await using var phone = await ada.OnAnotherDeviceAsync().WaitAsync(s_deadline, Cancellation);
        await phone.SeesAsync(chat.Id);
        await chat.SendTextAsync("meanwhile", Cancellation);
        await phone.ReadsAsync("meanwhile");
        Assert.False(phone.Device.Conversation(stuck.Id).IsReadable);

        _http.Around = null;
        await phone.SeesAsync(stuck.Id);
        await stuck.SendTextAsync("at last", Cancellation);
        await phone.ReadsAsync("at last");
        Assert.DoesNotContain(phone.Items.Items, item => item is Unreadable);
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_conversation_that_the_server_does_not_show_for_now_keeps_no_other_waiting_and_is_read_whole(
        bool isThere)
    {
        await using var busy = await StartAsync();
        await using var ben = await SdkPerson.JoinAsync(busy.Address);
        var (memory, handle, chat) = await SdkPerson.LeaveChatAsync(ben);
        var id = ben.Device.Conversation(chat).Members.Single(member => member.Account != ben.Id).Account;
        var asked = 0;
        _http.Around = (context, carryOut) =>
        {
            if (context.Request.Method != HttpMethods.Get
                || !Guid.TryParse(Path.GetFileName(context.Request.Path.Value), out _))
            {
                return carryOut();
            }

            Interlocked.Increment(ref asked);
            return HttpFault.RefuseAsync(context, ErrorCode.Unavailable, "unavailable", retryAfterMs: 5);
        };
        var ada = isThere ? await SdkPerson.OpenAsync(busy.Address, memory, handle) : null;
        var stuck = await ben.Device.CreateGroupAsync("Stuck", [id], Cancellation);
        await stuck.SendTextAsync("in there", Cancellation);
        await ben.Device.Conversation(chat).SendTextAsync("meanwhile", Cancellation);
        ada ??= await SdkPerson.OpenAsync(busy.Address, memory, handle).WaitAsync(s_deadline, Cancellation);
        await using var reader = ada;
        await ada.ReadsAsync("meanwhile");
        await ada.ReadsAsync("in there");
        Assert.Single(ada.Items.Items, item => item is ConversationStarted && item.Conversation == stuck.Id);
        Assert.DoesNotContain(ada.Items.Items, item => item is Unreadable);
        Assert.True(asked > 0, "It was asked for.");
    }

    private Task<TestServer> StartAsync() => TestServer.StartAsync(server.ConnectionString, configure: services =>
    {
        _http.AddTo(services);
        _hub.AddTo(services);
    });

    /// <summary>As a newer server writes them.</summary>
    private sealed class KindsToCome : JsonConverter<EventKind>
    {
        public const EventKind Kind = (EventKind)99;

        public override EventKind Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("Nobody sends events to a server.");

        public override void Write(Utf8JsonWriter writer, EventKind value, JsonSerializerOptions options) =>
            writer.WriteStringValue(
                value == Kind ? "poll" : JsonNamingPolicy.CamelCase.ConvertName(Enum.GetName(value)!));
    }
}
