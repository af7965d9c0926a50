import type { Random } from '../crypto/random';
import { VaultLimits } from './limits';
import { accepted, type Outcome, refused, VaultRejection } from './rejection';
import { Element, judgeElement, judgeScalar, randomScalar, readScalar, scalars } from './ristretto';

/**
 * Shamir's sharing of a scalar: shares 1 to n are the values of a random polynomial whose value at zero is the secret, so
 * that any t of them give it by Lagrange's interpolation, and fewer say nothing. What multiplies an element by each share
 * and interpolates the products has multiplied it by the secret.
 */

/** A share, or an element's product with one, and whose it is: 1 to n. */
export type Indexed = { index: number; bytes: Uint8Array };

/**
 * Shares 1 to `count` of the secret. Coefficients are drawn from the lowest up, 64 bytes each.
 * @throws RangeError where there is no such sharing.
 */
export function splitScalar(secret: bigint, threshold: number, count: number, random: Random): bigint[] {
  if (count < 1 || count > VaultLimits.realms || threshold < 1 || threshold > count) {
    throw new RangeError('there are 1 to 16 shares, and no larger threshold');
  }
  const coefficients = [secret];
  for (let i = 1; i < threshold; i++) {
    coefficients.push(randomScalar(random));
  }
  return Array.from({ length: count }, (_, i) => valueAt(coefficients, BigInt(i + 1)));
}

/** The secret that shares give. */
export function combineScalars(threshold: number, shares: readonly Indexed[]): Outcome<bigint> {
  const rejection = judge(threshold, shares);
  if (rejection !== VaultRejection.none) {
    return refused(rejection);
  }
  let secret = 0n;
  for (const share of shares) {
    if (judgeScalar(share.bytes) !== VaultRejection.none) {
      return refused(VaultRejection.scalarInvalid);
    }
    secret = scalars.add(secret, scalars.mul(coefficient(shares, share.index), readScalar(share.bytes)));
  }
  return accepted(secret);
}

/** The element that its products with the shares give: the element times the secret. */
export function combineElements(threshold: number, products: readonly Indexed[]): Outcome<Uint8Array> {
  const rejection = judge(threshold, products);
  if (rejection !== VaultRejection.none) {
    return refused(rejection);
  }
  let sum = Element.ZERO;
  for (const product of products) {
    const wrong = judgeElement(product.bytes);
    if (wrong !== VaultRejection.none) {
      return refused(wrong);
    }
    sum = sum.add(Element.fromBytes(product.bytes).multiply(coefficient(products, product.index)));
    // The identity on the way is as unlikely as a guessed key, and at the end it is no value.
    if (sum.is0()) {
      return refused(VaultRejection.pointIdentity);
    }
  }
  return accepted(sum.toBytes());
}

/** Lagrange's coefficient of one index among several, for the value at zero: ∏ x_j / (x_j - x_i). */
function coefficient(all: readonly Indexed[], own: number): bigint {
  let numerator = 1n;
  let denominator = 1n;
  for (const { index } of all) {
    if (index !== own) {
      numerator = scalars.mul(numerator, BigInt(index));
      denominator = scalars.mul(denominator, scalars.create(BigInt(index - own)));
    }
  }
  return scalars.mul(numerator, scalars.inv(denominator));
}

/** Horner's rule, from the highest coefficient down. */
function valueAt(coefficients: readonly bigint[], x: bigint): bigint {
  return coefficients.reduceRight((value, next) => scalars.add(scalars.mul(value, x), next), 0n);
}

function judge(threshold: number, values: readonly Indexed[]): VaultRejection {
  if (values.length < threshold || values.length === 0) {
    return VaultRejection.sharesTooFew;
  }
  const seen = new Set<number>();
  for (const { index } of values) {
    if (!Number.isInteger(index) || index < 1 || index > VaultLimits.realms) {
      return VaultRejection.indexInvalid;
    }
    if (seen.has(index)) {
      return VaultRejection.indexDuplicate;
    }
    seen.add(index);
  }
  return VaultRejection.none;
}
