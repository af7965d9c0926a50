using System.Diagnostics;
using System.Text;
using System.Text.Json;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using ChatPay.Server.Realtime;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Realtime;

/// <summary>Plain messages and card actions pass SignalR's dispatcher by. A client cannot tell, however it writes them.</summary>
public sealed class CallLaneTests(ServerFixture server, DatabaseFixture database)
    : IClassFixture<ServerFixture>, IClassFixture<DatabaseFixture>
{
    private static readonly JsonSerializerOptions s_json = ProtocolJson.Create();
    private static readonly IdFactory s_ids = new(TimeProvider.System);
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(6);
    private static readonly Dictionary<string, string?> s_impatient = new(StringComparer.Ordinal)
    {
        ["Realtime:KeepAliveSeconds"] = "1",
        ["Realtime:ClientTimeoutSeconds"] = "6",
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{"type":1,"invocationId":"a","target":"Send","arguments":[REQUEST]}""", "a")]
    [InlineData("""{"arguments":[REQUEST],"target":"Send","invocationId":"a\"\\\u00e9","type":1}""", "a\"\\é")]
    [InlineData(""" { "type" : 1 , "invocationId" : "" , "target" : "Send" , "arguments" : [ REQUEST ] } """, "")]
    [InlineData("""{"\u0074ype":1,"invocationId":"a","target":"Send","arguments":[REQUEST]}""", "a")]
    [InlineData("""{"type":1,"headers":{"a":"b"},"invocationId":"a","target":"Send","arguments":[REQUEST]}""", "a")]
    [InlineData("""{"type":1,"invocationId":"a","target":"Send","arguments":[REQUEST],"streamIds":[]}""", "a")]
    [InlineData("""{"type":1,"invocationId":"a","target":"\u0053end","arguments":[REQUEST]}""", "a")]
    [InlineData("""{"type":1,"invocationId":"a","target":"send","arguments":[REQUEST]}""", "a")]
    [InlineData("""{"type":1,"invocationId":"a","target":"Send","arguments":[REQUEST]}}""", "a")]
    public async Task However_it_is_written_it_is_answered_under_its_id(string frame, string id)
    {
        await using var ada = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada);
        using var hub = await JoinAsync(ada);

        await hub.SendAsync(frame.Replace("REQUEST", Request(group, ada), StringComparison.Ordinal));
        var completion = await hub.FrameAsync(3);

        Assert.Equal(id, completion.GetProperty("invocationId").GetString());
        Assert.Equal(2, completion.GetProperty("result").GetProperty("ok").GetProperty("seq").GetInt64());
        Assert.False(completion.TryGetProperty("error", out _));
    }

    [Theory]
    [InlineData("""{"type":1,"invocationId":"a","target":"CardAct","arguments":[REQUEST]}""", true)]
    [InlineData("""{"arguments":[REQUEST],"invocationId":"a","target":"CardAct","type":1}""", true)]
    [InlineData("""{"type":1,"headers":{"to":"Send"},"invocationId":"a","target":"CardAct","arguments":[REQUEST]}""", false)]
    [InlineData("""{"type":1,"invocationId":"a","target":"CardAct","arguments":[REQUEST],"streamIds":[]}""", false)]
    [InlineData("""{"type":1,"invocationId":"a","target":"cardAct","arguments":[REQUEST]}""", false)]
    public async Task A_card_action_is_answered_under_its_id_whichever_way_it_goes(string frame, bool isTaken)
    {
        await using var ada = await Person.JoinAsync(server.Address);
        using var hub = await JoinAsync(ada);
        var request = JsonSerializer.Serialize(
            new CardActRequest(s_ids.New<CardId>(), 1, CardActionKind.Accept, s_ids.NewUuid()), s_json);
        frame = frame.Replace("REQUEST", request, StringComparison.Ordinal);

        Assert.Equal(isTaken, CallLane.TryTake(Encoding.UTF8.GetBytes(frame + '\u001e'), out _, out _));
        await hub.SendAsync(frame);
        var completion = await hub.FrameAsync(3);

        Assert.Equal("a", completion.GetProperty("invocationId").GetString());
        Assert.Equal(
            (int)ErrorCode.CardUnknown,
            completion.GetProperty("result").GetProperty("error").GetProperty("code").GetInt32());
    }

    [Theory]
    [InlineData("""{"\udc00":1,"invocationId":"a","target":"Send","arguments":[REQUEST]}""")]
    [InlineData("""{"type":1,"invocationId":"a","target":"\ud800","x":"Send","arguments":[REQUEST]}""")]
    [InlineData("""{"type":1,"target":"Send","arguments":[REQUEST],"invocationId":7}""")]
    [InlineData("""{"type":1,"invocationId":"a","target":"Send","arguments":[REQUEST""")]
    public async Task What_is_no_frame_closes_with_a_numbered_error(string frame)
    {
        await using var ada = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada);
        using var hub = await JoinAsync(ada);

        await hub.SendAsync(frame.Replace("REQUEST", Request(group, ada), StringComparison.Ordinal));
        var close = JsonDocument.Parse((await hub.FrameAsync(7)).GetProperty("error").GetString()!).RootElement;

        Assert.Equal((int)ErrorCode.MalformedRequest, close.GetProperty("code").GetInt32());
    }

    [Fact]
    public async Task Calls_that_come_together_are_answered_in_their_order_whichever_way_they_go()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada);
        using var hub = await JoinAsync(ada);
        string Send(int id) => Call($"{id}", "Send", Request(group, ada));

        await hub.SendAsync(
        [
            Send(1), Send(2), Call("3", "PullDevice", ""), Send(4),
            """{"type":6}""", Send(5),
        ]);
        var answers = new List<JsonElement>();
        while (answers.Count < 5)
        {
            answers.Add(await hub.FrameAsync(3));
        }

        Assert.Equal(["1", "2", "3", "4", "5"], answers.Select(answer => answer.GetProperty("invocationId").GetString()));
        var sent = answers.Select(answer => answer.GetProperty("result").GetProperty("ok"))
            .Where(ok => ok.TryGetProperty("seq", out _))
            .Select(ok => ok.GetProperty("seq").GetInt32());
        Assert.Equal([2, 3, 4, 5], sent);
    }

    [Fact]
    public async Task A_message_waits_for_the_call_before_it()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada);
        using var hub = await JoinAsync(ada);
        var (id, next) = (TestGroup.NewClientId(), group.Epoch + 1);
        var inNextEpoch = new SendRequest(group.Id, id, next, TestMls.PrivateMessage(group.Id, next, id, 100));

        // Not together: SignalR is to wait for more while the first runs.
        await hub.SendAsync(Call("1", "SubmitCommit", JsonSerializer.Serialize(group.NewCommit(ada), s_json)));
        await hub.SendAsync(Call("2", "Send", JsonSerializer.Serialize(inNextEpoch, s_json)));

        foreach (var call in new[] { "1", "2" })
        {
            var answer = await hub.FrameAsync(3);
            Assert.Equal(call, answer.GetProperty("invocationId").GetString());
            Assert.True(answer.GetProperty("result").TryGetProperty("ok", out _), answer.GetRawText());
        }
    }

    [Fact]
    public async Task A_frame_may_come_in_pieces()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada);
        using var hub = await JoinAsync(ada);
        var frames = string.Concat(
            Enumerable.Range(1, 3).Select(id => Call($"{id}", "Send", Request(group, ada)) + '\u001e'));

        // Piece by piece: the end of one frame comes with the beginning of the next.
        var cuts = new[] { 0, frames.Length / 5, frames.Length / 2, frames.Length - 1, frames.Length };
        foreach (var (from, to) in cuts.Zip(cuts.Skip(1)))
        {
            await hub.SendPartAsync(frames[from..to]);
        }

        for (var seq = 2; seq <= 4; seq++)
        {
            Assert.Equal(seq, (await hub.FrameAsync(3)).GetProperty("result").GetProperty("ok").GetProperty("seq").GetInt32());
        }
    }

    [Fact]
    public async Task Before_Hello_nothing_is_sent()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada);
        using var hub = await RawHub.ConnectAsync(server.Address, ada.Client.Token!);

        var completion = await hub.CallAsync("Send", $"[{Request(group, ada)}]");

        Assert.Equal(
            (int)ErrorCode.HelloFirst, completion.GetProperty("result").GetProperty("error").GetProperty("code").GetInt32());
    }

    [Fact]
    public async Task One_whose_message_takes_long_is_not_taken_for_gone()
    {
        await using var impatient = await TestServer.StartAsync(database.ConnectionString, s_impatient);
        await using var ada = await Person.JoinAsync(impatient.Address);
        var group = await TestGroup.GroupAsync(ada);
        using var hub = await JoinAsync(ada, impatient.Address);
        await hub.SendAsync("""{"type":6}""");

        await using var held = await HoldAsync(group);
        await hub.SendAsync(Call("1", "Send", Request(group, ada)));

        // Longer than SignalR waits for a sign of life. Who reads answers the pings of the WebSocket.
        var answered = hub.FrameAsync(3);
        await Task.Delay(1.5 * s_timeout, Cancellation);
        Assert.False(answered.IsCompleted);
        await held.DisposeAsync();

        Assert.True((await answered).GetProperty("result").TryGetProperty("ok", out _));
        Assert.True((await hub.CallAsync("Send", $"[{Request(group, ada)}]")).GetProperty("result").TryGetProperty("ok", out _));
    }

    [Fact]
    public async Task More_than_is_kept_beside_a_message_waits_in_the_socket_and_is_answered_in_order()
    {
        await using var patient = await TestServer.StartAsync(database.ConnectionString);
        await using var ada = await Person.JoinAsync(patient.Address);
        var group = await TestGroup.GroupAsync(ada);
        using var hub = await JoinAsync(ada, patient.Address);
        await using var held = await HoldAsync(group);

        const int Messages = 16;
        var sending = Task.Run(
            async () =>
            {
                for (var id = 1; id <= Messages; id++)
                {
                    var request = JsonSerializer.Serialize(group.Message(ada, null, 50_000), s_json);
                    await hub.SendAsync(Call($"{id}", "Send", request));
                }
            },
            Cancellation);
        await Eventually.TrueAsync(IsWaitedForAsync, "a message waits for the conversation's row");
        await held.DisposeAsync();

        for (var id = 1; id <= Messages; id++)
        {
            var answer = await hub.FrameAsync(3);
            Assert.Equal($"{id}", answer.GetProperty("invocationId").GetString());
            Assert.Equal(1 + id, answer.GetProperty("result").GetProperty("ok").GetProperty("seq").GetInt64());
        }

        await sending;
    }

    [Fact]
    public async Task One_who_has_nothing_to_say_but_messages_is_not_taken_for_gone()
    {
        await using var impatient = await TestServer.StartAsync(database.ConnectionString, s_impatient);
        await using var ada = await Person.JoinAsync(impatient.Address);
        var group = await TestGroup.GroupAsync(ada);
        using var hub = await JoinAsync(ada, impatient.Address);

        // From its first ping on, SignalR expects to hear of it.
        await hub.SendAsync("""{"type":6}""");
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < 1.5 * s_timeout)
        {
            var completion = await hub.CallAsync("Send", $"[{Request(group, ada)}]");
            Assert.True(completion.GetProperty("result").TryGetProperty("ok", out _));
            await Task.Delay(s_timeout / 60, Cancellation);
        }
    }

    /// <summary>Lets no message into the conversation until what comes back is disposed of.</summary>
    private async Task<NpgsqlConnection> HoldAsync(TestGroup group)
    {
        // Closing it ends its transaction.
        var held = new NpgsqlConnection(database.ConnectionString);
        await held.OpenAsync(Cancellation);
        await held.BeginTransactionAsync(Cancellation);
        await using var hold = new NpgsqlCommand("select 1 from conversation where id = $1 for update", held);
        hold.Parameters.Add(new() { Value = group.Id.Value });
        await hold.ExecuteScalarAsync(Cancellation);
        return held;
    }

    private async Task<bool> IsWaitedForAsync()
    {
        await using var asking = new NpgsqlConnection(database.ConnectionString);
        await asking.OpenAsync(Cancellation);
        await using var look = new NpgsqlCommand(
            "select exists (select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')",
            asking);
        return await look.ExecuteScalarAsync(Cancellation) is true;
    }

    private async Task<RawHub> JoinAsync(Person person, Uri? address = null)
    {
        var hub = await RawHub.ConnectAsync(address ?? server.Address, person.Client.Token!);
        await hub.HelloAsync(person.Device);
        return hub;
    }

    private static string Call(string id, string method, string argument) =>
        $$"""{"type":1,"invocationId":"{{id}}","target":"{{method}}","arguments":[{{argument}}]}""";

    private static string Request(TestGroup group, Person sender) =>
        JsonSerializer.Serialize(group.Message(sender, null), s_json);
}
