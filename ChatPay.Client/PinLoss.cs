namespace ChatPay.Client;

/// <summary>Why a PIN that is set brings nothing back any more: see <see cref="ChatPayDevice.PinLossAsync"/>.</summary>
public enum PinLoss
{
    /// <summary>Nothing is known to be lost.</summary>
    None = 0,

    /// <summary>Wrong guesses have used up all that there were, and the vault has destroyed what it held.</summary>
    GuessesExhausted = 1,

    /// <summary>The vault's data were restored from a backup, and may have forgotten guesses: nobody opens it.</summary>
    Locked = 2,

    /// <summary>The vault has nothing of this account, although the account's keys name a PIN.</summary>
    NotRegistered = 3,

    /// <summary>
    /// Nothing is known to be lost, but the server names other realms than those where the PIN was set, and what those have
    /// nobody can ask: see <see cref="KeyAlarmKind.RealmsOther"/>.
    /// </summary>
    RealmsOther = 4,
}
