namespace ChatPay.Core.Vault;

/// <summary>What came back from a realm; those that did not answer in time have none.</summary>
/// <param name="Index">Which realm, 1 to n.</param>
/// <param name="Request">What was sent to it.</param>
/// <param name="Response">Bytes of any length.</param>
public readonly record struct RealmAnswer(int Index, VaultMessage Request, ReadOnlyMemory<byte> Response);

/// <summary>A realm that did not do its part, by name.</summary>
/// <param name="Index">1 to n.</param>
public sealed record RealmFault(int Index, RealmId Realm, VaultRejection Reason)
{
    /// <summary>
    /// Whether no honest realm gives such an answer: it lied, or somebody between it and the device did.
    /// </summary>
    public bool IsLie => Reason is VaultRejection.ResponseReplayed or VaultRejection.ShareSwapped
        or VaultRejection.CertificateInvalid or VaultRejection.ProofInvalid or VaultRejection.RealmsDisagree
        or VaultRejection.ShareForged or VaultRejection.PointIdentity or VaultRejection.PointInvalid
        or VaultRejection.ScalarInvalid;
}

/// <summary>How a step of a recovery ended.</summary>
/// <param name="Rejection">None if it goes on, although some realms may have failed.</param>
/// <param name="Faults">
/// The realms that failed, in the order of their indices; those that did not answer are not named.
/// </param>
/// <param name="GuessesLeft">
/// The fewest that any realm told of which has some; 0 where too few may have any, null where that is all that is known.
/// </param>
public sealed record VaultStep(VaultRejection Rejection, IReadOnlyList<RealmFault> Faults, int? GuessesLeft)
{
    public bool IsOk => Rejection == VaultRejection.None;

    /// <summary>The realms, by index, that told of no guess left.</summary>
    public IReadOnlyList<int> UsedUp { get; init; } = [];
}
