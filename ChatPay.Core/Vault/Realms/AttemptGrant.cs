namespace ChatPay.Core.Vault;

/// <summary>What the counter of guesses, which is committed first, said to one guess.</summary>
/// <param name="Rejection">None where the guess is counted and may go on.</param>
/// <param name="Attempt">By what the guess is refunded; nothing where it was refused.</param>
/// <param name="GuessesLeft">After this one.</param>
public readonly record struct AttemptGrant(VaultRejection Rejection, AttemptId Attempt, int GuessesLeft)
{
    public static AttemptGrant Granted(AttemptId attempt, int guessesLeft) =>
        new(VaultRejection.None, attempt, guessesLeft);

    /// <param name="reason">
    /// <see cref="VaultRejection.GuessesExhausted"/>, <see cref="VaultRejection.Locked"/>, or for a release
    /// <see cref="VaultRejection.AttemptUnknown"/>.
    /// </param>
    public static AttemptGrant Refused(VaultRejection reason) => new(reason, default, 0);
}
