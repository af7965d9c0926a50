import { signatureBytes } from '../../crypto/ed25519';
import { noVersion } from '../context';
import { VaultRejection } from '../rejection';
import { judgeVersion } from './bounds';
import { bytes, firstOf, MessageKind, uint32, uuid } from './layout';

/**
 * Begins the wait after which a registration may be overwritten or deleted without its identity key, or asks for the one that
 * is under way. 34 bytes.
 */
export const beginWaitRequest = new MessageKind(16, { version: uuid }, (values) => judgeVersion(values.version));

/**
 * A wait is under way: the answer to whoever begins one, and to a registration or deletion that only its end will allow. 54
 * bytes; no seconds are left once it has passed.
 */
export const waitResponse = new MessageKind(17, { version: uuid, wait: uuid, secondsLeft: uint32 }, (values) =>
  firstOf(judgeVersion(values.version), values.wait === noVersion ? VaultRejection.waitUnknown : VaultRejection.none),
);

/** Ends a wait before anything came of it. 114 bytes. The statement names the wait: one that somebody kept ends no later one. */
export const cancelWaitRequest = new MessageKind(
  18,
  { version: uuid, wait: uuid, signature: bytes(signatureBytes) },
  (values) => judgeVersion(values.version),
);

/** The wait is over, and nothing comes of it. 34 bytes. */
export const cancelWaitResponse = new MessageKind(19, { wait: uuid });
