using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Conversations.Commands;

internal sealed class LeaveCommand(Caller caller, ConversationId conversation) : WriteCommand<Unit>
{
    public override void Declare(WriteSet set) => set.Rows<ConversationRows>().NeedMembership(conversation);

    protected override Result<Unit> DecideOutcome(WriteSet set)
    {
        var rows = set.Rows<ConversationRows>();
        var state = rows.Find(conversation);
        var handover = MembershipRules.Leave(state, caller.Account);
        if (!handover.IsOk)
        {
            return handover.Error!;
        }

        var left = rows.Append(conversation, new(
            EventKind.Members, caller.Account, caller.Device,
            Members: MembersChanges.Left(caller.Account, handover.Value)));
        MembershipRules.Depart(state!, caller.Account, left.Seq);
        if (handover.Value is { } change)
        {
            MembershipRules.Apply(state!, change);
        }

        return default(Unit);
    }
}

/// <summary>Puts a member out at once; a commit that removes its leaves follows, where it has any.</summary>
internal sealed class RemoveMemberCommand(Caller caller, ConversationId conversation, AccountId target)
    : WriteCommand<Unit>
{
    public override void Declare(WriteSet set) => set.Rows<ConversationRows>().NeedMembership(conversation);

    protected override Result<Unit> DecideOutcome(WriteSet set)
    {
        var rows = set.Rows<ConversationRows>();
        var state = rows.Find(conversation);
        if (MembershipRules.CheckRemove(state, caller.Account, target) is { } refusal)
        {
            return refusal;
        }

        var removed = rows.Append(conversation, new(
            EventKind.Members, caller.Account, caller.Device, Members: MembersChanges.Removed(target)));
        MembershipRules.Depart(state!, target, removed.Seq);
        return default(Unit);
    }
}

internal sealed class SetRoleCommand(Caller caller, ConversationId conversation, AccountId target, MemberRole role)
    : WriteCommand<Unit>
{
    public override void Declare(WriteSet set) => set.Rows<ConversationRows>().NeedMembership(conversation);

    protected override Result<Unit> DecideOutcome(WriteSet set)
    {
        var rows = set.Rows<ConversationRows>();
        var state = rows.Find(conversation);
        var decided = MembershipRules.SetRole(state, caller.Account, target, role);
        if (!decided.IsOk)
        {
            return decided.Error!;
        }

        if (decided.Value is { } change)
        {
            rows.Append(conversation, new(
                EventKind.Members, caller.Account, caller.Device, Members: MembersChanges.Role(change)));
            MembershipRules.Apply(state!, change);
        }

        return default(Unit);
    }
}

/// <summary>A revoked device's leaf waits to be removed from one conversation; again is nothing.</summary>
internal sealed class RevokeDeviceCommand(AccountId account, DeviceId device, ConversationId conversation)
    : WriteCommand<Unit>
{
    public override void Declare(WriteSet set) => set.Rows<ConversationRows>().NeedMembership(conversation);

    protected override Result<Unit> DecideOutcome(WriteSet set)
    {
        var rows = set.Rows<ConversationRows>();
        if (rows.Find(conversation) is { } state && state.LeafOf(device) is { Pending: false } leaf)
        {
            rows.Append(conversation, new(
                EventKind.Members, account, null, Members: MembersChanges.Revoked(device)));
            state.Put(leaf with { Pending = true });
        }

        return default(Unit);
    }
}
