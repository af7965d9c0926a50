import { gcm } from '@noble/ciphers/aes.js';
import { expand } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { type Random, systemRandom, wipe } from '../crypto/random';
import { concat, utf8 } from '../protocol/bytes';
import { uuidToBytes } from '../protocol/ids';
import { type AccountKeys, encodeOptional, readOptional } from './accountKeys';

/**
 * The account's keys as the server keeps them, which only the root secret opens: 1 ‖ nonce (12) ‖ AES-256-GCM of identity seed
 * (32) ‖ archive flag (1) ‖ archive key (32), with "chatpay account keys v1" ‖ account as associated data. The key is
 * HKDF-Expand-SHA-256 of the root secret with "chatpay account keys v1 key" ‖ account.
 */
export const wrappedKeysBytes = 1 + 12 + 65 + 16;

const version = 1;
const label = 'chatpay account keys v1';

/** @throws RangeError for secrets of other sizes. */
export function wrapKeys(
  rootSecret: Uint8Array,
  account: string,
  keys: AccountKeys,
  random: Random = systemRandom,
): Uint8Array {
  if (keys.identitySeed.length !== 32) {
    throw new RangeError('an identity seed has 32 bytes');
  }
  const nonce = random(12);
  const plaintext = concat(keys.identitySeed, encodeOptional(keys.archiveKey));
  const sealed = cipher(rootSecret, account, nonce).encrypt(plaintext);
  wipe(plaintext);
  return concat(Uint8Array.of(version), nonce, sealed);
}

/** Null for whatever was not wrapped with this root secret for this account. */
export function unwrapKeys(rootSecret: Uint8Array, account: string, wrapped: Uint8Array): AccountKeys | null {
  if (wrapped.length !== wrappedKeysBytes || wrapped[0] !== version) {
    return null;
  }
  let plaintext: Uint8Array;
  try {
    plaintext = cipher(rootSecret, account, wrapped.subarray(1, 13)).decrypt(wrapped.subarray(13));
  } catch {
    return null;
  }
  const identitySeed = plaintext.slice(0, 32);
  const archiveKey = readOptional(plaintext.subarray(32));
  wipe(plaintext);
  return archiveKey === undefined ? null : { identitySeed, archiveKey };
}

function cipher(rootSecret: Uint8Array, account: string, nonce: Uint8Array) {
  if (rootSecret.length !== 32) {
    throw new RangeError('a root secret has 32 bytes');
  }
  const id = uuidToBytes(account);
  const key = expand(sha256, rootSecret, concat(utf8(`${label} key`), id), 32);
  return gcm(key, nonce, concat(utf8(label), id));
}
