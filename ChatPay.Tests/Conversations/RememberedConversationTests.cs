using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Server.Conversations;
using ChatPay.Tests.Cluster;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Conversations;

/// <summary>
/// A node decides plain messages on what it remembers of a conversation. Here the other node, of which it is told nothing,
/// changes the conversation behind its back.
/// </summary>
public sealed class RememberedConversationTests(DatabaseFixture database, PostgresFixture postgres)
    : IClassFixture<DatabaseFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_nodes_append_to_the_same_logs_at_once_and_each_message_stands_in_them_once()
    {
        await using var nodes = await DeafAsync();
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        await using var cleo = await Person.JoinAsync(nodes.B.Address);
        TestGroup[] groups = [await TestGroup.DirectAsync(ada, ben), await TestGroup.GroupAsync(ada, ben, cleo)];
        async Task<List<SendReply>> TalkAsync(TestGroup group, Person person)
        {
            var replies = new List<SendReply>();
            for (var i = 0; i < 40; i++)
            {
                replies.Add(await group.SendAsync(person));
            }

            return replies;
        }

        var talks = groups
            .SelectMany(group => new[] { ada, ben }, (group, person) => (Group: group, Replies: TalkAsync(group, person)))
            .ToArray();
        await Task.WhenAll(talks.Select(talk => talk.Replies));
        foreach (var group in groups)
        {
            var seqs = new List<long>();
            foreach (var talk in talks.Where(talk => talk.Group == group))
            {
                seqs.AddRange((await talk.Replies).Select(reply => reply.Seq));
            }

            var log = await ada.Client.EventsAsync(group.Id, 0, null, null, Cancellation);
            Assert.Equal(log.Where(e => e.Kind == EventKind.Message).Select(e => e.Seq), seqs.Order());
            Assert.Equal(80, log.Count(e => e.Kind == EventKind.Message));
            Assert.Equal(Enumerable.Range(1, log.Count).Select(seq => (long)seq), log.Select(e => e.Seq));
        }
    }

    [Fact]
    public async Task A_message_of_an_epoch_that_the_other_node_has_ended_is_stale()
    {
        await using var nodes = await DeafAsync();
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await RememberAsync(nodes.A, group, ada);
        var late = group.Message(ada);
        await group.CommitAsync(ben);
        var refused = await Person.ErrorOf(ada.Hub.SendAsync(late, Cancellation));
        Assert.Equal((int)ErrorCode.StaleEpoch, refused.Code);
        Assert.Equal(5, (await group.SendAsync(ada)).Seq);
    }

    [Fact]
    public async Task Whom_the_other_node_has_seen_leave_says_nothing_more()
    {
        await using var nodes = await DeafAsync();
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.A.Address);
        await using var bensOther = await ben.OnAnotherDeviceAsync(nodes.B.Address);
        await using var cleo = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.GroupAsync(cleo, ada, ben);
        await RememberAsync(nodes.A, group, ben);
        await bensOther.Client.LeaveAsync(group.Id, Cancellation);

        // Of ada the node knows nothing yet: her message brings the head up to date, not what is known of ben.
        await group.SendAsync(ada);
        Assert.Equal((int)ErrorCode.NotMember, (await Person.ErrorOf(group.SendAsync(ben))).Code);
    }

    [Fact]
    public async Task A_message_sent_again_to_either_node_is_answered_as_at_first()
    {
        await using var nodes = await DeafAsync();
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await RememberAsync(nodes.A, group, ada);
        await RememberAsync(nodes.B, group, ben);
        using var moved = new ChatPayClient(nodes.B.Address, ada.Client.Token);
        await using var there = await moved.ConnectAsync(new ChatHandlers(), Cancellation);
        await there.HelloAsync(new(ada.Device, Limits.ProtocolVersion, [], null, []), Cancellation);
        await there.SendAsync(group.Message(ada), Cancellation);
        var message = group.Message(ada);
        var first = await ada.Hub.SendAsync(message, Cancellation);
        Assert.Equal(first, await there.SendAsync(message, Cancellation));
        Assert.Equal(first, await ada.Hub.SendAsync(message, Cancellation));
        var other = group.Message(ada, message.ClientId);
        Assert.Equal((int)ErrorCode.ClientIdReused, (await Person.ErrorOf(there.SendAsync(other, Cancellation))).Code);
        Assert.Equal(first.Seq, (await ada.Client.ConversationAsync(group.Id, Cancellation)).Head);
    }

    /// <summary>What was restored has the same head with other members, so that no head tells one from the other.</summary>
    [Fact]
    public async Task What_a_node_remembers_of_a_lost_database_is_forgotten()
    {
        await using var nodes = await DeafAsync();
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var ben = await Person.JoinAsync(nodes.A.Address);
        var group = await TestGroup.GroupAsync(ada, ben);
        var elsewhere = await TestGroup.DirectAsync(ada, ben);
        await RememberAsync(nodes.A, group, ben);
        await postgres.AdministerAsync(database.ConnectionString, $"""
            update member set left_seq = 3 where conversation_id = '{group.Id.Value}' and account_id = '{ben.Id.Value}'
            """);
        await postgres.AdministerAsync(database.ConnectionString, """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()
            """);
        await elsewhere.SendAsync(ada);
        Assert.Equal((int)ErrorCode.NotMember, (await Person.ErrorOf(group.SendAsync(ben))).Code);
    }

    /// <summary>Two nodes that are told nothing of each other while a test lasts.</summary>
    private Task<TwoNodes> DeafAsync() => TwoNodes.StartAsync(database.ConnectionString, "", TwoNodes.Never);

    /// <summary>The second message is the first one that nothing was read for.</summary>
    private static async Task RememberAsync(TestServer node, TestGroup group, Person person)
    {
        var head = (await group.SendAsync(person)).Seq;
        var known = node.Services.GetRequiredService<ConversationCache>().Find(group.Id);
        Assert.Equal(head, known?.Head);
        Assert.Contains(person.Id, known!.Members);
        await group.SendAsync(person);
    }
}
