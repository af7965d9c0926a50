namespace ChatPay.Core.Protocol;

/// <summary>Something about the account's own keys, to all its devices.</summary>
/// <param name="Length">Entries of the account's chain in the key log; 0 where the signal is about something else: the archive,
/// where neither attempt nor wait is there.</param>
/// <param name="Attempt">A guess of the PIN that a realm has counted, or that has ended.</param>
/// <param name="Wait">A wait at a realm that has begun or ended.</param>
public sealed record KeysSignal(AccountId Account, long Length, VaultAttempt? Attempt = null, VaultWait? Wait = null);
