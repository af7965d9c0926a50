using ChatPay.Client;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Conversations;

public sealed class CommitTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_two_commits_for_one_epoch_one_wins_and_the_other_recovers()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        for (var round = 0; round < 10; round++)
        {
            var requests = new[] { (By: ada, Request: group.NewCommit(ada)), (By: ben, Request: group.NewCommit(ben)) };
            var outcomes = await Task.WhenAll(requests.Select(one => OutcomeAsync(one.By, one.Request)));
            var winner = Assert.Single(requests, one => outcomes[Array.IndexOf(requests, one)] is null);
            var loser = Assert.Single(outcomes, error => error is not null)!;
            Assert.Equal((int)ErrorCode.StaleEpoch, loser.Code);
            Assert.Equal(Convert.ToBase64String(winner.Request.Commit), loser.Details!["commit"].ToString());
            group.Apply([], []);
        }

        var log = await ada.Client.EventsAsync(group.Id, 0, null, null, Cancellation);
        Assert.Equal(Enumerable.Range(0, 11).Select(epoch => (long)epoch), log.Select(e => e.Epoch));
        await group.SendAsync(ben);
    }

    [Fact]
    public async Task Only_the_winners_Welcome_is_delivered_and_waits_until_acknowledged()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var cleo = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben);
        var requests = new[] { group.NewCommit(ada, [cleo]), group.NewCommit(ben, [cleo]) };
        var outcomes = await Task.WhenAll(OutcomeAsync(ada, requests[0]), OutcomeAsync(ben, requests[1]));
        var won = requests[outcomes[0] is null ? 0 : 1];

        var pushed = await cleo.DeviceMessages.FirstAsync(_ => true);
        Assert.Equal(won.Welcome, pushed.Body);
        var head = await cleo.Heads.FirstAsync(view => view.Id == group.Id);
        Assert.Equal((2, 2), (head.JoinedSeq, head.Epoch));
        var page = await cleo.Hub.PullDeviceAsync(Cancellation);
        Assert.Equal([pushed.Id], page.Messages.Select(message => message.Id));
        await ben.Hub.AckDeviceAsync(new([pushed.Id]), Cancellation);
        Assert.Single((await cleo.Hub.PullDeviceAsync(Cancellation)).Messages);
        await cleo.Hub.AckDeviceAsync(new([pushed.Id]), Cancellation);
        Assert.Empty((await cleo.Hub.PullDeviceAsync(Cancellation)).Messages);
        Assert.Equal(0, (await cleo.ConnectAsync()).DeviceMessagesWaiting);
    }

    [Fact]
    public async Task The_winning_commit_is_not_shown_to_who_came_later()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var cleo = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben);
        await group.CommitAsync(ada);
        await group.CommitAsync(ada, [cleo]);

        var late = group.Message(cleo) with { Epoch = 1 };
        var error = await Person.ErrorOf(cleo.Hub.SendAsync(late, Cancellation));
        Assert.Equal((int)ErrorCode.StaleEpoch, error.Code);
        Assert.Equal(["epoch"], error.Details!.Keys);
        Assert.Contains("commit", (await Person.ErrorOf(ben.Hub.SendAsync(late, Cancellation))).Details!.Keys);
    }

    [Fact]
    public async Task A_repeated_commit_gets_the_same_answer()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var commit = group.NewCommit(ada);
        var first = await ada.Hub.SubmitCommitAsync(commit, Cancellation);

        Assert.Equal(first, await ada.Client.SubmitCommitAsync(commit, Cancellation));
        var reused = commit with { Commit = group.NewCommit(ada).Commit };
        Assert.Equal((int)ErrorCode.ClientIdReused, (await OutcomeAsync(ada, reused))!.Code);
    }

    [Fact]
    public async Task Commits_that_break_a_rule_are_refused_and_change_nothing()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var cleo = await Person.JoinAsync(server.Address);
        var direct = await TestGroup.DirectAsync(ada, ben);
        var group = await TestGroup.GroupAsync(ada, ben);
        var adding = group.NewCommit(ada, [cleo]);
        var cases = new (string Why, ErrorCode Code, Person By, CommitRequest Request)[]
        {
            ("another's leaf", ErrorCode.CommitInvalid, ben, group.NewCommit(ada)),
            ("no Welcome", ErrorCode.CommitInvalid, ada, adding with { Welcome = null }),
            ("old GroupInfo", ErrorCode.CommitInvalid, ada,
                adding with { GroupInfo = TestMls.GroupInfo(group.Id, group.Epoch, ada.Key) }),
            ("GroupInfo signed by another", ErrorCode.CommitInvalid, ada,
                adding with { GroupInfo = TestMls.GroupInfo(group.Id, group.Epoch + 1, ben.Key) }),
            ("GroupInfo of another leaf", ErrorCode.CommitInvalid, ada,
                adding with { GroupInfo = TestMls.GroupInfo(group.Id, group.Epoch + 1, ada.Key, 1) }),
            ("another's Welcome", ErrorCode.CommitInvalid, ada,
                adding with { Welcome = TestMls.Welcome(cleo.KeyPackage()) }),
            ("a forged leaf", ErrorCode.CommitInvalid, ada, ForgedLeaf(group.NewCommit(ada))),
            ("a forged key package", ErrorCode.CommitInvalid, ada, ForgedAdd(adding)),
            ("negative epoch", ErrorCode.StaleEpoch, ada, adding with { Epoch = -1 }),
            ("not a commit", ErrorCode.CommitInvalid, ada, adding with { Commit = [1, 2, 3] }),
            ("blank leaf", ErrorCode.CommitInvalid, ada, group.NewCommit(ada, null, [5])),
            ("twice in", ErrorCode.CommitInvalid, ada, group.NewCommit(ada, [ben])),
            ("a member removes", ErrorCode.NotOwner, ben, group.NewCommit(ben, null, [0])),
            ("third in a direct one", ErrorCode.DirectConversation, ada, direct.NewCommit(ada, [cleo])),
            ("out of a direct one", ErrorCode.DirectConversation, ada, direct.NewCommit(ada, null, [1])),
            ("wrong epoch", ErrorCode.StaleEpoch, ada, adding with { Epoch = 9 }),
        };
        foreach (var (why, code, by, request) in cases)
        {
            Assert.Equal((why, code), (why, (ErrorCode)(await OutcomeAsync(by, request))!.Code));
        }

        Assert.Equal((1, 1), Place(await ada.Client.ConversationAsync(group.Id, Cancellation)));
        Assert.Equal((1, 1), Place(await ada.Client.ConversationAsync(direct.Id, Cancellation)));
        Assert.Empty((await cleo.Hub.PullDeviceAsync(Cancellation)).Messages);
    }

    [Fact]
    public async Task A_second_device_joins_by_an_external_commit_and_speaks()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await using var tablet = await ada.OnAnotherDeviceAsync();
        Assert.Equal([group.Id], tablet.Greeting.Changed.Select(view => view.Id));
        Assert.Equal(1, (await tablet.Client.GroupInfoAsync(group.Id, Cancellation)).Epoch);

        await group.JoinAsync(tablet);
        var sent = await group.SendAsync(tablet);
        Assert.Equal(tablet.Device, (await ben.Events.FirstAsync(e => e.Seq == sent.Seq)).Device);

        // Again, as after losing its state: it replaces its own leaf.
        await group.JoinAsync(tablet);
        await group.SendAsync(tablet);
    }

    [Fact]
    public async Task A_large_commit_goes_over_HTTP()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var large = group.NewCommit(ada) with { Welcome = new byte[Limits.HubHandshakeBytes] };

        Assert.Equal((int)ErrorCode.TooLarge, (await OutcomeAsync(ada, large))!.Code);
        Assert.Equal(2, (await ada.Client.SubmitCommitAsync(large, Cancellation)).Epoch);
    }

    private static CommitRequest ForgedLeaf(CommitRequest request) =>
        request with { Commit = Flipped(request.Commit, Inspect(request.Commit).PathLeaf!.Signature) };

    private static CommitRequest ForgedAdd(CommitRequest request)
    {
        var commit = Flipped(request.Commit, Inspect(request.Commit).Adds[0].Signature);
        return request with { Commit = commit, Welcome = TestMls.Welcome(TestMls.Encode(new(Inspect(commit).Adds[0]))) };
    }

    private static InspectedCommit Inspect(byte[] commit)
    {
        Assert.True(CommitInspector.TryInspect(commit, out var inspected, out _));
        return inspected;
    }

    /// <summary>The message with one bit of a part of it changed.</summary>
    private static byte[] Flipped(byte[] message, byte[] part)
    {
        byte[] flipped = [.. message];
        flipped[message.AsSpan().IndexOf(part)] ^= 1;
        return flipped;
    }

    private static (long Head, long Epoch) Place(ConversationView view) => (view.Head, view.Epoch);

    private static async Task<ErrorBody?> OutcomeAsync(Person person, CommitRequest request)
    {
        try
        {
            await person.Hub.SubmitCommitAsync(request, Cancellation);
            return null;
        }
        catch (ChatPayException refused)
        {
            return refused.Error;
        }
    }
}
