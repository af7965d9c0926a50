import { judgeElement, judgeScalar } from '../ristretto';
import { judgeGuessesLeft, judgeIndex, judgeParameters, judgeVersion } from './bounds';
import { bytes, firstOf, MessageKind, type MessageOf, uint8, uint16, uint32, uuid } from './layout';

/** Asks a realm what the account's PIN is to be hashed with. */
export const recover1Request = new MessageKind(5, {});

/** What the PIN is to be hashed with, and how many guesses are left. 79 bytes. */
export const recover1Response = new MessageKind(
  6,
  {
    version: uuid,
    configurationDigest: bytes(32),
    parameters: bytes(7),
    guessesLeft: uint16,
    /** Attempts ever counted for this registration: what a statement that clears the failures is signed at. */
    attemptCount: uint32,
  },
  (values) =>
    firstOf(judgeVersion(values.version), judgeParameters(values.parameters), judgeGuessesLeft(values.guessesLeft)),
);

/** Takes a guess: has the blinded PIN evaluated. 66 bytes. */
export const recover2Request = new MessageKind(7, { version: uuid, blindedElement: bytes(32) }, (values) =>
  firstOf(judgeVersion(values.version), judgeElement(values.blindedElement)),
);

/** The realm's part of the evaluation, with what proves it. 325 bytes. */
export const recover2Response = new MessageKind(
  8,
  {
    version: uuid,
    attempt: uuid,
    guessesLeft: uint16,
    realm: uuid,
    index: uint8,
    /** The key whose only use was to sign the shares of this registration. */
    verifyingKey: bytes(32),
    /** The element that the realm's key share multiplies the generator to. */
    publicShare: bytes(32),
    certificate: bytes(64),
    unlockCommitment: bytes(32),
    evaluatedElement: bytes(32),
    proof: bytes(64),
  },
  (values) =>
    firstOf(
      judgeVersion(values.version),
      judgeGuessesLeft(values.guessesLeft),
      judgeIndex(values.index),
      judgeElement(values.publicShare),
      judgeElement(values.evaluatedElement),
    ),
);

/** Shows the tag that only the right PIN gives, to have this realm's share released. 82 bytes. */
export const recover3Request = new MessageKind(
  9,
  {
    version: uuid,
    /** The guess that is refunded if the tag is right. */
    attempt: uuid,
    unlockTag: bytes(32),
  },
  (values) => judgeVersion(values.version),
);

/** The realm's share of the wrapping secret and the wrapped root secret. 146 bytes. */
export const recover3Response = new MessageKind(
  10,
  { version: uuid, rootShare: bytes(32), encryptedRoot: bytes(48), shareCommitment: bytes(32) },
  (values) => firstOf(judgeVersion(values.version), judgeScalar(values.rootShare)),
);

export type Recover1Response = MessageOf<typeof recover1Response>;
export type Recover2Response = MessageOf<typeof recover2Response>;
export type Recover3Response = MessageOf<typeof recover3Response>;
