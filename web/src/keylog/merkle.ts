import { sha256 } from '@noble/hashes/sha2.js';
import { concat, equalBytes } from '../protocol/bytes';
import { LogLimits } from './limits';
import { LogRejection } from './rejection';

/**
 * The hashes of a Merkle tree, SHA-256 with a byte before what is hashed so that no entry passes for a node (RFC 9162, section
 * 2.1.1), and what verifies its proofs. Sizes are whole numbers that JavaScript holds exactly; a tree of 2^53 entries is nobody's.
 */
export const hashBytes = 32;

/** An entry's hash. */
export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(concat(Uint8Array.of(0), entry));
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concat(Uint8Array.of(1), left, right));
}

/** Whether the proof leads from the entry's hash at the index to the root of a tree of that size: section 2.1.3.2. */
export function verifyInclusion(
  index: number,
  size: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): LogRejection {
  if (!isSize(index) || !isSize(size) || index >= size) {
    return LogRejection.indexOutOfRange;
  }
  const rejection = judgeHashes(proof, leaf, root);
  if (rejection !== LogRejection.none) {
    return rejection;
  }
  const way = new Way(index, size);
  let hash = leaf;
  for (const beside of proof) {
    if (way.isAtTop) {
      return LogRejection.proofLengthWrong;
    }
    hash = way.climb() === 'right' ? nodeHash(beside, hash) : nodeHash(hash, beside);
  }
  return end(way, equalBytes(hash, root));
}

/**
 * Whether the proof shows that the second tree begins with the first: section 2.1.4.2. From the empty tree to any other there is
 * nothing to prove, and such a proof is refused.
 */
export function verifyConsistency(
  firstSize: number,
  secondSize: number,
  firstRoot: Uint8Array,
  secondRoot: Uint8Array,
  proof: readonly Uint8Array[],
): LogRejection {
  if (!isSize(firstSize) || !isSize(secondSize) || firstSize < 1 || firstSize > secondSize) {
    return LogRejection.sizesInvalid;
  }
  const rejection = judgeHashes(proof, firstRoot, secondRoot);
  if (rejection !== LogRejection.none) {
    return rejection;
  }
  if (firstSize === secondSize) {
    if (proof.length !== 0) {
      return LogRejection.proofLengthWrong;
    }
    return equalBytes(firstRoot, secondRoot) ? LogRejection.none : LogRejection.rootMismatch;
  }

  const way = new Way(firstSize - 1, secondSize);
  way.skipRight();
  // A first tree of 2^n entries is where the way begins; every other's beginning is the proof's first hash.
  const isPerfect = (BigInt(firstSize) & BigInt(firstSize - 1)) === 0n;
  const [begin, ...rest] = isPerfect ? [firstRoot, ...proof] : proof;
  if (!begin) {
    return LogRejection.proofLengthWrong;
  }
  let first = begin;
  let second = begin;
  for (const beside of rest) {
    if (way.isAtTop) {
      return LogRejection.proofLengthWrong;
    }
    if (way.climb() === 'right') {
      first = nodeHash(beside, first);
      second = nodeHash(beside, second);
    } else {
      second = nodeHash(second, beside);
    }
  }
  return end(way, equalBytes(first, firstRoot) && equalBytes(second, secondRoot));
}

/** The way up from a place to the root, beside the last entry's. */
class Way {
  #place: number;
  #last: number;

  constructor(place: number, size: number) {
    this.#place = place;
    this.#last = size - 1;
  }

  get isAtTop(): boolean {
    return this.#last === 0;
  }

  /** One hash up, and on which side of it the way was. */
  climb(): 'left' | 'right' {
    const isRight = this.#place % 2 === 1 || this.#place === this.#last;
    if (isRight) {
      while (this.#place % 2 === 0 && this.#place !== 0) {
        this.#up();
      }
    }
    this.#up();
    return isRight ? 'right' : 'left';
  }

  /** Past the nodes that are whole in the first tree. */
  skipRight(): void {
    while (this.#place % 2 === 1) {
      this.#up();
    }
  }

  #up(): void {
    this.#place = Math.floor(this.#place / 2);
    this.#last = Math.floor(this.#last / 2);
  }
}

function end(way: Way, isRoot: boolean): LogRejection {
  if (!way.isAtTop) {
    return LogRejection.proofLengthWrong;
  }
  return isRoot ? LogRejection.none : LogRejection.rootMismatch;
}

function isSize(number: number): boolean {
  return Number.isSafeInteger(number) && number >= 0;
}

function judgeHashes(proof: readonly Uint8Array[], ...others: Uint8Array[]): LogRejection {
  if (proof.length > LogLimits.proofHashes) {
    return LogRejection.proofLengthWrong;
  }
  return [...proof, ...others].every((hash) => hash.length === hashBytes)
    ? LogRejection.none
    : LogRejection.hashLengthWrong;
}
