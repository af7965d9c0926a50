import { sha256, sha512 } from '@noble/hashes/sha2.js';
import type { Random } from '../../crypto/random';
import { concat, uint32, utf8 } from '../../protocol/bytes';
import { bytesToUuid } from '../../protocol/ids';

/** Bytes that a name makes again: SHA-512 of the name and a number in four bytes, from 0 on, one after the other. */
export function streamOf(name: string): Random {
  let pool: number[] = [];
  let number = 0;
  return (count) => {
    while (pool.length < count) {
      pool.push(...sha512(concat(utf8(name), uint32(number++))));
    }
    const bytes = Uint8Array.from(pool.slice(0, count));
    pool = pool.slice(count);
    return bytes;
  };
}

export function idOf(name: string): string {
  return bytesToUuid(sha256(utf8(name)).slice(0, 16));
}
