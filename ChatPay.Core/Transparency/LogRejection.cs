namespace ChatPay.Core.Transparency;

/// <summary>Why something of a log is refused. Hostile input yields one of these, never an exception.</summary>
public enum LogRejection
{
    /// <summary>Nothing is wrong.</summary>
    None = 0,

    // Proofs.

    /// <summary>The index is not below the tree's size, or one of them is negative.</summary>
    IndexOutOfRange = 1,

    /// <summary>The first tree is empty or larger than the second.</summary>
    SizesInvalid = 2,

    /// <summary>A hash has not 32 bytes.</summary>
    HashLengthWrong = 3,

    /// <summary>The proof has more or fewer hashes than it takes.</summary>
    ProofLengthWrong = 4,

    /// <summary>What the proof leads to is not the root.</summary>
    RootMismatch = 5,

    // Tiles and bundles.

    /// <summary>No path of a tile or a bundle in the one way to write it.</summary>
    PathInvalid = 20,

    /// <summary>The tile has another length than its width, or is not there.</summary>
    TileUnreadable = 21,

    /// <summary>The bundle has other entries than its width, or ends within one.</summary>
    BundleInvalid = 22,

    // Notes and checkpoints.

    /// <summary>More bytes, or more signatures, than are looked at.</summary>
    TooLarge = 30,

    /// <summary>No UTF-8, a control character, or no text and signatures with an empty line between them.</summary>
    NoteMalformed = 31,

    /// <summary>A signature's line is not dash, name and base64 of a key's id and a signature.</summary>
    SignatureMalformed = 32,

    /// <summary>No key that the reader trusts signed this.</summary>
    SignerUnknown = 33,

    /// <summary>A signature by a trusted key does not verify.</summary>
    SignatureInvalid = 34,

    /// <summary>No verifier key in the one way to write it, or of a kind that is not here.</summary>
    VerifierKeyInvalid = 35,

    /// <summary>The text is not origin, size and root.</summary>
    CheckpointMalformed = 36,

    /// <summary>The checkpoint is of another log.</summary>
    OriginOther = 37,

    // Chains of an account's entries.

    /// <summary>An entry has another length than its type has, another version or an unknown type.</summary>
    EntryMalformed = 50,

    /// <summary>An Ed25519 key that is none.</summary>
    KeyInvalid = 51,

    /// <summary>The entry is of another account.</summary>
    AccountOther = 52,

    /// <summary>The entry's number is not the next one.</summary>
    OutOfOrder = 53,

    /// <summary>The entry follows another history than this one.</summary>
    Forked = 54,

    /// <summary>The identity key in force did not sign the entry, or a new key does not prove itself.</summary>
    EntrySignatureInvalid = 55,

    /// <summary>The chain does not begin with an identity key.</summary>
    BeginningInvalid = 56,

    /// <summary>The device is there already, or was and is revoked.</summary>
    DeviceKnown = 57,

    /// <summary>No such device to revoke.</summary>
    DeviceUnknown = 58,

    /// <summary>The key is or was another's: an identity's or a device's.</summary>
    KeyReused = 59,

    /// <summary>The chain has as many entries as are looked at.</summary>
    ChainTooLong = 60,
}
