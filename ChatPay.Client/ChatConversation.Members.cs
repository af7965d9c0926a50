using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>Who is in it, and how it is called.</content>
public sealed partial class ChatConversation
{
    /// <summary>Adds people to a group, with all their devices; they read what is said from then on.</summary>
    /// <param name="accounts">Those who are in it already are passed over.</param>
    /// <exception cref="ChatPayException">
    /// <c>direct_conversation</c>; <c>group_full</c>; <c>key_package_unavailable</c>: one of them has no device that
    /// could be added now; among others.
    /// </exception>
    /// <example>
    /// <code>await group.InviteAsync([chiara.Id], cancellationToken);</code>
    /// </example>
    public Task InviteAsync(IReadOnlyList<AccountId> accounts, CancellationToken cancellationToken) =>
        _device.InviteAsync(_state, accounts, cancellationToken);

    /// <summary>
    /// Removes somebody from a group, with all their devices: they read nothing of what is said afterwards.
    /// </summary>
    /// <param name="account">A member; for oneself there is <see cref="LeaveAsync"/>.</param>
    /// <exception cref="ChatPayException"><c>not_owner</c>; <c>member_unknown</c>; among others.</exception>
    /// <example>
    /// <code>await group.RemoveAsync(chiara.Id, cancellationToken);</code>
    /// </example>
    public Task RemoveAsync(AccountId account, CancellationToken cancellationToken) =>
        _device.RemoveAsync(_state, account, cancellationToken);

    /// <summary>Leaves; the last owner of a group hands over to the member who has been in it for longest.</summary>
    /// <exception cref="ChatPayException"><c>not_member</c>, or the server cannot be reached.</exception>
    /// <example>
    /// <code>await group.LeaveAsync(cancellationToken);</code>
    /// </example>
    public Task LeaveAsync(CancellationToken cancellationToken) => _device.LeaveAsync(_state, cancellationToken);

    /// <summary>Gives a group another name; any member may.</summary>
    /// <param name="name">1 to 64 UTF-16 units; encrypted like any message.</param>
    /// <exception cref="ChatPayException"><c>not_member</c>, among others.</exception>
    /// <example>
    /// <code>await group.RenameAsync("Late lunch", cancellationToken);</code>
    /// </example>
    public Task RenameAsync(string name, CancellationToken cancellationToken) =>
        _device.RenameAsync(_state, name, cancellationToken);

    /// <summary>Makes a member an owner, or an owner a member; owners only.</summary>
    /// <exception cref="ChatPayException"><c>not_owner</c>; <c>member_unknown</c>; among others.</exception>
    /// <example>
    /// <code>await group.SetRoleAsync(ada.Id, MemberRole.Owner, cancellationToken);</code>
    /// </example>
    public Task SetRoleAsync(AccountId account, MemberRole role, CancellationToken cancellationToken) =>
        _device.SetRoleAsync(Id, account, role, cancellationToken);

    /// <summary>
    /// Sets for how long the server keeps the log; owners of a group, either person of a direct conversation.
    /// </summary>
    /// <param name="days">1 to 3,650; null for the server's default.</param>
    /// <exception cref="ChatPayException"><c>not_owner</c>; <c>retention_invalid</c>; among others.</exception>
    /// <example>
    /// <code>await conversation.SetRetentionAsync(30, cancellationToken);</code>
    /// </example>
    public Task SetRetentionAsync(int? days, CancellationToken cancellationToken) =>
        _device.SetRetentionAsync(Id, days, cancellationToken);
}
