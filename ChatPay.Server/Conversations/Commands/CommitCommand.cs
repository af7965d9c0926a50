using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Conversations.Commands;

/// <summary>Compare-and-set on the epoch, in the transaction that appends the commit.</summary>
internal sealed class CommitCommand(Caller caller, Handshake handshake) : WriteCommand<CommitReply>
{
    public override void Declare(WriteSet set)
    {
        var rows = set.Rows<ConversationRows>();
        rows.NeedMembership(handshake.Conversation);
        rows.NeedDuplicateCheck(handshake.Conversation, caller.Device, handshake.ClientId);
        rows.NeedDevices(handshake.Devices(caller.Device));
        rows.NeedMembershipCounts(handshake.NamedAccounts);
    }

    protected override Result<CommitReply> DecideOutcome(WriteSet set)
    {
        var rows = set.Rows<ConversationRows>();
        var existing = rows.FindDuplicate(handshake.Conversation, caller.Device, handshake.ClientId);
        if (CommitRules.Repeated(existing, handshake.Commit) is { } repeated)
        {
            return repeated;
        }

        var conversation = rows.Find(handshake.Conversation);
        if (SendRules.CheckMember(conversation, caller.Account) is { } refusal)
        {
            return refusal;
        }

        if (handshake.Epoch != conversation!.Epoch)
        {
            return ConversationErrors.StaleEpoch(conversation.Epoch);
        }

        var plan = handshake.Decide(rows, conversation, caller);
        if (!plan.IsOk)
        {
            return plan.Error!;
        }

        var appended = handshake.Append(rows, conversation, plan.Value, caller);
        return new CommitReply(appended.Seq, conversation.Epoch, appended.At);
    }
}
