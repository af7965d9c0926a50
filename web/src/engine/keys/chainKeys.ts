import { sha256 } from '@noble/hashes/sha2.js';
import { publicKeyOf } from '../../crypto/ed25519';
import type { KeyChain } from '../../keylog/chain';
import { type EntryPlace, hashOf, type KeyLogEntry } from '../../keylog/entry';
import { equalBytes, toHex } from '../../protocol/bytes';

/** Whether it is the chain's key that is in force. */
export function isKeyOf(chain: KeyChain, identitySeed: Uint8Array): boolean {
  return chain.identityKey !== null && equalBytes(chain.identityKey, publicKeyOf(identitySeed));
}

/** Whether it is the chain's key, or was before that was renewed. */
export function wasKeyOf(chain: KeyChain, identitySeed: Uint8Array): boolean {
  const key = publicKeyOf(identitySeed);
  return chain.identityKeysSinceReset.some((known) => equalBytes(known, key));
}

export function after(entry: KeyLogEntry): EntryPlace {
  return { account: entry.account, sequence: entry.sequence + 1, previousHash: hashOf(entry) };
}

/** Of an entry's encoding, hex. */
export function hashText(encoding: Uint8Array): string {
  return toHex(sha256(encoding));
}
