using ChatPay.Core.Protocol;
using ChatPay.Core.Receipts;
using ChatPay.Core.Vault;

namespace ChatPay.Client.Internal;

/// <summary>
/// Failures of this side, in the shape of the server's; the web client has them under the same names.
/// </summary>
internal static class LocalErrors
{
    private const string SetAnew =
        "Nothing else was changed. Set the PIN anew on a device of the account that is approved; it can approve this one too.";

    public static ChatPayException Offline(Exception? cause = null) => Local(
        ClientErrors.Offline, "The server cannot be reached. Nothing is known to have happened.",
        retryable: true, cause);

    public static ChatPayException OutcomeUnknown() => Local(
        ClientErrors.OutcomeUnknown, "Whether it was done cannot be told any more. Look before doing it again.");

    public static ChatPayException NotReady(string message) => Local(ClientErrors.NotReady, message);

    public static ChatPayException GroupBroken() => Local(
        ClientErrors.GroupBroken,
        "This device could not get into the conversation's encryption. It tries again by itself.",
        retryable: true);

    public static ChatPayException CardMismatch() => Local(
        ClientErrors.CardMismatch, "What this card shows is not what its author committed to.");

    public static ChatPayException CardUnreadable() => Local(
        ClientErrors.CardUnreadable,
        "This device cannot check the card against its author's words, so it does not pay it.");

    public static ChatPayException ReceiptInvalid(ReceiptRejection rejection) => new(new ErrorBody(
        ClientErrors.Code, ClientErrors.ReceiptInvalid,
        $"The ledger's receipt is not right: {rejection}. Keep it, and ask the operator.", Retryable: false,
        new Dictionary<string, object>(StringComparer.Ordinal) { ["reason"] = rejection.ToString() }));

    /// <param name="names">Of the people whose keys changed.</param>
    public static ChatPayException IdentityChanged(string names) => Local(
        ClientErrors.IdentityChanged,
        $"The identity key of {names} has changed. Nothing is sent or paid until you have accepted the new one.");

    /// <param name="names">In whose name there is one.</param>
    public static ChatPayException DeviceUnlogged(string names) => Local(
        ClientErrors.IdentityChanged,
        $"A device is in this conversation in the name of {names} that their keys do not have. Nothing is sent or paid there "
        + "until they have removed it.");

    public static ChatPayException OwnDeviceUnlogged() => Local(
        ClientErrors.IdentityChanged,
        "A device is in this conversation as one of this account's under an identity key that the account's keys do not "
        + "have. Nothing is sent or paid there until it is gone: see the account's devices.");

    public static ChatPayException NotVerified() => Local(
        ClientErrors.NotVerified, "Money arrives at once only at people whose safety number was compared.");

    /// <param name="guessesLeft">The fewest that a realm told of; 0 where too few realms may have any.</param>
    /// <param name="liars">Realms whose answers cannot be true, beside those that decided.</param>
    public static ChatPayException WrongPin(int? guessesLeft, IReadOnlyList<NamedRealm> liars) => OfVault(
        ClientErrors.WrongPin,
        guessesLeft switch
        {
            null => "The PIN is wrong.",
            0 => "The PIN is wrong, and no guess is left now. Where another one is still being made and turns out right, it is "
                + "given back within two minutes. Where not, the PIN vault destroys what it holds, and the PIN brings nothing "
                + "back any more: then set it anew on a device of the account that is approved; it can approve this one too. "
                + "Nothing else was changed.",
            1 => "The PIN is wrong; one guess is left.",
            _ => $"The PIN is wrong; {guessesLeft} guesses are left.",
        },
        liars,
        guessesLeft is null ? null : new(StringComparer.Ordinal) { ["guessesLeft"] = guessesLeft });

    public static ChatPayException VaultUsedUp(IReadOnlyList<NamedRealm> liars) => OfVault(
        ClientErrors.VaultUsedUp,
        "No guesses of the PIN are left now. Where one is still being made and turns out right it is given back: try again in "
        + "two minutes. Where not, the PIN vault destroys what it holds.", liars);

    /// <param name="named">The realms that the server names.</param>
    public static ChatPayException VaultRealmsOther(IReadOnlyList<NamedRealm> named) => new(new ErrorBody(
        ClientErrors.Code, ClientErrors.VaultRealmsOther,
        "The server names other parts (\"realms\") for the PIN vault than those where the PIN was set: "
        + $"{string.Join(", ", named)}. Nothing of the PIN was sent to them. Ask whoever runs the server whether they have "
        + "changed them. Nothing was changed where the PIN was set, and what has become of it there cannot be asked now; setting "
        + "one again would give it to the new ones.", Retryable: false,
        new Dictionary<string, object>(StringComparer.Ordinal) { ["realms"] = named }));

    public static ChatPayException VaultExhausted(IReadOnlyList<NamedRealm> liars) => OfVault(
        ClientErrors.VaultExhausted,
        "Wrong guesses have used up all that there were, and the PIN vault has destroyed what it held: this PIN brings nothing "
        + "back any more. " + SetAnew, liars);

    public static ChatPayException VaultLocked(IReadOnlyList<NamedRealm> liars) => OfVault(
        ClientErrors.VaultLocked,
        "The PIN vault's data were restored from a backup that may have forgotten guesses, so nobody opens it any more: this "
        + "PIN brings nothing back. " + SetAnew, liars);

    public static ChatPayException VaultNotRegistered(IReadOnlyList<NamedRealm> liars) => OfVault(
        ClientErrors.VaultNotRegistered,
        "The PIN vault has nothing of this account: the PIN was removed, or deleted, or the server names other realms now than "
        + "those where it was set. " + SetAnew, liars);

    public static ChatPayException VaultRealmLied(IReadOnlyList<NamedRealm> liars) => OfVault(
        ClientErrors.VaultRealmLied,
        $"The PIN vault cannot help: an answer cannot be true, and it is that of {string.Join(", ", liars)}. Whether the PIN is "
        + "right is not known, and nothing was changed. Tell whoever runs the server.", liars);

    public static ChatPayException VaultUnavailable(string message) => Local(ClientErrors.VaultUnavailable, message);

    public static ChatPayException PinRefused(PinRefusal refusal) => new(new ErrorBody(
        ClientErrors.Code, ClientErrors.PinRefused, $"This PIN or passphrase is not taken: {refusal}.", Retryable: false,
        new Dictionary<string, object>(StringComparer.Ordinal) { ["reason"] = refusal.ToString() }));

    public static ChatPayException PinNeeded() => Local(
        ClientErrors.PinNeeded,
        "Only the PIN brings an archive's key back: set one first, or enter the one that is set on this device.");

    /// <summary>A PIN that is set anew here would leave behind what the one that is set brings back.</summary>
    public static ChatPayException PinNeededFirst() => Local(
        ClientErrors.PinNeeded,
        "An archive is on, and this device has not its key, which the PIN that is set now brings back: enter that one here "
        + "first. Where it opens nothing any more, or cannot be entered because the server names other parts (\"realms\") for "
        + "the PIN vault, set a PIN on a device that reads the archive, which keeps its key, or turn the archive off, which "
        + "deletes what is in it, and set one here.");

    public static ChatPayException ArchiveNeedsPin() => Local(
        ClientErrors.ArchiveNeedsPin,
        "Only a PIN brings an archive's key back, and none is set that would: set one first, then turn the archive on.");

    public static ChatPayException PinRemoved() => Local(
        ClientErrors.PinRemoved, "Another device has removed the PIN while this one set it: there is none now.");

    public static ChatPayException ArchiveUnreadable() => Local(
        ClientErrors.ArchiveUnreadable, "This device does not have the archive's key: enter the PIN on it.");

    public static ChatPayException CodeInvalid(string message) => Local(ClientErrors.CodeInvalid, message);

    /// <param name="done">One half is, and the other one is not.</param>
    public static ChatPayException RevokedInPart(DeviceId device, DeviceRevocation done, ChatPayException? cause)
    {
        ArgumentNullException.ThrowIfNull(done);
        var message = done.Session == RevocationHalf.Failed
            ? "The account's keys do not have this device, but the server has not confirmed that its sessions are over, so it "
                + "may still read what comes for the account. Revoke it again."
            : "The device is signed out, but it is not confirmed that the account's keys are without it: until then others could "
                + "take it for yours again. "
                + (done.Chain == RevocationHalf.NotApproved
                    ? "Only an approved device can take it out of them: revoke it again on one."
                    : "Revoke it again when the server can be reached.");
        return new(
            new ErrorBody(
                ClientErrors.Code, ClientErrors.RevokedInPart, message, cause?.Retryable ?? false,
                new Dictionary<string, object>(StringComparer.Ordinal)
                {
                    ["device"] = device,
                    ["chain"] = NameOf(done.Chain),
                    ["session"] = NameOf(done.Session),
                }),
            cause);
    }

    public static ChatPayException SessionEnded(ChatSessionEnd? end, Exception? cause) => Local(
        ClientErrors.SessionEnded, $"This device's session is over ({end?.ToString() ?? "closed"}): sign in again.",
        retryable: false, cause);

    public static ChatPayException StoreFailed(Exception cause) => Local(
        ClientErrors.StoreFailed, $"The device's store failed: {cause.Message}", retryable: false, cause);

    /// <summary>A store's file cannot be opened, with the name of what is the matter where that is known.</summary>
    public static ChatPayException StoreClosed(Exception cause) => Local(
        (cause as StoreException)?.Name ?? ClientErrors.StoreFailed, cause.Message, retryable: false, cause);

    /// <summary>The store answers, but not with what this device has put there.</summary>
    public static ChatPayException StoreUnreadable(string message, Exception? cause = null) => Local(
        ClientErrors.StoreFailed, message, retryable: false, cause);

    public static ChatPayException Refused(ErrorCode code, string message) =>
        new(ErrorBody.From(new Error(code, message)));

    private static string NameOf(RevocationHalf half) => half switch
    {
        RevocationHalf.Done => "done",
        RevocationHalf.NotThere => "not_there",
        RevocationHalf.NotApproved => "not_approved",
        _ => "failed",
    };

    /// <param name="liars">Named in the details as <c>realms</c>; nothing there where there are none.</param>
    private static ChatPayException OfVault(
        string name, string message, IReadOnlyList<NamedRealm> liars, Dictionary<string, object>? details = null)
    {
        if (liars.Count > 0)
        {
            (details ??= new(StringComparer.Ordinal))["realms"] = liars;
            if (name != ClientErrors.VaultRealmLied)
            {
                message += $" Besides, an answer cannot be true, and it is that of {string.Join(", ", liars)}: tell whoever runs "
                    + "the server.";
            }
        }

        return new(new ErrorBody(ClientErrors.Code, name, message, Retryable: false, details));
    }

    private static ChatPayException Local(
        string name, string message, bool retryable = false, Exception? cause = null) =>
        new(new ErrorBody(ClientErrors.Code, name, message, retryable), cause);
}
