using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Conversations;

/// <summary>State tests as tables: <c>a:owner:1</c> joined at seq 1 and is an owner; "-" changes nothing.</summary>
public sealed class MembershipRulesTests
{
    private const string NotMember = "3002";
    private const string NotOwner = "3003";
    private const string MemberUnknown = "3014";
    private const string LastOwner = "1002";

    [Theory]
    [InlineData("a", "a:owner:1 b:member:1", "b")]
    [InlineData("a", "a:owner:1 b:owner:1", "-")]
    [InlineData("b", "a:owner:1 b:member:1", "-")]
    [InlineData("a", "a:owner:1", "-")]
    [InlineData("a", "a:owner:1 b:member:9 c:member:4", "c")]
    [InlineData("a", "a:owner:1 c:member:4 b:member:4", "b")]
    [InlineData("a", "a:owner:1 b:gone:1 c:member:4", "c")]
    [InlineData("b", "a:owner:1 b:gone:1", NotMember)]
    [InlineData("z", "a:owner:1", "3001")]
    public void Leaving_hands_over_where_no_owner_stays(string who, string members, string heir)
    {
        var result = MembershipRules.Leave(Group(members), Account(who));
        Assert.Equal(heir, result.IsOk ? Name(result.Value) : Code(result.Error!));
    }

    [Theory]
    [InlineData("a", "b", "owner", "a:owner:1 b:member:1", "b")]
    [InlineData("a", "b", "member", "a:owner:1 b:owner:1", "b")]
    [InlineData("a", "a", "member", "a:owner:1 b:owner:1", "a")]
    [InlineData("a", "b", "member", "a:owner:1 b:member:1", "-")]
    [InlineData("a", "a", "member", "a:owner:1 b:member:1", LastOwner)]
    [InlineData("b", "b", "owner", "a:owner:1 b:member:1", NotOwner)]
    [InlineData("a", "z", "owner", "a:owner:1", MemberUnknown)]
    [InlineData("a", "b", "owner", "a:owner:1 b:gone:1", MemberUnknown)]
    [InlineData("b", "a", "owner", "a:owner:1 b:gone:1", NotMember)]
    public void Roles_are_owners_to_give_and_one_owner_stays(
        string actor, string target, string role, string members, string outcome)
    {
        var result = MembershipRules.SetRole(Group(members), Account(actor), Account(target), Role(role));
        Assert.Equal(outcome, result.IsOk ? Name(result.Value) : Code(result.Error!));
    }

    [Theory]
    [InlineData("a", "b", "a:owner:1 b:member:1", "-")]
    [InlineData("a", "b", "a:owner:1 b:owner:1", "-")]
    [InlineData("a", "a", "a:owner:1 b:owner:1", "1002")]
    [InlineData("b", "a", "a:owner:1 b:member:1", NotOwner)]
    [InlineData("a", "z", "a:owner:1", MemberUnknown)]
    [InlineData("a", "b", "a:owner:1 b:gone:1", MemberUnknown)]
    [InlineData("b", "a", "a:owner:1 b:gone:1", NotMember)]
    public void Owners_put_members_out_but_never_themselves(string actor, string target, string members, string outcome)
    {
        var refusal = MembershipRules.CheckRemove(Group(members), Account(actor), Account(target));
        Assert.Equal(outcome, refusal is null ? "-" : Code(refusal));
    }

    [Fact]
    public void Who_departs_leaves_all_leaves_pending()
    {
        var group = Group("a:owner:1 b:member:1");
        for (var index = 0; index < 4; index++)
        {
            group.Load(new GroupLeaf(index, new(Account("d" + index).Value), Account(index % 2 == 0 ? "a" : "b"), 1, false));
        }

        MembershipRules.Depart(group, Account("b"), 7);
        Assert.Equal([1, 3], group.Leaves.Where(leaf => leaf.Pending).Select(leaf => leaf.Index));
        Assert.Equal([1, 3], group.ChangedLeaves.Order());
        Assert.False(group.IsMember(Account("b")));
        Assert.True(group.Find(Account("b"))!.MaySee(7));
        Assert.False(group.Find(Account("b"))!.MaySee(8));
    }

    [Fact]
    public void What_was_accepted_is_answered_again_before_anything_else_is_asked()
    {
        var request = new SendRequest(new(Account("x").Value), new(Account("m").Value), 3, [1, 2, 3]);
        var stored = new Event(
            request.Conversation, 5, EventKind.Message, Account("a"), null, request.ClientId, 3, default, [1, 2, 3]);

        Assert.Equal(5, SendRules.Repeated(stored, request)!.Value.Value.Seq);
        Assert.Equal(
            ErrorCode.ClientIdReused, SendRules.Repeated(stored with { Body = [1, 2] }, request)!.Value.Error!.Code);
        Assert.Equal(
            ErrorCode.ClientIdReused,
            SendRules.Repeated(stored with { Kind = EventKind.Commit }, request)!.Value.Error!.Code);
        Assert.Null(SendRules.Repeated(null, request));
        Assert.Equal(ErrorCode.ConversationUnknown, SendRules.Refusal(null, Account("a"), request)!.Code);
        Assert.Equal(ErrorCode.NotMember, SendRules.Refusal(Group("a:gone:1"), Account("a"), request)!.Code);
        Assert.Equal(ErrorCode.StaleEpoch, SendRules.Refusal(Group("a:member:1"), Account("a"), request)!.Code);
    }

    private static ConversationState Group(string members)
    {
        var group = new ConversationState(new(Account("x").Value), ConversationKind.Group, 6, 1, default)
        {
            IsComplete = true,
        };
        foreach (var member in members.Split(' '))
        {
            var parts = member.Split(':');
            var joined = long.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture);
            group.Load(new Member(Account(parts[0]), Role(parts[1]), joined, parts[1] == "gone" ? 6 : null));
        }

        return group;
    }

    private static MemberRole Role(string text) => text == "owner" ? MemberRole.Owner : MemberRole.Member;

    private static AccountId Account(string name)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Text.Encoding.ASCII.GetBytes(name, bytes);
        return new(new Guid(bytes, bigEndian: true));
    }

    private static string Name(RoleChange? change) =>
        change is null ? "-" : ((char)change.Account.Value.ToByteArray(bigEndian: true)[0]).ToString();

    private static string Code(Error error) =>
        ((int)error.Code).ToString(System.Globalization.CultureInfo.InvariantCulture);
}
