using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Conversations.Commands;

/// <summary>Sets for how long a log is kept, and says so in it.</summary>
internal sealed class SetRetentionCommand(Caller caller, ConversationId conversation, int? days) : WriteCommand<Unit>
{
    public override void Declare(WriteSet set) => set.Rows<ConversationRows>().NeedMember(conversation, caller.Account);

    protected override Result<Unit> DecideOutcome(WriteSet set)
    {
        var rows = set.Rows<ConversationRows>();
        var state = rows.Find(conversation);
        var decided = RetentionRules.Set(state, caller.Account, days);
        if (!decided.IsOk)
        {
            return decided.Error!;
        }

        if (decided.Value is { } change)
        {
            rows.Append(conversation, new(
                EventKind.Members, caller.Account, caller.Device, Members: MembersChanges.Retention(change)));
            state!.Put(change);
        }

        return default(Unit);
    }
}
