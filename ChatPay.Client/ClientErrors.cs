namespace ChatPay.Client;

/// <summary>
/// Names of the failures that come from this side rather than the server. Their <see cref="ChatPayException.Error"/>
/// has <see cref="Code"/> for a number.
/// </summary>
public static class ClientErrors
{
    /// <summary>The number of all of them, which the catalogue has for none of its own.</summary>
    public const int Code = 0;

    /// <summary>The server could not be reached; retryable.</summary>
    public const string Offline = "offline";

    /// <summary>
    /// Whether something was done cannot be found out any more, for example because the log no longer goes back to when
    /// it was tried.
    /// </summary>
    public const string OutcomeUnknown = "outcome_unknown";

    /// <summary>Not signed in, or the conversation is none that this device knows.</summary>
    public const string NotReady = "not_ready";

    /// <summary>
    /// This device could not get into a conversation's encryption; it tries again after each reconnect.
    /// </summary>
    public const string GroupBroken = "group_broken";

    /// <summary>A card's details are not what its author committed to: nothing can be done with it.</summary>
    public const string CardMismatch = "card_mismatch";

    /// <summary>A request from before this device joined, which it cannot check and therefore not pay.</summary>
    public const string CardUnreadable = "card_unreadable";

    /// <summary>
    /// The store failed. Where it was in writing, the device has ended: open it again once the store is well.
    /// </summary>
    public const string StoreFailed = "store_failed";

    /// <summary>The session is over: the device was revoked, signed out or refused.</summary>
    public const string SessionEnded = "session_ended";
}
