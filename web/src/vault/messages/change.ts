import { signatureBytes } from '../../crypto/ed25519';
import { judgeVersion } from './bounds';
import { bytes, MessageKind, uint32, uuid } from './layout';

/** Has a realm forget a registration. 98 bytes. */
export const deleteRequest = new MessageKind(11, { version: uuid, signature: bytes(signatureBytes) }, (values) =>
  judgeVersion(values.version),
);

/** The realm has forgotten the registration. */
export const deleteResponse = new MessageKind(12, { version: uuid }, (values) => judgeVersion(values.version));

/**
 * Has a realm give back the guesses that failed, because the person is in. 102 bytes. The statement holds at one count of
 * attempts only: an old one that somebody kept would otherwise be ten more guesses each time.
 */
export const clearFailuresRequest = new MessageKind(
  13,
  { version: uuid, attemptCount: uint32, signature: bytes(signatureBytes) },
  (values) => judgeVersion(values.version),
);

/** The realm counts the guesses anew. */
export const clearFailuresResponse = new MessageKind(14, { version: uuid }, (values) => judgeVersion(values.version));
