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
    /// This device could not get into a conversation's encryption; it tries again by itself, after each reconnect and,
    /// where the server was only busy, a while later.
    /// </summary>
    public const string GroupBroken = "group_broken";

    /// <summary>A card's details are not what its author committed to: nothing can be done with it.</summary>
    public const string CardMismatch = "card_mismatch";

    /// <summary>A request from before this device joined, which it cannot check and therefore not pay.</summary>
    public const string CardUnreadable = "card_unreadable";

    /// <summary>
    /// A receipt does not hold, or is not of what this device knows; the reason is in its details, as
    /// <see cref="ChatPay.Core.Receipts.ReceiptRejection"/> names it.
    /// </summary>
    public const string ReceiptInvalid = "receipt_invalid";

    /// <summary>
    /// The store failed. Where it was in writing, the device has ended: open it again once the store is well.
    /// </summary>
    public const string StoreFailed = "store_failed";

    /// <summary>
    /// Another program, or another object of this one, has the store open. This and the other troubles of opening a
    /// <see cref="FileStore"/> changed nothing in it.
    /// </summary>
    public const string StoreInUse = "store_in_use";

    /// <summary>The passphrase or key is not the one that the store was made with.</summary>
    public const string StoreWrongKey = "store_wrong_key";

    /// <summary>The store's file is none of its kind, or was changed by somebody else.</summary>
    public const string StoreDamaged = "store_damaged";

    /// <summary>A later version of this library wrote the store.</summary>
    public const string StoreTooNew = "store_too_new";

    /// <summary>The session is over: the device was revoked, signed out or refused.</summary>
    public const string SessionEnded = "session_ended";

    /// <summary>
    /// Somebody in the conversation has another identity key than the one that was accepted: nothing is sent or paid
    /// until <see cref="ChatPayDevice.AcceptIdentityAsync"/>. Or a device is there that claims to be somebody's and that their
    /// keys do not have: until they have removed it, also where they are accepted. It may claim to be of this very account.
    /// </summary>
    public const string IdentityChanged = "identity_changed";

    /// <summary>
    /// Money would arrive at once at somebody whose safety number was never compared, or whose key has changed since: compare it
    /// (<see cref="ChatPayDevice.VerifyIdentityAsync"/>), or send it so that it is held.
    /// </summary>
    public const string NotVerified = "not_verified";

    /// <summary>
    /// The PIN or passphrase is not the account's; a guess was spent. How many are left is in the details as <c>guessesLeft</c>,
    /// where that is known: 0 says that there are none now, and that the vault destroys what it holds, unless one that is open
    /// still turns out right within two minutes.
    /// </summary>
    public const string WrongPin = "wrong_pin";

    /// <summary>
    /// The PIN vault cannot help now: too few of its realms answer, or what they have is not what the account's keys name. The
    /// message says which; nothing was changed.
    /// </summary>
    public const string VaultUnavailable = "vault_unavailable";

    /// <summary>
    /// No guesses are left, and nothing is destroyed yet: the last one may be open still, and is given back where it turns out
    /// right. Two minutes later it is either that or <see cref="VaultExhausted"/>.
    /// </summary>
    public const string VaultUsedUp = "vault_used_up";

    /// <summary>
    /// The server names other realms for the PIN vault than those where the PIN was set, which are in the details as
    /// <c>realms</c>, a list of <see cref="NamedRealm"/>: nothing of the PIN was sent to them. See
    /// <see cref="ChatPayDevice.PinRealmsAsync"/>.
    /// </summary>
    public const string VaultRealmsOther = "vault_realms_other";

    /// <summary>
    /// All guesses are used up, and the vault has destroyed what it held: the PIN brings nothing back any more. Nothing else was
    /// changed; an approved device of the account sets the PIN anew.
    /// </summary>
    public const string VaultExhausted = "vault_exhausted";

    /// <summary>
    /// The vault's data were restored from a backup, so it opens for nobody: the PIN brings nothing back. Nothing else was
    /// changed; an approved device of the account sets the PIN anew.
    /// </summary>
    public const string VaultLocked = "vault_locked";

    /// <summary>
    /// The vault has nothing of this account, or the server names other realms than those that have: an approved device of it
    /// sets a PIN, and knows whether it is that.
    /// </summary>
    public const string VaultNotRegistered = "vault_not_registered";

    /// <summary>
    /// A realm of the vault gave an answer that cannot be true, and too few others did their part. Which is in the details as
    /// <c>realms</c>, a list of <see cref="NamedRealm"/>; there it is too beside other outcomes that a realm lied at.
    /// </summary>
    public const string VaultRealmLied = "vault_realm_lied";

    /// <summary>A PIN or passphrase that everybody would guess, or of another length than one may have.</summary>
    public const string PinRefused = "pin_refused";

    /// <summary>
    /// An archive's key is brought back by the PIN alone: set one first, or, where one is set, enter it on this device. Where it
    /// cannot be entered any more, as where the server names other realms than those that have it, there are two ways out: set
    /// a PIN on a device that reads the archive, or turn that off (<see cref="ChatPayDevice.TurnOffArchiveAsync"/>), which
    /// deletes it, and set one.
    /// </summary>
    public const string PinNeeded = "pin_needed";

    /// <summary>
    /// An archive's key is brought back by a PIN alone, and none is set, or the vault has it no more: set one first.
    /// </summary>
    public const string ArchiveNeedsPin = "archive_needs_pin";

    /// <summary>Another device has removed the account's PIN while this one set it: there is none now. Set it again.</summary>
    public const string PinRemoved = "pin_removed";

    /// <summary>An archive is on whose key this device does not have: enter the PIN on it.</summary>
    public const string ArchiveUnreadable = "archive_unreadable";

    /// <summary>A code of another device that is none, of another account, or out of date.</summary>
    public const string CodeInvalid = "code_invalid";

    /// <summary>
    /// A device was revoked by half, and the other half is not done: which is in the details as <c>chain</c> and
    /// <c>session</c>, <c>done</c>, <c>not_there</c>, <c>not_approved</c> or <c>failed</c>, and the device as <c>device</c>.
    /// The message says what that means; revoking it again does what is left.
    /// </summary>
    public const string RevokedInPart = "revoked_in_part";
}
