import { ristretto255_hasher, ristretto255_oprf } from '@noble/curves/ed25519.js';
import type { Random } from '../crypto/random';
import { concat, utf8 } from '../protocol/bytes';
import { VaultRejection } from './rejection';
import { judgeElement, judgeScalar, randomScalar, readScalar, scalarBytes, writeScalar } from './ristretto';

/**
 * The client's side of RFC 9497's VOPRF, mode 0x01 of ristretto255-SHA512. Hashing, proofs and Finalize are the library's;
 * what is here is what it does not give: a blind of 64 reduced bytes, as ChatPay.Core draws it, and the proof apart from
 * Finalize, because each realm proves its own share and only what they give together is unblinded.
 *
 * Sizes: element, blind and key 32 bytes, proof 64, output 64.
 */
export const proofBytes = 2 * scalarBytes;
export const outputBytes = 64;

const hashToGroupDomain = concat(utf8('HashToGroup-OPRFV1-'), Uint8Array.of(1), utf8('-ristretto255-SHA512'));
const one = writeScalar(1n);

export type Blinded = { blind: Uint8Array; blindedElement: Uint8Array };

/** Hides an input; the blind, which is secret, finds its value in the answer. */
export function blindInput(input: Uint8Array, random: Random): Blinded {
  const blind = randomScalar(random);
  return {
    blind: writeScalar(blind),
    blindedElement: ristretto255_hasher.hashToCurve(input, { DST: hashToGroupDomain }).multiply(blind).toBytes(),
  };
}

/** Whether the key of the public key was used: RFC 9497, section 2.2.2. False for whatever is no such proof. */
export function verifyProof(
  publicKey: Uint8Array,
  blindedElement: Uint8Array,
  evaluatedElement: Uint8Array,
  proof: Uint8Array,
): boolean {
  const isWhole =
    proof.length === proofBytes &&
    [publicKey, blindedElement, evaluatedElement].every((element) => judgeElement(element) === VaultRejection.none);
  if (!isWhole) {
    return false;
  }
  try {
    // The library verifies within Finalize only; its output, of an input that nobody blinded, is dropped.
    ristretto255_oprf.voprf.finalize(one, one, evaluatedElement, blindedElement, publicKey, proof);
    return true;
  } catch {
    return false;
  }
}

/** The function's value, of an element whose proofs are verified already; null where it is no element. */
export function finalize(input: Uint8Array, blind: Uint8Array, evaluatedElement: Uint8Array): Uint8Array | null {
  if (judgeScalar(blind) !== VaultRejection.none) {
    throw new RangeError('a blind is a scalar and not zero');
  }
  return judgeElement(evaluatedElement) === VaultRejection.none
    ? ristretto255_oprf.oprf.finalize(input, blind, evaluatedElement)
    : null;
}

/** The value at an input for whoever has the key too: what blinding, evaluating and finalizing give together. */
export function evaluateInput(key: Uint8Array, input: Uint8Array): Uint8Array {
  const element = ristretto255_hasher.hashToCurve(input, { DST: hashToGroupDomain });
  return ristretto255_oprf.oprf.finalize(input, one, element.multiply(readScalar(key)).toBytes());
}
