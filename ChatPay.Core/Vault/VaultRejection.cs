namespace ChatPay.Core.Vault;

/// <summary>
/// Why a step of the vault does not go on. Hostile input yields one of these, never an exception. The numbers are sent
/// and never reused.
/// </summary>
public enum VaultRejection : byte
{
    /// <summary>Nothing is wrong.</summary>
    None = 0,

    // The encoding.

    /// <summary>A message, element, scalar or record has another length than its kind has.</summary>
    LengthWrong = 1,

    /// <summary>The first byte is not a version that this program speaks.</summary>
    UnknownVersion = 2,

    /// <summary>Another kind of message was expected here.</summary>
    WrongMessage = 3,

    /// <summary>The group's identity, which hides nothing and unlocks nothing.</summary>
    PointIdentity = 10,

    /// <summary>32 bytes that are no element's encoding, or not its one encoding.</summary>
    PointInvalid = 11,

    /// <summary>32 bytes that are no scalar, or zero.</summary>
    ScalarInvalid = 12,

    /// <summary>Argon2id parameters out of bounds.</summary>
    ParametersInvalid = 13,

    /// <summary>A number of guesses out of bounds.</summary>
    GuessesInvalid = 14,

    /// <summary>An Ed25519 key that is none.</summary>
    KeyInvalid = 15,

    // Shares.

    /// <summary>Fewer shares than the threshold.</summary>
    SharesTooFew = 20,

    /// <summary>An index that is zero or above the number of realms.</summary>
    IndexInvalid = 21,

    /// <summary>Two shares of one index.</summary>
    IndexDuplicate = 22,

    // What the client sees.

    /// <summary>The PIN is another one: enough realms answered truly, and what came out does not unlock.</summary>
    WrongPin = 30,

    /// <summary>The answer is not one to this request.</summary>
    ResponseReplayed = 31,

    /// <summary>
    /// Realms are at different registrations and too few are at any one; or an answer is of another one.
    /// </summary>
    VersionMixed = 32,

    /// <summary>The realm showed the share of another realm or another place.</summary>
    ShareSwapped = 33,

    /// <summary>The share's certificate is not signed by the key that it names.</summary>
    CertificateInvalid = 34,

    /// <summary>The proof does not show that the certified share was used: the realm lied.</summary>
    ProofInvalid = 35,

    /// <summary>
    /// The certificate's signer or its commitment is not that of the others or of the key log: the realm lied.
    /// </summary>
    RealmsDisagree = 36,

    /// <summary>The released share or secret is not what was registered: the realm lied.</summary>
    ShareForged = 37,

    /// <summary>The secret does not open although every share is right: the registration itself was broken.</summary>
    RootUnreadable = 38,

    // What a realm says.

    /// <summary>The realm has nothing for this account.</summary>
    NotRegistered = 50,

    /// <summary>No guesses are left; the record is destroyed.</summary>
    GuessesExhausted = 51,

    /// <summary>The realm's data were restored from a backup; a signed-in device has to register anew.</summary>
    Locked = 52,

    /// <summary>The record is of another registration than the request.</summary>
    VersionOther = 53,

    /// <summary>The unlock tag is not the registered one.</summary>
    TagWrong = 54,

    /// <summary>The account identity key did not sign this.</summary>
    SignatureInvalid = 55,

    /// <summary>The request is for another account or another realm.</summary>
    AddresseeOther = 56,

    /// <summary>No attempt of this id is open.</summary>
    AttemptUnknown = 57,

    /// <summary>The statement was signed at another count of attempts; it may be an old one.</summary>
    CounterStale = 58,

    /// <summary>The registration names another account identity key than the key log says is in force.</summary>
    IdentityOther = 59,

    /// <summary>The wait that lets this be done without the identity key has not passed yet.</summary>
    WaitPending = 60,

    /// <summary>No wait of this id is under way.</summary>
    WaitUnknown = 61,

    // Storage.

    /// <summary>A sealed row does not open with this key for this account and registration.</summary>
    RecordUnreadable = 70,
}
