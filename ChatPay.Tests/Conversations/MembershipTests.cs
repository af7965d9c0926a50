using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Conversations;

public sealed class MembershipTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_people_have_one_direct_conversation_however_often_it_is_created()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var request = TestGroup.Creation(ConversationKind.Direct, ada, [ben]);
        var created = await ada.Client.CreateConversationAsync(request, Cancellation);
        Assert.Equal(
            [(ada.Id, MemberRole.Member, 1L), (ben.Id, MemberRole.Member, 1L)],
            created.Members.Select(member => (member.Account, member.Role, member.JoinedSeq)).OrderBy(m => m.Account == ben.Id));
        Assert.Equal(ben.Client.Account!.Handle, created.Members.Single(member => member.Account == ben.Id).Handle);

        var again = await ada.Client.CreateConversationAsync(request, Cancellation);
        Assert.Equal((created.Id, created.Head), (again.Id, again.Head));
        var error = await Person.ErrorOf(ben.Client.CreateConversationAsync(
            TestGroup.Creation(ConversationKind.Direct, ben, [ada]), Cancellation));
        Assert.Equal((int)ErrorCode.ConversationExists, error.Code);
        Assert.Equal(created.Id.ToString(), error.Details!["conversation"].ToString());
    }

    [Fact]
    public async Task Both_creating_at_once_end_up_in_the_same_direct_conversation()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var errors = await Task.WhenAll(CreateAsync(ada, ben), CreateAsync(ben, ada));
        Assert.Single(errors, error => error is null);
        Assert.Equal((int)ErrorCode.ConversationExists, Assert.Single(errors, error => error is not null)!.Code);
        Assert.Single(await ada.Client.ConversationsAsync(Cancellation));

        static async Task<ErrorBody?> CreateAsync(Person one, Person other)
        {
            try
            {
                await one.Client.CreateConversationAsync(
                    TestGroup.Creation(ConversationKind.Direct, one, [other]), Cancellation);
                return null;
            }
            catch (ChatPay.Client.ChatPayException refused)
            {
                return refused.Error;
            }
        }
    }

    [Fact]
    public async Task A_direct_conversation_needs_one_other_and_a_taken_id_is_refused()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var cleo = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben);
        var cases = new (ErrorCode Code, CreateConversationRequest Request)[]
        {
            (ErrorCode.CommitInvalid, TestGroup.Creation(ConversationKind.Direct, ada, [])),
            (ErrorCode.CommitInvalid, TestGroup.Creation(ConversationKind.Direct, ada, [ben, cleo])),
            (ErrorCode.ClientIdReused, TestGroup.Creation(ConversationKind.Group, ada, [cleo], group.Id)),
        };
        foreach (var (code, request) in cases)
        {
            Assert.Equal((int)code, (await Person.ErrorOf(ada.Client.CreateConversationAsync(request, Cancellation))).Code);
        }
    }

    [Fact]
    public async Task Who_is_added_sees_from_there_on_and_who_is_removed_sees_nothing_later()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var cleo = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben);
        await group.SendAsync(ada);
        var added = await group.CommitAsync(ada, [cleo]);
        var heard = await group.SendAsync(ben);
        var removed = await group.CommitAsync(ada, null, [group.LeafOf(cleo)]);
        var later = await group.SendAsync(ada);
        await ben.Events.FirstAsync(e => e.Seq == later.Seq);

        var seen = await cleo.Events.UntilAsync(events => events.Any(e => e.Seq == removed.Seq));
        Assert.Equal([added.Seq, heard.Seq, removed.Seq], seen.Select(e => e.Seq));
        Assert.Equal([cleo.Id], seen[^1].Members!.Removed);
        Assert.Equal(
            [added.Seq, heard.Seq, removed.Seq],
            (await cleo.Client.EventsAsync(group.Id, 0, null, null, Cancellation)).Select(e => e.Seq));
        var page = Assert.Single((await cleo.Hub.SyncAsync(new([new(group.Id, 0)]), Cancellation)).Pages);
        Assert.Equal((removed.Seq, false, 0), (page.Conversation.Head, page.More, page.Conversation.Members.Count));
        Assert.Equal(3, page.Events.Count);
        Task[] refused =
        [
            cleo.Hub.SendAsync(group.Message(cleo), Cancellation),
            cleo.Client.ConversationAsync(group.Id, Cancellation),
            cleo.Client.GroupInfoAsync(group.Id, Cancellation),
            cleo.Hub.TypingAsync(new(group.Id, true), Cancellation),
        ];
        foreach (var call in refused)
        {
            Assert.Equal((int)ErrorCode.NotMember, (await Person.ErrorOf(call)).Code);
        }

        var greeting = await cleo.ConnectAsync(null, new Cursor(group.Id, removed.Seq));
        Assert.Equal([group.Id], greeting.Gone);
        await group.SendAsync(ada);
        Assert.DoesNotContain(cleo.Events.Items, e => e.Seq > removed.Seq);
    }

    [Fact]
    public async Task The_last_owner_hands_over_to_the_longest_standing_member()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var cleo = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben);
        await group.CommitAsync(ben, [cleo]);
        var adasLeaf = group.LeafOf(ada);
        await ada.Client.LeaveAsync(group.Id, Cancellation);

        var left = await cleo.Events.FirstAsync(e => e.Members?.Left.Count > 0);
        Assert.Equal([new RoleChange(ben.Id, MemberRole.Owner)], left.Members!.Roles);
        var view = await cleo.Client.ConversationAsync(group.Id, Cancellation);
        Assert.Equal(MemberRole.Owner, view.Members.Single(member => member.Account == ben.Id).Role);
        Assert.Equal([new PendingRemoval(adasLeaf, ada.Device, ada.Id)], view.PendingRemovals);
        Assert.Equal((int)ErrorCode.NotMember, (await Person.ErrorOf(ada.Client.LeaveAsync(group.Id, Cancellation))).Code);

        // Any member clears a pending leaf away.
        await group.CommitAsync(cleo, null, [adasLeaf]);
        Assert.Empty((await cleo.Client.ConversationAsync(group.Id, Cancellation)).PendingRemovals);
        var direct = await TestGroup.DirectAsync(ben, cleo);
        Assert.Equal(
            (int)ErrorCode.DirectConversation, (await Person.ErrorOf(ben.Client.LeaveAsync(direct.Id, Cancellation))).Code);
    }

    [Fact]
    public async Task Owners_set_roles_and_a_group_keeps_an_owner()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var eve = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben);
        var cases = new (ErrorCode Code, Person By, AccountId Whom, MemberRole Role)[]
        {
            (ErrorCode.NotOwner, ben, ben.Id, MemberRole.Owner),
            (ErrorCode.MemberUnknown, ada, eve.Id, MemberRole.Owner),
            (ErrorCode.InvalidArgument, ada, ada.Id, MemberRole.Member),
            (ErrorCode.ConversationUnknown, eve, eve.Id, MemberRole.Owner),
        };
        foreach (var (code, by, whom, role) in cases)
        {
            var error = await Person.ErrorOf(by.Client.SetRoleAsync(group.Id, whom, role, Cancellation));
            Assert.Equal(code, (ErrorCode)error.Code);
        }

        await ada.Client.SetRoleAsync(group.Id, ben.Id, MemberRole.Owner, Cancellation);
        await ada.Client.SetRoleAsync(group.Id, ben.Id, MemberRole.Owner, Cancellation);
        var change = await ben.Events.FirstAsync(e => e.Kind == EventKind.Members);
        Assert.Equal([new RoleChange(ben.Id, MemberRole.Owner)], change.Members!.Roles);
        await ben.Client.SetRoleAsync(group.Id, ada.Id, MemberRole.Member, Cancellation);
        Assert.Equal(3, (await ben.Client.ConversationAsync(group.Id, Cancellation)).Head);
    }

    [Fact]
    public async Task A_revoked_device_is_cut_off_and_its_leaf_waits_to_be_removed()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await using var tablet = await ada.OnAnotherDeviceAsync();
        await group.JoinAsync(tablet);
        await ada.Client.RevokeDeviceAsync(tablet.Device, Cancellation);

        Assert.Equal(ControlKind.Revoked, (await tablet.Controls.FirstAsync(_ => true)).Kind);
        await tablet.Closed.FirstAsync(_ => true);
        var revoked = await ben.Events.FirstAsync(e => e.Members?.DevicesRevoked.Count > 0);
        Assert.Equal([tablet.Device], revoked.Members!.DevicesRevoked);
        var leaf = group.LeafOf(tablet);
        Assert.Equal(
            [new PendingRemoval(leaf, tablet.Device, ada.Id)],
            (await ben.Client.ConversationAsync(group.Id, Cancellation)).PendingRemovals);
        await group.CommitAsync(ben, null, [leaf]);
        var after = await group.SendAsync(ada);
        Assert.DoesNotContain(tablet.Events.Items, e => e.Seq > revoked.Seq);
        Assert.Equal(after.Seq, (await ben.Events.FirstAsync(e => e.Seq == after.Seq)).Seq);
    }

    [Fact]
    public async Task A_member_without_any_device_left_is_put_out_by_an_owner()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var cleo = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben, cleo);
        var leaf = group.LeafOf(ben);
        Assert.Equal(1, await WaitingAsync(ben.Device));
        await ben.Client.RevokeDeviceAsync(ben.Device, Cancellation);
        Assert.Equal(0, await WaitingAsync(ben.Device));
        await ada.Events.FirstAsync(e => e.Members?.DevicesRevoked.Count > 0);
        await group.CommitAsync(ada, null, [leaf]);
        Assert.Contains(
            (await ada.Client.ConversationAsync(group.Id, Cancellation)).Members, member => member.Account == ben.Id);

        Assert.Equal(
            (int)ErrorCode.NotOwner,
            (await Person.ErrorOf(cleo.Client.RemoveMemberAsync(group.Id, ben.Id, Cancellation))).Code);
        await ada.Client.RemoveMemberAsync(group.Id, ben.Id, Cancellation);
        Assert.Equal([ben.Id], (await cleo.Events.FirstAsync(e => e.Members?.Removed.Count > 0)).Members!.Removed);
        var view = await ada.Client.ConversationAsync(group.Id, Cancellation);
        Assert.DoesNotContain(view.Members, member => member.Account == ben.Id);
        Assert.Empty(view.PendingRemovals);
    }

    [Fact]
    public async Task Who_is_put_out_without_a_commit_leaves_its_leaves_to_be_removed()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben);
        var leaf = group.LeafOf(ben);
        await ada.Client.RemoveMemberAsync(group.Id, ben.Id, Cancellation);
        Assert.Equal(
            [new PendingRemoval(leaf, ben.Device, ben.Id)],
            (await ada.Client.ConversationAsync(group.Id, Cancellation)).PendingRemovals);
        Assert.Equal((int)ErrorCode.NotMember, (await Person.ErrorOf(ben.Hub.SendAsync(group.Message(ben), Cancellation))).Code);
        await group.CommitAsync(ada, null, [leaf]);
    }

    [Fact]
    public async Task Nobody_comes_into_more_conversations_than_the_bound()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada);
        await using var fill = server.DataSource.CreateCommand("""
            with made as (
                insert into conversation (id, kind) select gen_random_uuid(), 2 from generate_series(1, $1) returning id)
            insert into member (conversation_id, account_id, role, joined_seq) select id, $2, 1, 1 from made
            """);
        fill.Parameters.Add(new() { Value = Limits.ConversationsPerAccount });
        fill.Parameters.Add(new() { Value = ben.Id.Value });
        await fill.ExecuteNonQueryAsync(Cancellation);

        Assert.Equal((int)ErrorCode.TooManyConversations, (await Person.ErrorOf(group.CommitAsync(ada, [ben]))).Code);
        Assert.Equal(
            (int)ErrorCode.TooManyConversations,
            (await Person.ErrorOf(ben.Client.CreateConversationAsync(
                TestGroup.Creation(ConversationKind.Group, ben, [ada]), Cancellation))).Code);
        Assert.Equal(1, (await ada.Client.ConversationAsync(group.Id, Cancellation)).Head);
    }

    private async Task<long> WaitingAsync(DeviceId device)
    {
        await using var count = server.DataSource.CreateCommand("select count(*) from device_message where device_id = $1");
        count.Parameters.Add(new() { Value = device.Value });
        return (long)(await count.ExecuteScalarAsync(Cancellation))!;
    }
}
