/** Why something of a log is refused: the numbers of ChatPay.Core's `LogRejection`, never reused. */
export const LogRejection = {
  none: 0,

  /** The index is not below the tree's size, or one of them is no size. */
  indexOutOfRange: 1,
  /** The first tree is empty or larger than the second. */
  sizesInvalid: 2,
  hashLengthWrong: 3,
  /** The proof has more or fewer hashes than it takes. */
  proofLengthWrong: 4,
  /** What the proof leads to is not the root. */
  rootMismatch: 5,

  pathInvalid: 20,
  tileUnreadable: 21,
  bundleInvalid: 22,

  /** More bytes, or more signatures, than are looked at. */
  tooLarge: 30,
  /** No UTF-8, a control character, or no text and signatures with an empty line between them. */
  noteMalformed: 31,
  /** A signature's line is not dash, name and base64 of a key's id and a signature. */
  signatureMalformed: 32,
  /** No key that the reader trusts signed this. */
  signerUnknown: 33,
  /** A signature by a trusted key does not verify. */
  signatureInvalid: 34,
  verifierKeyInvalid: 35,
  /** The text is not origin, size and root. */
  checkpointMalformed: 36,
  /** The checkpoint is of another log. */
  originOther: 37,

  /** An entry has another length than its type has, another version or an unknown type. */
  entryMalformed: 50,
  keyInvalid: 51,
  accountOther: 52,
  /** The entry's number is not the next one. */
  outOfOrder: 53,
  /** The entry follows another history than this one. */
  forked: 54,
  /** The identity key in force did not sign the entry, or a new key does not prove itself. */
  entrySignatureInvalid: 55,
  /** The chain does not begin with an identity key. */
  beginningInvalid: 56,
  /** The device is there already, or was and is revoked. */
  deviceKnown: 57,
  deviceUnknown: 58,
  /** The key is or was another's: an identity's or a device's. */
  keyReused: 59,
  chainTooLong: 60,
} as const;

export type LogRejection = (typeof LogRejection)[keyof typeof LogRejection];
