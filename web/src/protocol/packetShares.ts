import { sha256 } from '@noble/hashes/sha2.js';
import { concat, uint64, utf8 } from './bytes';
import { divideEqually } from './splitDivision';
import type { PacketMode } from './wire';

/** Bytes of the seed that a packet's shares follow from. */
export const packetSeedBytes = 32;

/** What is shown of the seed before the packet is over: SHA-256("chatpay packet v1" ‖ seed). */
export function commitToSeed(seed: Uint8Array): Uint8Array {
  return sha256(concat(utf8('chatpay packet v1'), seed));
}

/**
 * The shares of a packet in the order in which they are taken, as docs/PROTOCOL.md has them (Shares by chance): of what remains,
 * R in k shares, the next one is uniform between 1 and ⌊2R / k⌋ − 1, at least 1 and at most what leaves one unit to each of the
 * others; the last one is the rest.
 * @param seed 32 bytes; not looked at for a fixed packet
 * @returns as many as the count, each at least 1, together the total
 * @throws RangeError for a total that is less than the count, or a seed of another size
 */
export function dividePacket(mode: PacketMode, totalMinor: bigint, count: number, seed: Uint8Array): bigint[] {
  if (count < 1 || totalMinor < BigInt(count)) {
    throw new RangeError('each share has at least one unit');
  }
  if (mode === 'fixed') {
    return divideEqually(totalMinor, count);
  }
  if (seed.length !== packetSeedBytes) {
    throw new RangeError('a seed has 32 bytes');
  }
  const shares: bigint[] = [];
  const numbers = new Numbers(seed);
  let rest = totalMinor;
  for (let left = count; left > 1; left--) {
    const mean = (2n * rest) / BigInt(left) - 1n;
    const most = rest - BigInt(left - 1);
    const wanted = mean < 1n ? 1n : mean;
    const share = 1n + numbers.below(wanted < most ? wanted : most);
    shares.push(share);
    rest -= share;
  }
  shares.push(rest);
  return shares;
}

/** Eight bytes each of SHA-256("chatpay packet v1 stream" ‖ seed ‖ counter(8)). */
class Numbers {
  readonly #head: Uint8Array;
  #block: Uint8Array = new Uint8Array();
  #at = 0;
  #counter = 0n;

  constructor(seed: Uint8Array) {
    this.#head = concat(utf8('chatpay packet v1 stream'), seed);
  }

  /** Uniform from 0 up to, and without, the bound: numbers that would favour small remainders are passed over. */
  below(bound: bigint): bigint {
    const most = 2n ** 64n - 1n;
    const end = most - (((most % bound) + 1n) % bound);
    for (;;) {
      const number = this.#next();
      if (number <= end) {
        return number % bound;
      }
    }
  }

  #next(): bigint {
    if (this.#at === this.#block.length) {
      this.#block = sha256(concat(this.#head, uint64(this.#counter++)));
      this.#at = 0;
    }
    const number = new DataView(this.#block.buffer, this.#block.byteOffset + this.#at, 8).getBigUint64(0);
    this.#at += 8;
    return number;
  }
}
