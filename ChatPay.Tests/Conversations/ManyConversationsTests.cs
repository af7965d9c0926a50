using System.Net.Http.Json;
using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Faults;
using ChatPay.Tests.Realtime;
using ChatPay.Tests.Support;
using Xunit;
using RawHub = ChatPay.Tests.Realtime.RawHub;

namespace ChatPay.Tests.Conversations;

/// <summary>
/// Somebody in many conversations is told of them in answers of bounded size, and of each of them all the same.
/// </summary>
public sealed class ManyConversationsTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    /// <summary>More than two pages and two greetings hold.</summary>
    private const int Many = (2 * Limits.ViewsPerHello) + 30;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Hello_shows_as_many_as_asked_for_and_names_the_rest_which_sync_tells()
    {
        await using var ada = await Person.SignUpAsync(server.Address);
        var rooms = await AddRoomsAsync(ada, 7);
        await ada.OpenAsync();
        await ada.Hub.HelloAsync(Hello(ada, null, 3), Cancellation);
        await ada.Hub.SendAsync(SealedBodies.Message(rooms[1]), Cancellation);
        await ada.Hub.SendAsync(SealedBodies.Message(rooms[2]), Cancellation);
        var first = await ada.Hub.HelloAsync(Hello(ada, null, 3), Cancellation);

        // What the client had last comes first, and then what was created last.
        var greeting = await ada.Hub.HelloAsync(
            Hello(ada, first.Lineage, 3, new(rooms[2], 1), new(rooms[0], 1), new(rooms[1], 1)), Cancellation);
        Assert.Equal(Strings([rooms[1], rooms[2], rooms[6]]), Strings(greeting.Changed.Select(view => view.Id)));
        Assert.Equal(
            Strings([rooms[3], rooms[4], rooms[5]]), Strings(greeting.Heads!.Select(head => head.Conversation)));
        Assert.All(greeting.Heads!, head => Assert.Equal(1, head.Seq));
        var pages = (await ada.Hub.SyncAsync(
            new([.. greeting.Heads!.Select(head => head with { Seq = 0 })]), Cancellation)).Pages;
        Assert.Equal([3, 4, 5], pages.Select(page => rooms.ToList().IndexOf(page.Conversation.Id)).Order());
        Assert.All(pages, page => Assert.Equal(1, Assert.Single(page.Events).Seq));

        // Where all fit there is nothing else to name.
        Assert.Null((await ada.Hub.HelloAsync(Hello(ada, null, 7), Cancellation)).Heads);
    }

    [Fact]
    public async Task A_client_that_knows_no_bound_is_shown_all_at_once()
    {
        await using var ada = await Person.SignUpAsync(server.Address);
        var rooms = await AddRoomsAsync(ada, Many);
        using var old = await RawHub.ConnectAsync(server.Address, ada.Client.Token!);
        var reply = await old.CallAsync(
            "Hello", $$"""[{"device":"{{ada.Device}}","protocol":1,"capabilities":[],"cursors":[]}]""");

        Assert.Equal(
            Strings(rooms), reply.GetProperty("result").GetProperty("ok").GetProperty("changed").EnumerateArray()
                .Select(view => view.GetProperty("id").GetString()!).Order(StringComparer.Ordinal));
        Assert.False(reply.GetProperty("result").GetProperty("ok").TryGetProperty("heads", out _));
        using var http = server.CreateClient();
        http.DefaultRequestHeaders.Authorization = new("Bearer", ada.Client.Token);
        var all = await http.GetFromJsonAsync<List<ConversationView>>(
            "v1/conversations", ProtocolJson.Create(), Cancellation);
        Assert.Equal(Strings(rooms), all!.Select(view => view.Id.ToString()).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(Limits.ViewsPerHello + 1)]
    public async Task A_hello_with_a_bound_that_is_none_is_refused(int views)
    {
        await using var ada = await Person.SignUpAsync(server.Address);
        await ada.OpenAsync();
        var refused = await Person.ErrorOf(ada.Hub.HelloAsync(Hello(ada, null, views), Cancellation));
        Assert.Equal((int)ErrorCode.InvalidArgument, refused.Code);
    }

    [Fact]
    public async Task Pages_of_conversations_follow_each_other_whatever_moves_comes_and_goes_between_them()
    {
        await using var ada = await Person.SignUpAsync(server.Address);
        var rooms = await AddRoomsAsync(ada, 7);
        await ada.ConnectAsync();
        var first = await ada.Client.ConversationsAsync(null, 3, Cancellation);
        Assert.Equal(Strings(rooms.Take(3)), Strings(first.Select(view => view.Id)));

        // The last of this page goes, one of this page and one of the next become the newest, and one comes in at the end.
        await ada.Client.LeaveAsync(rooms[2], Cancellation);
        await ada.Hub.SendAsync(SealedBodies.Message(rooms[0]), Cancellation);
        await ada.Hub.SendAsync(SealedBodies.Message(rooms[4]), Cancellation);
        var late = Assert.Single(await AddRoomsAsync(ada, 1));
        var second = await ada.Client.ConversationsAsync(first[^1].Id, 3, Cancellation);
        Assert.Equal(Strings(rooms.Skip(3).Take(3)), Strings(second.Select(view => view.Id)));
        Assert.Equal(2, second.Single(view => view.Id == rooms[4]).Head);
        var third = await ada.Client.ConversationsAsync(second[^1].Id, 3, Cancellation);
        Assert.Equal(Strings([rooms[6], late]), Strings(third.Select(view => view.Id)));
        Assert.Empty(await ada.Client.ConversationsAsync(late, 3, Cancellation));

        // After a conversation that the account is not in, and one that nobody is in, comes what has a greater id.
        Assert.Equal(second.Count, (await ada.Client.ConversationsAsync(rooms[2], 3, Cancellation)).Count);
        Assert.Equal(
            [.. rooms.Where(room => room != rooms[2]), late],
            (await ada.Client.ConversationsAsync(Cancellation)).Select(view => view.Id));
    }

    [Theory]
    [InlineData("limit=0", ErrorCode.InvalidArgument)]
    [InlineData("limit=101", ErrorCode.InvalidArgument)]
    [InlineData("limit=many", ErrorCode.MalformedRequest)]
    [InlineData("limit=10&after=nothing", ErrorCode.MalformedRequest)]
    public async Task A_page_that_cannot_be_is_refused(string query, ErrorCode code)
    {
        await using var ada = await Person.SignUpAsync(server.Address);
        using var http = server.CreateClient();
        http.DefaultRequestHeaders.Authorization = new("Bearer", ada.Client.Token);
        using var reply = await http.GetAsync($"v1/conversations?{query}", Cancellation);
        Assert.InRange((int)reply.StatusCode, 400, 499);
        var problem = await reply.Content.ReadFromJsonAsync<System.Text.Json.JsonElement>(Cancellation);
        Assert.Equal((int)code, problem.GetProperty("code").GetInt32());
    }

    [Fact]
    public async Task A_session_in_more_than_one_greeting_holds_reads_every_log_once_and_after_an_absence_too()
    {
        await using var ada = await Person.SignUpAsync(server.Address);
        var rooms = await AddRoomsAsync(ada, Many);
        ChatPosition position;
        await using (var first = SessionWatcher.Start(ada))
        {
            await first.CaughtUp.FirstAsync(_ => true);
            Assert.Equal(Strings(rooms), Strings(first.Events.Items.Select(e => e.Conversation)));
            Assert.All(first.Events.Items, e => Assert.Equal(1, e.Seq));
            position = first.Session.Position;
        }

        // While it is away every third moves on, and one is new.
        await ada.ConnectAsync();
        ConversationId[] moved = [.. rooms.Where((_, index) => index % 3 == 0)];
        foreach (var room in moved)
        {
            await ada.Hub.SendAsync(SealedBodies.Message(room), Cancellation);
        }

        var late = Assert.Single(await AddRoomsAsync(ada, 1));
        await ada.DisconnectAsync();
        await using var second = SessionWatcher.Start(ada, null, position);
        await second.CaughtUp.FirstAsync(_ => true);
        Assert.Equal(Strings([.. moved, late]), Strings(second.Events.Items.Select(e => e.Conversation)));

        // It hears those that it was only named as well.
        foreach (var room in rooms.Append(late))
        {
            await second.Session.SendAsync(SealedBodies.Message(room), Cancellation);
        }

        await second.Events.UntilAsync(events => events.Count == moved.Length + 1 + rooms.Count + 1);
        Assert.All(
            second.Events.Items.GroupBy(e => e.Conversation),
            log => Assert.Equal(log.Select(e => e.Seq).Order().Distinct(), log.Select(e => e.Seq)));
    }

    private static HelloRequest Hello(Person person, Guid? lineage, int views, params IReadOnlyList<Cursor> cursors) =>
        new(person.Device, Limits.ProtocolVersion, [], lineage, cursors, views);

    private static IEnumerable<string> Strings(IEnumerable<ConversationId> ids) =>
        ids.Select(id => id.ToString()).Order(StringComparer.Ordinal);

    /// <summary>Groups of one, by id, as the server would have left them after their first commit.</summary>
    private async Task<IReadOnlyList<ConversationId>> AddRoomsAsync(Person person, int count)
    {
        ChatPerson[] members = [new(person.Id, person.Device, "", [])];
        ChatRoom[] rooms = [.. Enumerable.Range(0, count).Select(_ => new ChatRoom(TestGroup.NewId(), members))];
        await ChatStore.AddRoomsAsync(server.DataSource, rooms, Cancellation);
        return [.. rooms.Select(room => room.Id).OrderBy(id => id.ToString(), StringComparer.Ordinal)];
    }
}
