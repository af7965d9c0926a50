import { gcm } from '@noble/ciphers/aes.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { wipe } from '../crypto/random';
import { concat, utf8 } from '../protocol/bytes';
import type { Stretch } from './argon2/port';
import type { VaultContext } from './context';
import type { Pin } from './pins/pin';
import { writeScalar } from './ristretto';

/** The root secret's size and the tag's. */
export const encryptedRootBytes = 32 + 16;

/**
 * A PIN after Argon2id with the context's salt and parameters: 64 bytes, of which the first half is the input of the oblivious
 * function and the second a part of the key that wraps the root secret. So realms that came together would still have to
 * stretch each PIN that they try.
 */
export class StretchedPin {
  readonly #context: VaultContext;
  readonly #bytes: Uint8Array;

  private constructor(context: VaultContext, bytes: Uint8Array) {
    this.#context = context;
    this.#bytes = bytes;
  }

  static async derive(pin: Pin, context: VaultContext, stretch: Stretch): Promise<StretchedPin> {
    const bytes = await stretch(pin.bytes, context.salt(), context.parameters);
    if (bytes.length !== 64) {
      throw new Error('a stretched PIN has 64 bytes');
    }
    return new StretchedPin(context, bytes);
  }

  /** The input of the oblivious function, 32 bytes. */
  get accessKey(): Uint8Array {
    return this.#bytes.slice(0, 32);
  }

  /** AES-256-GCM, nonce zero because each key encrypts once, and the context digest as associated data: 48 bytes. */
  encryptRoot(scalar: bigint, root: Uint8Array): Uint8Array {
    return this.#cipher(scalar, (cipher) => cipher.encrypt(root));
  }

  /** Null where it does not open. */
  decryptRoot(scalar: bigint, encryptedRoot: Uint8Array): Uint8Array | null {
    try {
      return this.#cipher(scalar, (cipher) => cipher.decrypt(encryptedRoot));
    } catch {
      return null;
    }
  }

  wipe(): void {
    wipe(this.#bytes);
  }

  /** The key is HMAC, keyed with the second half, of "chatpay vault v1 root" ‖ context digest ‖ wrapping scalar (32). */
  #cipher(scalar: bigint, use: (cipher: ReturnType<typeof gcm>) => Uint8Array): Uint8Array {
    const message = concat(utf8('chatpay vault v1 root'), this.#context.digest, writeScalar(scalar));
    const key = hmac(sha256, this.#bytes.subarray(32), message);
    try {
      return use(gcm(key, new Uint8Array(12), this.#context.digest));
    } finally {
      wipe(key, message);
    }
  }
}
