using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Conversations.Commands;

/// <summary>Group and first commit at once; a direct conversation is the pair's only one.</summary>
internal sealed class CreateCommand(Caller caller, ConversationKind kind, Handshake handshake)
    : WriteCommand<ConversationId>
{
    private readonly AccountId[] _others =
    [
        .. handshake.NamedAccounts.Where(account => account != caller.Account),
    ];

    public override void Declare(WriteSet set)
    {
        var rows = set.Rows<ConversationRows>();
        rows.NeedMember(handshake.Conversation, caller.Account);
        rows.NeedDuplicateCheck(handshake.Conversation, caller.Device, handshake.ClientId);
        rows.NeedDevices(handshake.Devices(caller.Device));
        rows.NeedMembershipCounts(handshake.NamedAccounts.Append(caller.Account));
        if (kind == ConversationKind.Direct && _others is [var other])
        {
            rows.NeedDirect(caller.Account, other);
        }
    }

    protected override Result<ConversationId> DecideOutcome(WriteSet set)
    {
        var rows = set.Rows<ConversationRows>();
        var existing = rows.FindDuplicate(handshake.Conversation, caller.Device, handshake.ClientId);
        if (CommitRules.Repeated(existing, handshake.Commit) is { } repeated)
        {
            return repeated.Map(_ => handshake.Conversation);
        }

        if (rows.Find(handshake.Conversation) is not null)
        {
            return ConversationErrors.ClientIdReused();
        }

        if (kind == ConversationKind.Direct && _others is [var peer] && rows.FindDirect(caller.Account, peer) is { } first)
        {
            return ConversationErrors.Exists(first);
        }

        if (!rows.HasRoomForAnother(caller.Account))
        {
            return ConversationErrors.TooManyConversations();
        }

        var begun = CreateRules.Begin(handshake.Conversation, kind, caller.Account, caller.Device, set.Now);
        var plan = handshake.Decide(rows, begun, caller);
        var refusal = plan.Error ?? CreateRules.CheckCompany(kind, plan.Value);
        if (refusal is not null)
        {
            return refusal;
        }

        rows.Add(begun, caller.Account, kind == ConversationKind.Direct ? plan.Value.AddedAccounts[0] : null);
        handshake.Append(rows, begun, plan.Value, caller, begun.Find(caller.Account));
        return begun.Id;
    }
}
