import { expand } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { type Random, systemRandom } from '../crypto/random';
import { concat, uint64, utf8 } from '../protocol/bytes';
import { bytesToUuid, uuidToBytes } from '../protocol/ids';
import { isPaddedSize, pad, strip } from './padding';

/**
 * An account's archive key at work. Every device of the account writes a stream of chunks, numbered from 0 on without gaps. A
 * sealed chunk is 1 (version) ‖ nonce (12) ‖ AES-256-GCM of the padded JSON; the key is HKDF-Expand-SHA-256 of the archive key
 * (32) with "chatpay archive v1 chunk" ‖ account (16) ‖ archive (16) ‖ device (16) ‖ number (8), associated data is "chatpay
 * archive v1" ‖ the same ‖ SHA-256 of the sealed chunk before (32), zeros for number 0. So whoever keeps the chunks can leave out
 * the end of a stream and whole streams, and nothing else.
 */
export class ArchiveCipher {
  /** The archive that this key is the key of: another key is another archive. */
  readonly id: string;
  readonly #key: Uint8Array;
  readonly #account: Uint8Array;

  /** @throws RangeError for a key of another size than 32 bytes. */
  constructor(archiveKey: Uint8Array, account: string) {
    if (archiveKey.length !== archiveKeyBytes) {
      throw new RangeError('an archive key has 32 bytes');
    }
    this.#key = archiveKey;
    this.#account = uuidToBytes(account);
    this.id = archiveIdOf(archiveKey, account);
  }

  /** @throws RangeError for JSON of no bytes, or of more than a chunk has. */
  async seal(place: ChunkPlace, json: Uint8Array, random: Random = systemRandom): Promise<Uint8Array> {
    const nonce = random(nonceBytes);
    const algorithm = this.#algorithm(nonce, place);
    const padded = pad(json);
    const sealed = await crypto.subtle.encrypt(algorithm, await this.#keyOf(place, 'encrypt'), buffer(padded));
    return concat(Uint8Array.of(version), nonce, new Uint8Array(sealed));
  }

  /** The JSON; null for whatever was not sealed for exactly this place, by this key. */
  async open(place: ChunkPlace, sealed: Uint8Array): Promise<Uint8Array | null> {
    if (sealed[0] !== version || !isPaddedSize(sealed.length - overheadBytes)) {
      return null;
    }
    const algorithm = this.#algorithm(sealed.slice(1, 1 + nonceBytes), place);
    const key = await this.#keyOf(place, 'decrypt');
    try {
      const padded = await crypto.subtle.decrypt(algorithm, key, buffer(sealed.subarray(1 + nonceBytes)));
      return strip(new Uint8Array(padded));
    } catch {
      return null;
    }
  }

  #keyOf(place: ChunkPlace, usage: KeyUsage): Promise<CryptoKey> {
    const key = expand(sha256, this.#key, concat(utf8('chatpay archive v1 chunk'), this.#place(place)), 32);
    return crypto.subtle.importKey('raw', buffer(key), 'AES-GCM', false, [usage]);
  }

  #algorithm(nonce: Uint8Array, place: ChunkPlace): AesGcmParams {
    const previous = place.number === 0 ? noDigest() : place.previous;
    if (previous.length !== digestBytes) {
      throw new RangeError('a digest has 32 bytes');
    }
    const additionalData = buffer(concat(utf8('chatpay archive v1'), this.#place(place), previous));
    return { name: 'AES-GCM', iv: buffer(nonce), additionalData };
  }

  #place({ device, number }: ChunkPlace): Uint8Array {
    return concat(this.#account, uuidToBytes(this.id), uuidToBytes(device), uint64(BigInt(number)));
  }
}

export type ChunkPlace = {
  /** Whose stream it is. */
  device: string;
  /** From 0 on. */
  number: number;
  /** `digestOf` the sealed chunk before, 32 bytes; does not matter for number 0. */
  previous: Uint8Array;
};

export const archiveKeyBytes = 32;
const version = 1;
const nonceBytes = 12;
const digestBytes = 32;
/** By how much a sealed chunk is longer than its padded JSON. */
const overheadBytes = 1 + nonceBytes + 16;

/** 16 bytes as a UUID, of no version that RFC 9562 knows. */
export function archiveIdOf(archiveKey: Uint8Array, account: string): string {
  return bytesToUuid(expand(sha256, archiveKey, concat(utf8('chatpay archive v1 id'), uuidToBytes(account)), 16));
}

/** What the chunk after this one is bound to. */
export function digestOf(sealed: Uint8Array): Uint8Array {
  return sha256(sealed);
}

/** Before the first chunk of a stream. */
export function noDigest(): Uint8Array {
  return new Uint8Array(digestBytes);
}

function buffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
