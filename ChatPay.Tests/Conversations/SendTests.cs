using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Conversations;

public sealed class SendTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_one_sends_the_other_gets_in_order_and_gapless()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var sent = new List<long>();
        for (var i = 0; i < 20; i++)
        {
            sent.Add((await group.SendAsync(i % 3 == 0 ? ben : ada)).Seq);
        }

        Assert.Equal(Enumerable.Range(2, 20).Select(seq => (long)seq), sent);
        var heard = await ben.Events.UntilAsync(events => events.Count >= 21);
        Assert.Equal(Enumerable.Range(1, 21).Select(seq => (long)seq), heard.Select(e => e.Seq));
        var stored = await ada.Client.EventsAsync(group.Id, 0, null, null, Cancellation);
        Assert.Equal(heard.Select(Essence), stored.Select(Essence));

        static (long, ClientMessageId?, EventKind, long) Essence(Event e) => (e.Seq, e.ClientId, e.Kind, e.Epoch);
    }

    [Fact]
    public async Task A_retry_gets_the_same_answer_and_adds_nothing()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var message = group.Message(ada);
        var first = await ada.Hub.SendAsync(message, Cancellation);
        await group.CommitAsync(ada);

        Assert.Equal(first, await ada.Hub.SendAsync(message, Cancellation));
        Assert.Equal(3, (await ada.Client.ConversationAsync(group.Id, Cancellation)).Head);
    }

    [Fact]
    public async Task A_client_id_with_another_body_is_refused()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var message = group.Message(ada);
        await ada.Hub.SendAsync(message, Cancellation);

        var error = await Person.ErrorOf(ada.Hub.SendAsync(group.Message(ada, message.ClientId), Cancellation));
        Assert.Equal((int)ErrorCode.ClientIdReused, error.Code);
        Assert.Equal(2, (await ada.Client.ConversationAsync(group.Id, Cancellation)).Head);
    }

    [Fact]
    public async Task A_stale_epoch_is_refused_with_the_winning_commit()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var stale = group.Message(ben);
        var commit = group.NewCommit(ada);
        var won = await ada.Hub.SubmitCommitAsync(commit, Cancellation);

        var error = await Person.ErrorOf(ben.Hub.SendAsync(stale, Cancellation));
        Assert.Equal((int)ErrorCode.StaleEpoch, error.Code);
        Assert.Equal(won.Epoch.ToString(System.Globalization.CultureInfo.InvariantCulture), error.Details!["epoch"].ToString());
        Assert.Equal(Convert.ToBase64String(commit.Commit), error.Details["commit"].ToString());

        // The client id was not accepted, so it is good for the message encrypted anew.
        group.Apply([], []);
        var again = await ben.Hub.SendAsync(group.Message(ben, stale.ClientId), Cancellation);
        Assert.Equal(3, again.Seq);
    }

    [Fact]
    public async Task Foreign_and_unknown_conversations_look_the_same()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var eve = await Person.JoinAsync(server.Address);
        var foreign = await TestGroup.DirectAsync(ada, ben);
        var unknown = TestGroup.NewId();
        foreach (var id in new[] { foreign.Id, unknown })
        {
            Task[] calls =
            [
                eve.Hub.SendAsync(foreign.Message(eve) with { Conversation = id }, Cancellation),
                eve.Hub.SyncAsync(new([new(id, 0)]), Cancellation),
                eve.Hub.MarkAsync(new([new(id, 1, 1)]), Cancellation),
                eve.Hub.TypingAsync(new(id, true), Cancellation),
                eve.Hub.SubmitCommitAsync(foreign.NewCommit(ada) with { Conversation = id }, Cancellation),
                eve.Client.ConversationAsync(id, Cancellation),
                eve.Client.EventsAsync(id, null, null, null, Cancellation),
                eve.Client.GroupInfoAsync(id, Cancellation),
                eve.Client.LeaveAsync(id, Cancellation),
                eve.Client.SetRoleAsync(id, ada.Id, MemberRole.Owner, Cancellation),
            ];
            foreach (var call in calls)
            {
                Assert.Equal((int)ErrorCode.ConversationUnknown, (await Person.ErrorOf(call)).Code);
            }
        }

        Assert.Empty(await eve.Client.ConversationsAsync(Cancellation));
    }

    [Fact]
    public async Task Bodies_that_do_not_fit_are_refused()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var other = await TestGroup.GroupAsync(ada, ben);
        var message = group.Message(ada);
        var cases = new (ErrorCode Code, SendRequest Request)[]
        {
            (ErrorCode.BodyTooLarge, group.Message(ada, null, Limits.MessageBodyBytes)),
            (ErrorCode.MessageMalformed, message with { Body = [] }),
            (ErrorCode.MessageMalformed, message with { Body = [.. message.Body, 0] }),
            (ErrorCode.MessageMalformed, message with { Body = other.Message(ada).Body }),
            (ErrorCode.MessageMalformed, message with { Body = TestMls.PrivateMessage(group.Id, 7, message.ClientId) }),
            (ErrorCode.MessageMalformed, message with { Body = group.NewCommit(ada).Commit }),
            (ErrorCode.StaleEpoch, message with { Epoch = 7 }),
        };
        foreach (var (code, request) in cases)
        {
            Assert.Equal((int)code, (await Person.ErrorOf(ada.Hub.SendAsync(request, Cancellation))).Code);
        }

        Assert.Equal(1, (await ada.Client.ConversationAsync(group.Id, Cancellation)).Head);
    }
}
