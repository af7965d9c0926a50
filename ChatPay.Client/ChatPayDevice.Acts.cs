using ChatPay.Client.Internal;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>What <see cref="ChatConversation"/> does, by the device that it belongs to.</content>
public sealed partial class ChatPayDevice
{
    internal IDeviceStore StoreOf => _core.Store;

    internal Task<SentMessage> SendTextAsync(
        ConversationState state, string text, ClientMessageId? id, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        return text.Length <= Limits.TextMaxChars
            ? _outbox.SendAsync(state, new MessageContent.Text(text), id, null, cancellationToken)
            : throw LocalErrors.Refused(
                ErrorCode.BodyTooLarge, $"A message has at most {Limits.TextMaxChars} characters.");
    }

    internal Task InviteAsync(
        ConversationState state, IReadOnlyList<AccountId> accounts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(accounts);
        return _desk.InviteAsync(state, accounts, cancellationToken);
    }

    internal Task RemoveAsync(ConversationState state, AccountId account, CancellationToken cancellationToken) =>
        _desk.RemoveAsync(state, account, cancellationToken);

    internal Task LeaveAsync(ConversationState state, CancellationToken cancellationToken) =>
        _desk.LeaveAsync(state, cancellationToken);

    internal Task RenameAsync(ConversationState state, string name, CancellationToken cancellationToken) =>
        _desk.RenameAsync(state, name, cancellationToken);

    internal Task SetRoleAsync(
        ConversationId conversation, AccountId account, MemberRole role, CancellationToken cancellationToken) =>
        Client.SetRoleAsync(conversation, account, role, cancellationToken);

    internal Task SetRetentionAsync(ConversationId conversation, int? days, CancellationToken cancellationToken) =>
        Client.SetRetentionAsync(conversation, days, cancellationToken);

    internal async Task RefreshAsync(ConversationId conversation, CancellationToken cancellationToken) =>
        await _door.LearnAsync(
            await Client.ConversationAsync(conversation, cancellationToken),
            cancellationToken);

    internal Task MarkReadAsync(ConversationState state, long seq, CancellationToken cancellationToken) =>
        _marks.ReadAsync(state, seq, cancellationToken);

    internal async Task TypingAsync(ConversationId conversation, bool active, CancellationToken cancellationToken) =>
        await _core.RequireSession().TypingAsync(new(conversation, active), cancellationToken);
}
