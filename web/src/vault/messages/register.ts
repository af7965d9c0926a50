import { isPublicKey, signatureBytes } from '../../crypto/ed25519';
import { VaultRejection } from '../rejection';
import { judgeScalar } from '../ristretto';
import { type Addressee, signStatement } from '../statement';
import { judgeIndex, judgeMaxGuesses, judgeParameters, judgeVersion } from './bounds';
import { bytes, firstOf, MessageKind, type MessageOf, uint8, uint16, uuid } from './layout';

/** Asks a realm what it has. */
export const register1Request = new MessageKind(1, {});

/** The registration that the realm has, or zeros. */
export const register1Response = new MessageKind(2, { version: uuid });

/** Everything that one realm keeps of a registration, in place of what it had. 524 bytes. */
export const register2Request = new MessageKind(
  3,
  {
    /** The registration that the realm must have, or zeros. */
    replaces: uuid,
    account: uuid,
    version: uuid,
    configurationDigest: bytes(32),
    parameters: bytes(7),
    realm: uuid,
    index: uint8,
    verifyingKey: bytes(32),
    certificate: bytes(64),
    /** Secret, as are the tag and the root share. */
    keyShare: bytes(32),
    unlockCommitment: bytes(32),
    unlockTag: bytes(32),
    rootShare: bytes(32),
    encryptedRoot: bytes(48),
    shareCommitment: bytes(32),
    maxGuesses: uint16,
    /** The account identity key that may overwrite and delete this. */
    identityKey: bytes(32),
    signature: bytes(signatureBytes),
  },
  (values) =>
    firstOf(
      judgeVersion(values.version),
      judgeParameters(values.parameters),
      judgeIndex(values.index),
      judgeMaxGuesses(values.maxGuesses),
      isPublicKey(values.identityKey) ? VaultRejection.none : VaultRejection.keyInvalid,
      judgeScalar(values.keyShare),
      judgeScalar(values.rootShare),
    ),
);

/** The realm has stored the registration. */
export const register2Response = new MessageKind(4, { version: uuid }, (values) => judgeVersion(values.version));

export type Register2Request = MessageOf<typeof register2Request>;

/** Puts the identity key's signature at the end of a message that has one there. */
export function signMessage(encoding: Uint8Array, identitySeed: Uint8Array, to: Addressee): Uint8Array {
  const end = encoding.length - signatureBytes;
  encoding.set(signStatement(identitySeed, to, encoding.subarray(0, end)), end);
  return encoding;
}
