using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>
/// The key log, or what a server shows of it, is not as it must be. It is kept until
/// <see cref="ChatPayDevice.DismissKeyAlarmAsync"/>, with what shows it.
/// </summary>
/// <param name="Number">From 1 on.</param>
/// <param name="Kind">What is wrong.</param>
/// <param name="At">When this device saw it.</param>
/// <param name="Account">Whose chain it is about; null for the log itself.</param>
/// <param name="Evidence">Checkpoints or entries that contradict each other, for whoever looks into it.</param>
public sealed record KeyAlarm(
    long Number, KeyAlarmKind Kind, DateTimeOffset At, AccountId? Account, IReadOnlyList<string> Evidence);

/// <summary>What a <see cref="KeyAlarm"/> is about.</summary>
public enum KeyAlarmKind
{
    /// <summary>The log has told this device, or somebody who wrote to it, another history than this one.</summary>
    LogForked = 1,

    /// <summary>The log is smaller than it was.</summary>
    LogShrunk = 2,

    /// <summary>
    /// The server began another log: it restored a backup, or was replaced. What the earlier log proved is not proved by
    /// this one.
    /// </summary>
    LogReplaced = 3,

    /// <summary>An entry is not in the log, or does not go on from the chain that was seen before.</summary>
    ChainInvalid = 4,

    /// <summary>The own account's keys were changed by something other than this device.</summary>
    OwnKeysChanged = 5,

    /// <summary>A device showed an identity key that the log does not know for its account.</summary>
    IdentityUnlogged = 6,

    /// <summary>
    /// Somebody says to have seen a log that this device's log did not sign: they are shown another one, or it is not true.
    /// </summary>
    LogOther = 7,

    /// <summary>Another device has tried a wrong PIN; its id is the evidence.</summary>
    PinGuessed = 8,

    /// <summary>
    /// Another device has begun the wait after which the PIN's registration may be overwritten or deleted without the identity
    /// key; its id and the wait's are the evidence. See <see cref="ChatPayDevice.CancelPinWaitAsync"/>.
    /// </summary>
    PinWait = 9,

    /// <summary>
    /// For a day the server has not shown whether what somebody was shown of the log, signed by it, goes with what this device
    /// was shown: it cannot, or has something to hide. Both checkpoints are the evidence.
    /// </summary>
    LogUnproven = 10,

    /// <summary>
    /// For a day the server has not shown the chain of somebody in a conversation, whose devices show that they have one: it
    /// cannot, or vouches for them itself. The identity key that was seen is the evidence.
    /// </summary>
    ChainWithheld = 11,

    /// <summary>
    /// Somebody who knows the PIN has opened the vault from a device that the account's keys do not have; its id is the evidence.
    /// Where that was not the account's person: change the PIN and replace the identity key, now.
    /// </summary>
    PinOpened = 12,

    /// <summary>
    /// Too few of the vault's realms have anything of the PIN that is set, so it brings nothing back any more: set it anew. Why,
    /// as <see cref="PinLoss"/> names it, and which PIN, by its digest in the account's keys, are the evidence.
    /// </summary>
    PinLost = 13,

    /// <summary>
    /// The server names other realms for the PIN vault than those where the PIN was set. Either its operator has changed them,
    /// so ask them, or somebody wants the PIN to be set where they can try it: setting it again gives it to the new ones. What
    /// has become of the PIN where it was set cannot be asked then. A digest of what is named, by which this device tells it
    /// from another, and which PIN, by its digest in the account's keys, are the evidence; see
    /// <see cref="ChatPayDevice.PinRealmsAsync"/>.
    /// </summary>
    RealmsOther = 14,

    /// <summary>
    /// The PIN brought the keys back to this device, and a realm of the vault gave an answer that cannot be true all the same.
    /// Tell whoever runs it: its id, its operator and its address, both empty where it is in the server, are the evidence.
    /// </summary>
    RealmLied = 15,

    /// <summary>The ledger log has told this device another history than this one.</summary>
    LedgerLogForked = 20,

    /// <summary>The server began another ledger log: it restored a backup, or was replaced.</summary>
    LedgerLogReplaced = 21,
}

/// <summary>Something is wrong with keys: see <see cref="ChatPayDevice.KeyAlarmsAsync"/>.</summary>
/// <param name="Alarm">What.</param>
public sealed record KeyAlarmSignal(KeyAlarm Alarm) : ChatSignal;

/// <summary>Somebody has another identity key: nothing is sent or paid to them until it is accepted.</summary>
/// <param name="Account">Who.</param>
public sealed record IdentityChangedSignal(AccountId Account) : ChatSignal;

/// <summary>A guess of the account's PIN was counted or has ended, on some device.</summary>
/// <param name="Attempt">Which.</param>
public sealed record VaultAttemptSignal(VaultAttempt Attempt) : ChatSignal;

/// <summary>
/// Somebody who is signed in wants to overwrite or delete the PIN without the identity key, and a wait has begun or ended:
/// <see cref="ChatPayDevice.CancelPinWaitAsync"/> where it is not the account's person.
/// </summary>
/// <param name="Wait">Until when it can be cancelled.</param>
public sealed record VaultWaitSignal(VaultWait Wait) : ChatSignal;

/// <summary>This device has been approved by another one of the account, and takes part from now on.</summary>
public sealed record DeviceApprovedSignal : ChatSignal;
