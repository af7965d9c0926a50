using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>What members of a group do with each other, in the plain case.</summary>
public sealed class GroupTests
{
    public static TheoryData<int> Suites => [1, 3];

    [Theory]
    [MemberData(nameof(Suites))]
    public void Members_add_update_and_remove_each_other_and_read_what_is_said(int suiteId)
    {
        Assert.True(MlsCipherSuite.TryGet((ushort)suiteId, out var suite));
        var members = TestGroups.Of(5, suite).ToList();
        TestGroups.AssertReads(members, members[0]);
        TestGroups.AssertReads(members, members[4]);

        var update = members[3].Commit();
        TestGroups.Deliver(update.Message, members, members[3]);
        TestGroups.AssertAgree(members);

        var removed = members[1];
        var removal = members[2].Commit(new MlsCommitRequest
        {
            Proposals = [new RemoveProposal { Removed = removed.Group.OwnLeaf }],
        });
        TestGroups.Deliver(removal.Message, members, members[2]);
        Assert.Equal(GroupStatus.Removed, removed.Group.Status);
        members.Remove(removed);
        TestGroups.AssertAgree(members);

        using var late = new TestClient("late", suite: suite);
        TestGroups.Add(members, [late], members[0], withPath: true);
        members.Add(late);
        Assert.Equal(1U, late.Group.OwnLeaf);
        TestGroups.AssertAgree(members);
        members.ForEach(member => TestGroups.AssertReads(members, member));
        members.ForEach(static member => member.Dispose());
        removed.Dispose();
    }
}
