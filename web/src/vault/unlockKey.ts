import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { wipe } from '../crypto/random';
import { concat, utf8 } from '../protocol/bytes';
import { uuidToBytes } from '../protocol/ids';
import type { VaultContext } from './context';

/**
 * What the right PIN and enough realms give: SHA-512 of "chatpay vault v1 unlock" ‖ context digest (32) ‖ output of the
 * oblivious function (64). The first half is the commitment, by which a wrong PIN shows; the second is the key, from which
 * comes a tag for each realm, so that none of them can pass for the person at another, and a commitment to each share.
 */
export class UnlockKey {
  readonly #context: VaultContext;
  readonly #bytes: Uint8Array;

  constructor(context: VaultContext, output: Uint8Array) {
    this.#context = context;
    this.#bytes = sha512(concat(utf8('chatpay vault v1 unlock'), context.digest, output));
  }

  /** 32 bytes. */
  get commitment(): Uint8Array {
    return this.#bytes.slice(0, 32);
  }

  /** HMAC of "chatpay vault v1 tag" ‖ context digest (32) ‖ realm (16) ‖ index (1). */
  tag(realm: string, index: number): Uint8Array {
    return this.#hmac('chatpay vault v1 tag', uuidToBytes(realm), Uint8Array.of(index));
  }

  /** HMAC of "chatpay vault v1 released" ‖ context digest ‖ realm ‖ index ‖ root share (32) ‖ encrypted root (48). */
  shareCommitment(realm: string, index: number, rootShare: Uint8Array, encryptedRoot: Uint8Array): Uint8Array {
    return this.#hmac('chatpay vault v1 released', uuidToBytes(realm), Uint8Array.of(index), rootShare, encryptedRoot);
  }

  wipe(): void {
    wipe(this.#bytes);
  }

  #hmac(label: string, ...parts: Uint8Array[]): Uint8Array {
    return hmac(sha256, this.#bytes.subarray(32), concat(utf8(label), this.#context.digest, ...parts));
  }
}
