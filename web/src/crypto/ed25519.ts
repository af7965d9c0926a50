import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concat, equalBytes } from '../protocol/bytes';

/**
 * Ed25519 (RFC 8032, the pure variant) exactly as ChatPay.Core has it: seed 32 bytes, key 32, signature 64. A signature is
 * refused where its scalar is not below the order, where its point or the key has small order, and where either is not
 * canonically encoded. The equation is checked without the cofactor, by bytes, as libsodium does, so that no chain of keys
 * holds here and not there; the library's own verification multiplies by the cofactor.
 */
export const keyBytes = 32;
export const signatureBytes = 64;

const Point = ed25519.Point;

export function publicKeyOf(seed: Uint8Array): Uint8Array {
  return ed25519.getPublicKey(seed);
}

export function sign(seed: Uint8Array, ...message: Uint8Array[]): Uint8Array {
  return ed25519.sign(concat(...message), seed);
}

/** Whether the bytes are a key that may be taken in: canonical, on the curve and in the main subgroup. */
export function isPublicKey(key: Uint8Array): boolean {
  try {
    const point = Point.fromBytes(key);
    return !point.isSmallOrder() && point.isTorsionFree();
  } catch {
    return false;
  }
}

/** False for whatever is no signature by this key, of any lengths. */
export function verify(key: Uint8Array, signature: Uint8Array, ...message: Uint8Array[]): boolean {
  if (key.length !== keyBytes || signature.length !== signatureBytes) {
    return false;
  }
  const encodedR = signature.subarray(0, 32);
  try {
    const a = Point.fromBytes(key);
    const r = Point.fromBytes(encodedR);
    const s = numberOf(signature.subarray(32));
    if (a.isSmallOrder() || r.isSmallOrder() || s >= Point.Fn.ORDER) {
      return false;
    }
    const k = numberOf(sha512(concat(encodedR, key, ...message))) % Point.Fn.ORDER;
    const product = Point.BASE.multiplyUnsafe(s).add(a.negate().multiplyUnsafe(k));
    return equalBytes(product.toBytes(), encodedR);
  } catch {
    return false;
  }
}

function numberOf(littleEndian: Uint8Array): bigint {
  let number = 0n;
  for (let i = littleEndian.length - 1; i >= 0; i--) {
    number = (number << 8n) | BigInt(littleEndian[i] ?? 0);
  }
  return number;
}
