import { sha256 } from '@noble/hashes/sha2.js';
import { publicKeyOf } from '../../crypto/ed25519';
import type { ShownLeaf } from '../../crypto/port';
import type { KeyChain } from '../../keylog/chain';
import { type EntryPlace, hashOf, type KeyLogEntry } from '../../keylog/entry';
import { equalBytes, toBase64, toHex } from '../../protocol/bytes';

/** Whether it is the chain's key that is in force. */
export function isKeyOf(chain: KeyChain, identitySeed: Uint8Array): boolean {
  return chain.identityKey !== null && equalBytes(chain.identityKey, publicKeyOf(identitySeed));
}

/** Whether it is the chain's key, or was before that was renewed. */
export function wasKeyOf(chain: KeyChain, identitySeed: Uint8Array): boolean {
  return chain.hasIdentityKey(publicKeyOf(identitySeed));
}

/**
 * Whether the chain has the device with this key of its own, and the identity key since its last reset; or had them once, for a
 * device that it has put out since. To be under one of the chain's keys is not enough: whoever got hold of a key that was
 * replaced could go on vouching.
 */
export function isLogged(chain: KeyChain, { device, signatureKey, identityKey }: ShownLeaf): boolean {
  if (!identityKey) {
    return false;
  }
  return chain.isRevoked(device)
    ? chain.hasHad(identityKey) && chain.hasHad(signatureKey)
    : chain.hasDevice(device, signatureKey) && chain.hasIdentityKey(identityKey);
}

export function isSameLeaf(one: ShownLeaf, other: ShownLeaf): boolean {
  return (
    one.device === other.device &&
    equalBytes(one.signatureKey, other.signatureKey) &&
    equalBytes(one.identityKey ?? new Uint8Array(), other.identityKey ?? new Uint8Array())
  );
}

/** What an alarm says of a leaf: its identity key, its device and the device's key. */
export function evidenceOf({ identityKey, device, signatureKey }: ShownLeaf): string[] {
  return [toBase64(identityKey ?? new Uint8Array()), device, toBase64(signatureKey)];
}

export function after(entry: KeyLogEntry): EntryPlace {
  return { account: entry.account, sequence: entry.sequence + 1, previousHash: hashOf(entry) };
}

/** Of a device's signature key, as screens show it: SHA-256, hex. */
export function fingerprintOf(signatureKey: Uint8Array): string {
  return toHex(sha256(signatureKey));
}

/** Of an entry's encoding, hex. */
export function hashText(encoding: Uint8Array): string {
  return toHex(sha256(encoding));
}
