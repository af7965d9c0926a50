namespace ChatPay.Core.Protocol;

/// <summary>Replaces what the connection watches; an empty list ends it.</summary>
/// <param name="Accounts">At most <see cref="Limits.PresenceWatched"/>.</param>
public sealed record WatchPresenceRequest(IReadOnlyList<AccountId> Accounts);

/// <param name="Accounts">Of the accounts asked for, those that share a live conversation with the caller.</param>
public sealed record PresenceReply(IReadOnlyList<PresenceView> Accounts);

/// <summary>
/// Whether somebody is there. Who hides, or hides from the caller because the caller hides, is neither online nor was seen.
/// </summary>
/// <param name="Online">Whether a device of the account is connected.</param>
/// <param name="LastSeen">
/// When the last of them went, rounded down to <see cref="Limits.LastSeenMinutes"/>; null while online and where it is not known.
/// </param>
public sealed record PresenceView(AccountId Account, bool Online, DateTimeOffset? LastSeen = null);

/// <summary>Who may see whether an account is there. Who shows it to nobody does not see it of others.</summary>
public enum PresenceVisibility
{
    /// <summary>Everybody in a conversation with it.</summary>
    Contacts = 1,

    Nobody = 2,
}

/// <summary><c>PUT /v1/me/presence</c>.</summary>
public sealed record ChangePresenceRequest(PresenceVisibility Presence);
