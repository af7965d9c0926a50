import { sign, verify } from '../crypto/ed25519';
import { utf8 } from '../protocol/bytes';
import { uuidToBytes } from '../protocol/ids';

/** Whose record a request changes, and at which realm. */
export type Addressee = { account: string; realm: string };

/**
 * What the account identity key signs to change a record: "chatpay vault v1 statement" ‖ account (16) ‖ realm (16) ‖ the
 * message up to its signature.
 */
export function signStatement(identitySeed: Uint8Array, to: Addressee, message: Uint8Array): Uint8Array {
  return sign(identitySeed, ...statement(to), message);
}

export function verifyStatement(
  identityKey: Uint8Array,
  to: Addressee,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verify(identityKey, signature, ...statement(to), message);
}

function statement(to: Addressee): Uint8Array[] {
  return [utf8('chatpay vault v1 statement'), uuidToBytes(to.account), uuidToBytes(to.realm)];
}
