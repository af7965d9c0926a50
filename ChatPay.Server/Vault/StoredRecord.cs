using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;

namespace ChatPay.Server.Vault;

/// <summary>A row of <c>vault_record</c>.</summary>
/// <param name="Sealed">Null where it was destroyed.</param>
/// <param name="IsLocked">Whether the database was restored from a backup since it was registered.</param>
/// <param name="Wait">The wait that is under way or has passed; null for none, and for one that nobody made use of.</param>
internal sealed record StoredRecord(
    RegistrationVersion Version, byte[]? Sealed, int MaxGuesses, int Used, int Attempts, bool IsLocked, StoredWait? Wait)
{
    /// <summary>What a guess may hope for, without counting one.</summary>
    public AttemptGrant Guesses =>
        IsLocked ? AttemptGrant.Refused(VaultRejection.Locked)
        : Sealed is null || Used >= MaxGuesses ? AttemptGrant.Refused(VaultRejection.GuessesExhausted)
        : new AttemptGrant(VaultRejection.None, default, MaxGuesses - Used);
}

/// <summary>A wait of a row.</summary>
/// <param name="SecondsLeft">By the database's clock, zero once it has passed.</param>
internal sealed record StoredWait(WaitId Id, DeviceId Device, DateTimeOffset Until, int SecondsLeft)
{
    public bool IsOver => SecondsLeft == 0;

    public RealmWait ToCore() => new(Id, (uint)SecondsLeft);

    public VaultWait View(RealmId realm, VaultWaitState state) => new(realm.Value, Id.Value, Device, Until, state);
}

/// <summary>A guess that was counted.</summary>
/// <param name="GuessesLeft">After it.</param>
/// <param name="Sealed">Of the very registration that it was counted for.</param>
internal readonly record struct CountedGuess(int GuessesLeft, DateTimeOffset At, byte[] Sealed);

/// <summary>An attempt that has ended.</summary>
internal readonly record struct EndedAttempt(DeviceId Device, DateTimeOffset At);
