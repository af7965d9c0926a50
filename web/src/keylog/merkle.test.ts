import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromBase64, utf8 } from '../protocol/bytes';
import { vectorsFolder } from '../vault/testing/vectors';
import { leafHash, verifyConsistency, verifyInclusion } from './merkle';
import { LogRejection } from './rejection';
import { TestLog } from './testing/testLog';

/** Published by github.com/transparency-dev/merkle, testdata. */
type Vector = { leafIdx: number; treeSize: number; leafHash: string; size1: number; size2: number } & {
  root: string;
  root1: string;
  root2: string;
  proof: string[] | null;
  wantErr: boolean;
};

const isThere = existsSync(`${vectorsFolder}/merkle`);

describe.skipIf(!isThere)('published proofs', () => {
  for (const [folder, judge] of [
    [
      'inclusion',
      (v: Vector) =>
        verifyInclusion(v.leafIdx, v.treeSize, bytes(v.leafHash), v.proof?.map(bytes) ?? [], bytes(v.root)),
    ],
    [
      'consistency',
      (v: Vector) => verifyConsistency(v.size1, v.size2, bytes(v.root1), bytes(v.root2), v.proof?.map(bytes) ?? []),
    ],
  ] as const) {
    it(`of ${folder} are judged as published`, () => {
      const counts = { good: 0, bad: 0 };
      for (const file of filesIn(`${vectorsFolder}/merkle/${folder}`)) {
        const vector = JSON.parse(readFileSync(file, 'utf8')) as Vector;
        const isRefused = judge(vector) !== LogRejection.none;
        expect(isRefused, file).toBe(vector.wantErr);
        counts[isRefused ? 'bad' : 'good']++;
      }
      expect(counts.good).toBeGreaterThan(0);
      expect(counts.bad).toBeGreaterThan(0);
    });
  }
});

describe('proofs of small trees', { timeout: 30_000 }, () => {
  const log = new TestLog(new Uint8Array(32).fill(1));
  log.append(...Array.from({ length: 20 }, (_, i) => utf8(`entry ${i}`)));

  it('of inclusion hold at their place and nowhere else', () => {
    for (let size = 1; size <= 20; size++) {
      const root = log.root(size);
      for (let index = 0; index < size; index++) {
        const leaf = leafHash(log.entries[index] as Uint8Array);
        const proof = log.inclusion(index, size);
        expect(verifyInclusion(index, size, leaf, proof, root)).toBe(LogRejection.none);
        if (size > 1) {
          expect(verifyInclusion((index + 1) % size, size, leaf, proof, root)).not.toBe(LogRejection.none);
        }
        expect(verifyInclusion(index, size, leaf, [...proof, root], root)).toBe(LogRejection.proofLengthWrong);
        expect(verifyInclusion(index, size, leaf, proof, log.root(size + 1))).toBe(
          size < 20 ? LogRejection.rootMismatch : LogRejection.none,
        );
      }
    }
  });

  it('of consistency hold between their sizes and no others', () => {
    for (let second = 1; second <= 20; second++) {
      for (let first = 1; first <= second; first++) {
        const proof = log.consistency(first, second);
        const [a, b] = [log.root(first), log.root(second)];
        expect(verifyConsistency(first, second, a, b, proof)).toBe(LogRejection.none);
        if (first < second) {
          // The published wrong roots have wrong lengths; these have the right one.
          expect(verifyConsistency(first, second, changed(a), b, proof)).toBe(LogRejection.rootMismatch);
          expect(verifyConsistency(first, second, a, changed(b), proof)).toBe(LogRejection.rootMismatch);
          expect(verifyConsistency(first, second, a, b, proof.slice(1))).not.toBe(LogRejection.none);
        }
        expect(verifyConsistency(first, second, a, b, [...proof, a])).toBe(LogRejection.proofLengthWrong);
      }
    }
  });

  it('are refused by their reason', () => {
    const [root, leaf] = [log.root(), leafHash(log.entries[0] as Uint8Array)];
    const proof = log.inclusion(0);
    expect(verifyInclusion(20, 20, leaf, proof, root)).toBe(LogRejection.indexOutOfRange);
    expect(verifyInclusion(-1, 20, leaf, proof, root)).toBe(LogRejection.indexOutOfRange);
    expect(verifyInclusion(0, 2 ** 60, leaf, proof, root)).toBe(LogRejection.indexOutOfRange);
    expect(verifyInclusion(0.5, 20, leaf, proof, root)).toBe(LogRejection.indexOutOfRange);
    expect(verifyInclusion(0, 20, leaf.subarray(1), proof, root)).toBe(LogRejection.hashLengthWrong);
    expect(verifyInclusion(0, 20, leaf, Array(65).fill(root), root)).toBe(LogRejection.proofLengthWrong);
    expect(verifyConsistency(0, 20, root, root, [])).toBe(LogRejection.sizesInvalid);
    expect(verifyConsistency(21, 20, root, root, [])).toBe(LogRejection.sizesInvalid);
    expect(verifyConsistency(20, 20, root, leaf, [])).toBe(LogRejection.rootMismatch);
  });
});

function changed(hash: Uint8Array): Uint8Array {
  return hash.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
}

function bytes(base64: string | null | undefined): Uint8Array {
  return fromBase64(base64 ?? '');
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => `${entry.parentPath}/${entry.name}`);
}
