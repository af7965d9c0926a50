using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Conversations.Commands;

internal sealed class SendCommand(Caller caller, SendRequest request) : WriteCommand<SendReply>, IAppendingCommand
{
    public ConversationId Conversation => request.Conversation;

    public IReadOnlyList<AccountId> Places { get; } = [caller.Account];

    public MessageKey? Message => new(request.Conversation, caller.Device, request.ClientId);

    public override Guid? Place => request.Conversation.Value;

    public override void Declare(WriteSet set) => set.Rows<ConversationRows>().NeedForAppending(this);

    public bool IsInOrder(ConversationState conversation) =>
        SendRules.Refusal(conversation, caller.Account, request) is null;

    public void NeedLocked(WriteSet set)
    {
        var rows = set.Rows<ConversationRows>();
        rows.NeedMember(request.Conversation, caller.Account);
        rows.NeedDuplicateCheck(request.Conversation, caller.Device, request.ClientId);
    }

    protected override Result<SendReply> DecideOutcome(WriteSet set)
    {
        var rows = set.Rows<ConversationRows>();
        var existing = rows.FindDuplicate(request.Conversation, caller.Device, request.ClientId);
        if (SendRules.Repeated(existing, request) is { } repeated)
        {
            return repeated;
        }

        if (!rows.IsTrusted(request.Conversation)
            && SendRules.Refusal(rows.Find(request.Conversation), caller.Account, request) is { } refusal)
        {
            return refusal;
        }

        var sent = rows.Append(request.Conversation, new(
            EventKind.Message, caller.Account, caller.Device, request.ClientId, request.Body));
        return new SendReply(sent.Seq, sent.At);
    }
}
