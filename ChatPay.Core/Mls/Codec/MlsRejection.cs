namespace ChatPay.Core.Mls;

/// <summary>Why something from the wire is refused. Hostile input yields one of these, never an exception.</summary>
public enum MlsRejection
{
    /// <summary>Nothing is wrong.</summary>
    None = 0,

    // The encoding.

    /// <summary>The input ends before the structure does.</summary>
    Truncated = 1,

    /// <summary>The input goes on after the structure.</summary>
    TrailingBytes = 2,

    /// <summary>A vector's length is not written in the fewest bytes, RFC 9420 section 2.1.2.</summary>
    LengthNotMinimal = 3,

    /// <summary>A vector's length has the reserved prefix 11.</summary>
    LengthReserved = 4,

    /// <summary>Beyond <see cref="MlsLimits"/>.</summary>
    TooLarge = 5,

    /// <summary>An optional value's presence octet is neither 0 nor 1.</summary>
    PresenceInvalid = 6,

    UnknownVersion = 10,
    UnknownWireFormat = 11,
    UnknownContentType = 12,
    UnknownSenderType = 13,
    UnknownProposalType = 14,
    UnknownProposalOrRefType = 15,
    UnknownCredentialType = 16,
    UnknownLeafNodeSource = 17,
    UnknownNodeType = 18,
    UnknownPskType = 19,

    // What the structure says.

    /// <summary>Another kind of message was expected here.</summary>
    WrongKind = 30,

    /// <summary>The cipher suite is not one that this library has.</summary>
    UnsupportedCipherSuite = 31,

    /// <summary>A signature does not verify under the key that it names.</summary>
    SignatureInvalid = 32,

    /// <summary>A public key is not one: wrong length, wrong encoding or a small-order point.</summary>
    PublicKeyInvalid = 33,

    /// <summary>A leaf node of this source does not belong here.</summary>
    LeafNodeSourceWrong = 34,

    /// <summary>The leaf node's capabilities do not cover what it uses itself.</summary>
    CapabilitiesLacking = 35,

    /// <summary>An extension type occurs twice.</summary>
    ExtensionDuplicate = 36,

    /// <summary>init_key equals the leaf's encryption_key, RFC 9420 section 10.1.</summary>
    KeyReused = 37,

    /// <summary>Not yet, or no longer, or for too long valid.</summary>
    LifetimeInvalid = 38,

    /// <summary>A leaf index beyond <see cref="MlsLimits.Leaves"/>, or of a leaf that is blank.</summary>
    LeafUnknown = 39,

    /// <summary>The commit breaks a rule of RFC 9420 section 12.2 or 12.4 on which proposals go together.</summary>
    ProposalsInvalid = 40,

    /// <summary>The commit needs a path and has none.</summary>
    PathMissing = 41,

    /// <summary>The credential is not of the kind asked for, or its identity has another shape.</summary>
    CredentialInvalid = 42,

    /// <summary>An extension that this use needs is not there.</summary>
    ExtensionMissing = 43,

    // The ratchet tree and its paths.

    /// <summary>
    /// The nodes make no tree: none at all, a kind of node in the other's place, blanks at the right end, or a right half
    /// without members.
    /// </summary>
    TreeMalformed = 60,

    /// <summary>
    /// A parent's unmerged leaves are out of order, not members below it, or missing from a parent in between, RFC 9420
    /// section 12.4.3.1.
    /// </summary>
    UnmergedLeavesInvalid = 61,

    /// <summary>A parent hash is not what the tree makes it, or a parent is not chained to one leaf, section 7.9.</summary>
    ParentHashInvalid = 62,

    /// <summary>An encryption key occurs in the tree already.</summary>
    EncryptionKeyDuplicate = 63,

    /// <summary>Two members would have the same signature key.</summary>
    SignatureKeyDuplicate = 64,

    /// <summary>A path has more or fewer nodes than the sender's filtered direct path, section 4.1.2.</summary>
    PathLengthWrong = 65,

    /// <summary>A path's node has more or fewer ciphertexts than there are keys to encrypt to, section 7.6.</summary>
    PathCiphertextsWrong = 66,

    /// <summary>The path secret for this member does not decrypt.</summary>
    PathSecretInvalid = 67,

    /// <summary>A key pair derived from a path secret is not the one whose public key is in the tree or the path.</summary>
    PathKeyMismatch = 68,

    /// <summary>The tree says that this member holds a private key that nothing gave it.</summary>
    PrivateKeyMissing = 69,

    /// <summary>The tree has <see cref="MlsLimits.TreeLeaves"/> members already.</summary>
    TreeFull = 70,

    // What the epoch's keys say of it.

    /// <summary>The message belongs to another group.</summary>
    GroupOther = 80,

    /// <summary>The message belongs to an epoch that has passed; its keys are gone.</summary>
    EpochPast = 81,

    /// <summary>The message belongs to an epoch that has not begun here.</summary>
    EpochFuture = 82,

    /// <summary>A sender of this kind may not send content of this kind, RFC 9420 section 6.</summary>
    SenderForbidden = 83,

    /// <summary>The membership tag is missing where it must be, there where it must not be, or wrong.</summary>
    MembershipTagInvalid = 84,

    /// <summary>The confirmation tag does not fit the epoch that the commit begins.</summary>
    ConfirmationTagInvalid = 85,

    /// <summary>The encrypted sender data does not open with this epoch's key and the ciphertext's first bytes.</summary>
    SenderDataInvalid = 86,

    /// <summary>The ciphertext does not open with the key that the sender data names.</summary>
    CiphertextInvalid = 87,

    /// <summary>The padding of a PrivateMessage has a byte that is not zero.</summary>
    PaddingInvalid = 88,

    /// <summary>The key of this generation was used before: the message is a replay.</summary>
    GenerationUsed = 89,

    /// <summary>
    /// The message is older than the last <see cref="MlsLimits.SkippedKeys"/> generations of its sender; its key is gone,
    /// used or not.
    /// </summary>
    GenerationTooOld = 90,

    /// <summary>The generation is more than <see cref="MlsLimits.GenerationJump"/> ahead of the sender's last one.</summary>
    GenerationTooFar = 91,

    /// <summary>This member sent the message itself, and the key that would open it was deleted then.</summary>
    OwnMessage = 92,

    /// <summary>A Welcome's group secrets do not open with the key package's key, or are of the wrong shape.</summary>
    GroupSecretsInvalid = 93,

    /// <summary>A Welcome's GroupInfo does not open with the joiner secret and the pre-shared keys.</summary>
    EncryptedGroupInfoInvalid = 94,

    /// <summary>The Welcome has nothing for the key package it is read with.</summary>
    KeyPackageOther = 95,

    /// <summary>Saved state says what no state can be; nothing from the wire gets this far.</summary>
    StateInvalid = 96,

    // What the group says, given its state.

    /// <summary>This member was removed, or the group was given up for a new one.</summary>
    GroupInactive = 103,

    /// <summary>A commit names a proposal that was not seen here in this epoch.</summary>
    ProposalUnknown = 106,

    /// <summary>A proposal breaks a rule of its own in RFC 9420 section 12.1.</summary>
    ProposalInvalid = 107,

    /// <summary>A pre-shared key is named that is not known here.</summary>
    PskUnknown = 108,

    /// <summary>A pre-shared key is named for a use that it is not for, or its nonce has another length.</summary>
    PskInvalid = 109,

    /// <summary><see cref="ICredentialValidator"/> does not accept a credential.</summary>
    CredentialRefused = 110,

    /// <summary><see cref="ICredentialValidator"/> does not let one leaf take another's place.</summary>
    SuccessionRefused = 111,

    /// <summary>The group's tree has no leaf that is this key package's.</summary>
    OwnLeafMissing = 115,

    /// <summary>Neither the GroupInfo nor the caller brought the ratchet tree.</summary>
    TreeMissing = 116,

    /// <summary>The ratchet tree is not the one of the group context.</summary>
    TreeHashWrong = 117,

    /// <summary>A reinitialised or branched group is not what its origin says; RFC 9420 sections 11.2 and 11.3.</summary>
    OriginWrong = 118,

    /// <summary>This client is in a group of this id already.</summary>
    GroupKnown = 119,

    // State at rest.

    /// <summary>The blob is of another version than this library writes.</summary>
    StateVersionUnknown = 130,

    /// <summary>The blob holds something else than was asked for.</summary>
    StateKindWrong = 131,

    /// <summary>The blob was changed or cut, or is sealed with another key.</summary>
    StateUnreadable = 132,

    /// <summary>The blobs belong to different groups, epochs or members.</summary>
    StateMismatch = 133,
}
