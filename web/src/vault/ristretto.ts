import { ristretto255 } from '@noble/curves/ed25519.js';
import type { Random } from '../crypto/random';
import { VaultRejection } from './rejection';

/**
 * The group ristretto255 (RFC 9496) and its scalars as the vault takes them: an element has one encoding and is not the
 * identity, a scalar is below the order and not zero. 32 bytes each. Arithmetic is the library's, on numbers that take as
 * long as they take: who can measure this page to the microsecond is already on the device.
 */
export const elementBytes = 32;
export const scalarBytes = 32;

export const Element = ristretto255.Point;
export type Element = InstanceType<typeof Element>;
export const scalars = ristretto255.Point.Fn;

/** What is wrong with bytes that ought to be an element. */
export function judgeElement(bytes: Uint8Array): VaultRejection {
  if (bytes.length !== elementBytes) {
    return VaultRejection.lengthWrong;
  }
  if (bytes.every((byte) => byte === 0)) {
    return VaultRejection.pointIdentity;
  }
  try {
    Element.fromBytes(bytes);
    return VaultRejection.none;
  } catch {
    return VaultRejection.pointInvalid;
  }
}

/** What is wrong with bytes that ought to be a scalar other than zero. */
export function judgeScalar(bytes: Uint8Array): VaultRejection {
  if (bytes.length !== scalarBytes) {
    return VaultRejection.lengthWrong;
  }
  const number = littleEndian(bytes);
  return number > 0n && number < scalars.ORDER ? VaultRejection.none : VaultRejection.scalarInvalid;
}

/** @throws RangeError unless `judgeScalar` finds nothing wrong. */
export function readScalar(bytes: Uint8Array): bigint {
  if (judgeScalar(bytes) !== VaultRejection.none) {
    throw new RangeError('a scalar is 32 bytes, below the order and not zero');
  }
  return littleEndian(bytes);
}

export function writeScalar(scalar: bigint): Uint8Array {
  return scalars.toBytes(scalar);
}

/** 64 random bytes reduced, so that no scalar is likelier than others. */
export function randomScalar(random: Random): bigint {
  return littleEndian(random(64)) % scalars.ORDER;
}

/** The generator times a scalar. */
export function publicElement(scalar: bigint): Uint8Array {
  return Element.BASE.multiply(scalar).toBytes();
}

function littleEndian(bytes: Uint8Array): bigint {
  let number = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) {
    number = (number << 8n) | BigInt(bytes[i] ?? 0);
  }
  return number;
}
