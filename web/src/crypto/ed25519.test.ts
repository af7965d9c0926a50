import { existsSync, readFileSync } from 'node:fs';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex, utf8 } from '../protocol/bytes';
import { vectorsFolder } from '../vault/testing/vectors';
import { isPublicKey, publicKeyOf, sign, verify } from './ed25519';

type Group = {
  publicKey: { pk: string };
  tests: { tcId: number; comment: string; msg: string; sig: string; result: string }[];
};

describe('Ed25519', { timeout: 30_000 }, () => {
  const file = `${vectorsFolder}/wycheproof/ed25519_test.json`;

  it.skipIf(!existsSync(file))('judges signatures as Wycheproof publishes', () => {
    const groups = JSON.parse(readFileSync(file, 'utf8')).testGroups as Group[];
    for (const group of groups) {
      for (const test of group.tests) {
        const isGood = verify(fromHex(group.publicKey.pk), fromHex(test.sig), fromHex(test.msg));
        expect(isGood, `${test.tcId} ${test.comment}`).toBe(test.result === 'valid');
      }
    }
  });

  it('makes the signature and key of RFC 8032, section 7.1', () => {
    const seed = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
    expect(toHex(publicKeyOf(seed))).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    const signature = sign(seed);
    expect(toHex(signature).slice(0, 32)).toBe('e5564300c360ac729086e2cc806e828a');
    expect(verify(publicKeyOf(seed), signature)).toBe(true);
    expect(verify(publicKeyOf(seed), signature, utf8('x'))).toBe(false);
  });

  it('takes no key of small order, off the main subgroup or in a second encoding', () => {
    const key = publicKeyOf(new Uint8Array(32).fill(7));
    const torsion = ed25519.Point.fromBytes(
      fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
    );
    const mixed = ed25519.Point.fromBytes(key).add(torsion).toBytes();
    expect(isPublicKey(key)).toBe(true);
    expect(isPublicKey(mixed)).toBe(false);
    expect(isPublicKey(torsion.toBytes())).toBe(false);
    expect(isPublicKey(new Uint8Array(32).fill(0xff))).toBe(false);
    expect(isPublicKey(key.subarray(1))).toBe(false);
    expect(verify(torsion.toBytes(), new Uint8Array(64))).toBe(false);
  });

  it('checks without the cofactor, as libsodium does', () => {
    const seed = new Uint8Array(32).fill(9);
    const key = publicKeyOf(seed);
    const torsion = ed25519.Point.fromBytes(
      fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
    );
    // The signer adds a point of small order to the key, which the cofactor would make disappear.
    const mixed = ed25519.Point.fromBytes(key).add(torsion).toBytes();
    const { signature, message } = mixedSignature(seed, mixed);
    expect(ed25519.verify(signature, message, mixed, { zip215: false })).toBe(true);
    expect(verify(mixed, signature, message)).toBe(false);
  });
});

/** A signature under a key off the main subgroup that only the cofactored equation accepts. */
function mixedSignature(seed: Uint8Array, key: Uint8Array): { signature: Uint8Array; message: Uint8Array } {
  const { scalar } = ed25519.utils.getExtendedPublicKey(seed);
  const { Fn, BASE } = ed25519.Point;
  const r = 12345n;
  const encodedR = BASE.multiply(r).toBytes();
  for (let i = 0; ; i++) {
    const message = utf8(`message ${i}`);
    const k = challengeOf(encodedR, key, message);
    // Where k is a multiple of 8 both equations agree.
    if (k % 8n !== 0n) {
      const s = Fn.toBytes(Fn.add(r, Fn.mul(k % Fn.ORDER, scalar)));
      const signature = new Uint8Array(64);
      signature.set(encodedR);
      signature.set(s, 32);
      return { signature, message };
    }
  }
}

function challengeOf(encodedR: Uint8Array, key: Uint8Array, message: Uint8Array): bigint {
  const hash = sha512(concat(encodedR, key, message));
  return BigInt(`0x${toHex(hash.slice().reverse())}`) % ed25519.Point.Fn.ORDER;
}
