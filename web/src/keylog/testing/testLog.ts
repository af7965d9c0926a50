import { publicKeyOf, sign } from '../../crypto/ed25519';
import { concat, toBase64, uint32, utf8 } from '../../protocol/bytes';
import { hashBytes, leafHash, nodeHash } from '../merkle';
import { noteVerifier } from '../noteVerifier';
import type { LogIdentity } from '../view';

/** A log in memory, whose proofs are made as RFC 9162 defines them, by recursion, and not as they are verified. */
export class TestLog {
  readonly entries: Uint8Array[] = [];
  readonly identity: LogIdentity;
  readonly #seed: Uint8Array;

  constructor(seed: Uint8Array, origin = 'chat.example.org/keys') {
    this.#seed = seed;
    this.identity = { origin, verifier: noteVerifier(origin, publicKeyOf(seed)) };
  }

  append(...entries: Uint8Array[]): number {
    return this.entries.push(...entries) - 1;
  }

  root(size = this.entries.length): Uint8Array {
    return rootOf(this.entries.slice(0, size));
  }

  inclusion(index: number, size = this.entries.length): Uint8Array[] {
    return pathOf(index, this.entries.slice(0, size));
  }

  consistency(from: number, to = this.entries.length): Uint8Array[] {
    return from === 0 || from === to ? [] : subproof(from, this.entries.slice(0, to), true);
  }

  note(size = this.entries.length): string {
    const text = `${this.identity.origin}\n${size}\n${toBase64(this.root(size))}\n`;
    return signedBy(this.#seed, this.identity.origin, text);
  }
}

/** A note with one signature. */
export function signedBy(seed: Uint8Array, name: string, text: string): string {
  const { id } = noteVerifier(name, publicKeyOf(seed));
  return `${text}\n\u2014 ${name} ${toBase64(concat(uint32(id), sign(seed, utf8(text))))}\n`;
}

function rootOf(entries: Uint8Array[]): Uint8Array {
  const [only] = entries;
  if (!only) {
    return new Uint8Array(hashBytes);
  }
  const k = splitOf(entries.length);
  return entries.length === 1 ? leafHash(only) : nodeHash(rootOf(entries.slice(0, k)), rootOf(entries.slice(k)));
}

/** Section 2.1.3.1. */
function pathOf(index: number, entries: Uint8Array[]): Uint8Array[] {
  if (entries.length === 1) {
    return [];
  }
  const k = splitOf(entries.length);
  const [left, right] = [entries.slice(0, k), entries.slice(k)];
  return index < k ? [...pathOf(index, left), rootOf(right)] : [...pathOf(index - k, right), rootOf(left)];
}

/** Section 2.1.4.1. */
function subproof(m: number, entries: Uint8Array[], isWhole: boolean): Uint8Array[] {
  if (m === entries.length) {
    return isWhole ? [] : [rootOf(entries)];
  }
  const k = splitOf(entries.length);
  const [left, right] = [entries.slice(0, k), entries.slice(k)];
  return m <= k ? [...subproof(m, left, isWhole), rootOf(right)] : [...subproof(m - k, right, false), rootOf(left)];
}

/** The largest power of two below a number of entries. */
function splitOf(count: number): number {
  let k = 1;
  while (2 * k < count) {
    k *= 2;
  }
  return k;
}
