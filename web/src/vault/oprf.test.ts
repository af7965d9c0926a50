import { existsSync, readFileSync } from 'node:fs';
import { ristretto255_oprf } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../protocol/bytes';
import { blindInput, evaluateInput, finalize, verifyProof } from './oprf';
import { VaultRejection } from './rejection';
import { Element, judgeElement, judgeScalar, publicElement, readScalar, scalars, writeScalar } from './ristretto';
import { combineElements, combineScalars, splitScalar } from './sharing';
import { streamOf } from './testing/stream';
import { vectorsFolder } from './testing/vectors';

type Vector = { Input: string; Blind: string; BlindedElement: string; EvaluationElement: string; Output: string };
type Suite = {
  identifier: string;
  mode: number;
  seed: string;
  keyInfo: string;
  skSm: string;
  pkSm: string;
  vectors: (Vector & { Batch: number; Proof: { proof: string } })[];
};

const file = `${vectorsFolder}/voprf/allVectors.json`;
const isThere = existsSync(file);
const suites = isThere ? (JSON.parse(readFileSync(file, 'utf8')) as Suite[]) : [];
const suite = suites.find((one) => one.identifier === 'ristretto255-SHA512' && one.mode === 1);
const vectors = suite?.vectors.flatMap((vector) => split(vector)) ?? [];

describe.skipIf(!isThere)('VOPRF(ristretto255, SHA-512), as RFC 9497 publishes it', { timeout: 30_000 }, () => {
  it('blinds, evaluates and finalizes', () => {
    expect(vectors.length).toBeGreaterThan(2);
    for (const vector of vectors) {
      const blinded = blindInput(vector.input, fixed(vector.blind));
      expect(toHex(blinded.blind)).toBe(toHex(vector.blind));
      expect(toHex(blinded.blindedElement)).toBe(toHex(vector.blindedElement));
      const output = finalize(vector.input, blinded.blind, vector.evaluationElement) as Uint8Array;
      expect(toHex(output)).toBe(toHex(vector.output));
      expect(toHex(evaluateInput(fromHex(suite?.skSm ?? ''), vector.input))).toBe(toHex(vector.output));
    }
  });

  it('accepts the published proofs of single elements, and none with a bit changed', () => {
    const publicKey = fromHex(suite?.pkSm ?? '');
    for (const vector of suite?.vectors.filter((one) => one.Batch === 1) ?? []) {
      const [element, evaluated] = [fromHex(vector.BlindedElement), fromHex(vector.EvaluationElement)];
      const proof = fromHex(vector.Proof.proof);
      expect(verifyProof(publicKey, element, evaluated, proof)).toBe(true);
      for (const bytes of [publicKey, element, evaluated, proof]) {
        bytes[3] = (bytes[3] ?? 0) ^ 4;
        expect(verifyProof(publicKey, element, evaluated, proof)).toBe(false);
        bytes[3] = (bytes[3] ?? 0) ^ 4;
      }
      expect(verifyProof(publicKey, evaluated, element, proof)).toBe(false);
      expect(verifyProof(publicKey, element, evaluated, proof.subarray(1))).toBe(false);
      expect(verifyProof(publicKey, element, evaluated, new Uint8Array(64))).toBe(false);
      expect(verifyProof(new Uint8Array(32), element, evaluated, proof)).toBe(false);
    }
  });

  for (const [threshold, count] of [
    [2, 3],
    [3, 5],
  ] as const) {
    it(`evaluates with any ${threshold} of ${count} shares as with the key`, () => {
      const shares = splitScalar(readScalar(fromHex(suite?.skSm ?? '')), threshold, count, streamOf('shares'));
      for (const vector of vectors.slice(0, 1)) {
        const element = Element.fromBytes(vector.blindedElement);
        for (let set = 1; set < 1 << count; set++) {
          const indices = shares.map((_, i) => i + 1).filter((index) => (set & (1 << (index - 1))) !== 0);
          const products = indices.map((index) => ({
            index,
            bytes: element.multiply(shares[index - 1] as bigint).toBytes(),
          }));
          const combined = combineElements(threshold, products);
          if (indices.length < threshold) {
            expect(combined).toEqual({ ok: false, rejection: VaultRejection.sharesTooFew });
          } else {
            expect(combined.ok && toHex(combined.value)).toBe(toHex(vector.evaluationElement));
          }
        }
      }
    });
  }

  it('proves each share apart, which is what a realm is held to', () => {
    const [share] = splitScalar(readScalar(fromHex(suite?.skSm ?? '')), 2, 3, streamOf('shares')) as [bigint];
    const [element] = vectors.map((vector) => vector.blindedElement) as [Uint8Array];
    const publicShare = publicElement(share);
    const { evaluated, proof } = ristretto255_oprf.voprf.blindEvaluate(writeScalar(share), publicShare, element);
    expect(verifyProof(publicShare, element, evaluated, proof)).toBe(true);
    expect(verifyProof(fromHex(suite?.pkSm ?? ''), element, evaluated, proof)).toBe(false);
  });
});

describe('sharing', () => {
  const secret = 1234567890n;
  const shares = splitScalar(secret, 2, 3, streamOf('shares')).map((share, i) => ({
    index: i + 1,
    bytes: writeScalar(share),
  }));
  const [one, two, three] = shares as [(typeof shares)[0], (typeof shares)[0], (typeof shares)[0]];

  it('gives the secret for any two shares and something else for wrong ones', () => {
    for (const pair of [[one, two], [three, one], shares]) {
      expect(combineScalars(2, pair)).toEqual({ ok: true, value: secret });
    }
    expect(combineScalars(2, [one, { ...two, index: 3 }])).not.toEqual({ ok: true, value: secret });
  });

  it('refuses each kind of wrong shares by its reason', () => {
    const rejection = (...given: typeof shares) => {
      const combined = combineScalars(2, given);
      return combined.ok ? VaultRejection.none : combined.rejection;
    };
    expect(rejection(one)).toBe(VaultRejection.sharesTooFew);
    expect(rejection()).toBe(VaultRejection.sharesTooFew);
    expect(rejection(one, one)).toBe(VaultRejection.indexDuplicate);
    expect(rejection(one, { ...two, index: 0 })).toBe(VaultRejection.indexInvalid);
    expect(rejection(one, { ...two, index: 17 })).toBe(VaultRejection.indexInvalid);
    expect(rejection(one, { ...two, bytes: scalars.toBytes(0n) })).toBe(VaultRejection.scalarInvalid);
    expect(() => splitScalar(secret, 4, 3, streamOf('shares'))).toThrow(RangeError);
    expect(() => splitScalar(secret, 1, 17, streamOf('shares'))).toThrow(RangeError);
  });
});

describe('elements and scalars', () => {
  it('have one encoding and are neither identity nor zero', () => {
    expect(judgeElement(Element.BASE.toBytes())).toBe(VaultRejection.none);
    expect(judgeElement(new Uint8Array(32))).toBe(VaultRejection.pointIdentity);
    expect(judgeElement(new Uint8Array(32).fill(0xff))).toBe(VaultRejection.pointInvalid);
    expect(judgeElement(new Uint8Array(31))).toBe(VaultRejection.lengthWrong);
    // RFC 9496, appendix A.2: a negative field element, and one that is no square.
    for (const hex of [
      '0100000000000000000000000000000000000000000000000000000000000000',
      '26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371',
    ]) {
      expect(judgeElement(fromHex(hex))).toBe(VaultRejection.pointInvalid);
    }
    expect(judgeScalar(writeScalar(scalars.ORDER - 1n))).toBe(VaultRejection.none);
    expect(judgeScalar(new Uint8Array(32))).toBe(VaultRejection.scalarInvalid);
    expect(judgeScalar(new Uint8Array(32).fill(0xff))).toBe(VaultRejection.scalarInvalid);
    expect(judgeScalar(fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010'))).toBe(
      VaultRejection.scalarInvalid,
    );
    expect(judgeScalar(new Uint8Array(33))).toBe(VaultRejection.lengthWrong);
  });
});

/** Randomness that reduces to exactly this scalar. */
function fixed(scalar: Uint8Array) {
  return (count: number) => {
    const bytes = new Uint8Array(count);
    bytes.set(scalar);
    return bytes;
  };
}

function split(vector: Vector) {
  const values = (name: keyof Vector) => vector[name].split(',').map(fromHex);
  return values('Input').map((input, i) => ({
    input,
    blind: values('Blind')[i] as Uint8Array,
    blindedElement: values('BlindedElement')[i] as Uint8Array,
    evaluationElement: values('EvaluationElement')[i] as Uint8Array,
    output: values('Output')[i] as Uint8Array,
  }));
}
