import { bytesToUuid } from '../protocol/ids';

/**
 * Reads an encoding from left to right: integers big-endian, ids in network order. What is not there reads as zeros and sets
 * `failed`, so a reader looks once, at the end.
 */
export class EncodingReader {
  #rest: Uint8Array;
  #failed = false;

  constructor(bytes: Uint8Array) {
    this.#rest = bytes;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** Whether everything was there and nothing is left. */
  get isComplete(): boolean {
    return !this.#failed && this.#rest.length === 0;
  }

  take(size: number): Uint8Array {
    if (size > this.#rest.length) {
      this.#failed = true;
      this.#rest = new Uint8Array();
      return new Uint8Array(size);
    }
    const taken = this.#rest.slice(0, size);
    this.#rest = this.#rest.subarray(size);
    return taken;
  }

  byte(): number {
    return this.take(1)[0] ?? 0;
  }

  uint16(): number {
    return new DataView(this.take(2).buffer).getUint16(0);
  }

  int32(): number {
    return new DataView(this.take(4).buffer).getInt32(0);
  }

  int64(): bigint {
    return new DataView(this.take(8).buffer).getBigInt64(0);
  }

  id(): string {
    return bytesToUuid(this.take(16));
  }

  /** Bytes behind their length in two bytes. */
  counted(): Uint8Array {
    return this.take(this.uint16());
  }
}
