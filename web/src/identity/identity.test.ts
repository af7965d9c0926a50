import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { publicKeyOf } from '../crypto/ed25519';
import { concat, toHex, utf8 } from '../protocol/bytes';
import { uuidToBytes } from '../protocol/ids';
import { idOf, streamOf } from '../vault/testing/stream';
import { drawSealKeyPair, openApproval, sealApproval } from './approval';
import { encodeApprovalCode, readApprovalCode, refuseApproval } from './approvalCode';
import { credentialBytes, encodeCredential, issueCredential, readCredential, vouchesFor } from './deviceCredential';
import { compareSafetyCode, safetyCode, safetyNumber } from './safetyNumber';
import { unwrapKeys, wrapKeys, wrappedKeysBytes } from './wrappedKeys';

const account = idOf('account');
const device = idOf('phone');
const random = streamOf('identity');
const [seed, deviceSeed, root, archiveKey] = [random(32), random(32), random(32), random(32)] as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const deviceKey = publicKeyOf(deviceSeed);

describe('a credential', () => {
  const bytes = issueCredential(seed, account, device, deviceKey);

  it('holds account, device, identity key and certificate, and vouches for the one key', () => {
    const read = readCredential(bytes);
    expect(bytes).toHaveLength(credentialBytes);
    expect(read).toMatchObject({ account, device, identityKey: publicKeyOf(seed) });
    expect(read && encodeCredential(read)).toEqual(bytes);
    expect(read && vouchesFor(read, deviceKey)).toBe(true);
    expect(read && vouchesFor(read, publicKeyOf(root))).toBe(false);
    expect(read && vouchesFor(read, deviceKey.subarray(1))).toBe(false);
  });

  it('vouches for nothing with a byte changed, and has one length', () => {
    for (let at = 0; at < bytes.length; at += 3) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      const read = readCredential(changed);
      expect(read && vouchesFor(read, deviceKey), `byte ${at}`).toBe(false);
    }
    expect(readCredential(bytes.subarray(1))).toBeNull();
    expect(readCredential(concat(bytes, Uint8Array.of(0)))).toBeNull();
  });
});

describe('wrapped keys', () => {
  for (const keys of [
    { identitySeed: seed, archiveKey },
    { identitySeed: seed, archiveKey: null },
  ]) {
    it(`open with the root secret for the account, ${keys.archiveKey ? 'with' : 'without'} an archive`, () => {
      const wrapped = wrapKeys(root, account, keys);
      expect(wrapped).toHaveLength(94);
      expect(unwrapKeys(root, account, wrapped)).toEqual(keys);
      expect(unwrapKeys(seed, account, wrapped)).toBeNull();
      expect(unwrapKeys(root, idOf('other'), wrapped)).toBeNull();
      for (let at = 0; at < wrapped.length; at++) {
        const changed = wrapped.slice();
        changed[at] = (changed[at] ?? 0) ^ 1;
        expect(unwrapKeys(root, account, changed), `byte ${at}`).toBeNull();
      }
      expect(unwrapKeys(root, account, wrapped.subarray(1))).toBeNull();
    });
  }

  it('are what the contract says, by another implementation of its parts', async () => {
    const wrapped = wrapKeys(root, account, { identitySeed: seed, archiveKey });
    const info = concat(utf8('chatpay account keys v1 key'), uuidToBytes(account), Uint8Array.of(1));
    const key = createHmac('sha256', root).update(info).digest();
    const imported = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
    const additionalData = concat(utf8('chatpay account keys v1'), uuidToBytes(account)) as Uint8Array<ArrayBuffer>;
    const opened = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv: wrapped.slice(1, 13), additionalData },
      imported,
      wrapped.slice(13),
    );
    expect(toHex(new Uint8Array(opened))).toBe(`${toHex(seed)}01${toHex(archiveKey)}`);
    expect(wrappedKeysBytes).toBe(wrapped.length);
  });
});

describe('an approval', () => {
  const pair = drawSealKeyPair(random);
  const code = { account, device, deviceKey, sealKey: pair.publicKey };
  const keys = { identitySeed: seed, rootSecret: root, archiveKey: null };
  const identityKey = publicKeyOf(seed);
  const own = { account, device };

  it('is asked for by a code that is read in one way only', () => {
    const text = encodeApprovalCode(code);
    expect(text).toMatch(/^chatpay:approve:1:[A-Za-z0-9_-]{128}$/);
    expect(readApprovalCode(text)).toEqual(code);
    expect(readApprovalCode(` ${text.slice(0, 40)}\n${text.slice(40)} `)).toEqual(code);
    for (const wrong of ['', text.slice(0, -1), `${text}A`, text.replace(':1:', ':2:'), text.toUpperCase()]) {
      expect(readApprovalCode(wrong), wrong).toBeNull();
    }
  });

  it('is given to a device of the account with its registered key only', () => {
    const me = { account, device: idOf('old phone') };
    const listed = { id: device, signatureKey: deviceKey, revoked: false };
    expect(refuseApproval(code, me, [listed])).toBeNull();
    expect(refuseApproval(code, { ...me, account: idOf('other') }, [listed])).toBe('otherAccount');
    expect(refuseApproval(code, { ...me, device }, [listed])).toBe('itself');
    expect(refuseApproval(code, me, [])).toBe('deviceUnknown');
    expect(refuseApproval(code, me, [{ ...listed, revoked: true }])).toBe('deviceRevoked');
    expect(refuseApproval(code, me, [{ ...listed, signatureKey: identityKey }])).toBe('keyMismatch');
  });

  it('brings the keys to that device, whatever of them there is', async () => {
    for (const some of [keys, { ...keys, rootSecret: null, archiveKey }, { ...keys, archiveKey }]) {
      const body = await sealApproval(code, some);
      expect(body).toHaveLength(2 + 32 + 98 + 16);
      expect(await openApproval(body, own, pair, identityKey)).toEqual({ keys: some });
    }
  });

  it('opens for nobody else, and not where it is changed', async () => {
    const body = await sealApproval(code, keys);
    const unreadable = { problem: 'unreadable' };
    expect(await openApproval(body, own, drawSealKeyPair(random), identityKey)).toEqual(unreadable);
    expect(await openApproval(body, { ...own, device: idOf('tablet') }, pair, identityKey)).toEqual(unreadable);
    expect(await openApproval(body, { ...own, account: idOf('other') }, pair, identityKey)).toEqual(unreadable);
    for (let at = 2; at < body.length; at += 5) {
      const changed = body.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await openApproval(changed, own, pair, identityKey), `byte ${at}`).toEqual(unreadable);
    }
    for (const wrong of [new Uint8Array(), body.subarray(1), concat(Uint8Array.of(2), body.subarray(1))]) {
      expect(await openApproval(wrong, own, pair, identityKey)).toEqual({ problem: 'notAnApproval' });
    }
  });

  it("is refused where the keys are not those of the account's chain", async () => {
    const slipped = await sealApproval(code, { ...keys, identitySeed: archiveKey });
    expect(await openApproval(slipped, own, pair, identityKey)).toEqual({ problem: 'otherIdentity' });
  });
});

describe('a safety number', { timeout: 30_000 }, () => {
  const one = { account, identityKey: publicKeyOf(seed) };
  const other = { account: idOf('other'), identityKey: publicKeyOf(root) };

  it('is twelve groups of five digits, alike on both sides, and what the contract says', async () => {
    const groups = await safetyNumber(one, other);
    expect(groups).toHaveLength(12);
    expect(groups.every((group) => /^\d{5}$/.test(group))).toBe(true);
    expect(await safetyNumber(other, one)).toEqual(groups);
    const halves = [halfByHand(one), halfByHand(other)].sort();
    expect(groups.join('')).toBe(halves.join(''));
  });

  it('changes with either key or account', async () => {
    const numbers = await Promise.all([
      safetyNumber(one, other),
      safetyNumber({ ...one, identityKey: deviceKey }, other),
      safetyNumber(one, { ...other, identityKey: deviceKey }),
      safetyNumber({ ...one, account: device }, other),
    ]);
    expect(new Set(numbers.map((groups) => groups.join(' '))).size).toBe(4);
  });

  it('is compared by a code whose halves stand the other way round', () => {
    const shown = safetyCode(other, one);
    expect(shown).toMatch(/^chatpay:safety:1:[A-Za-z0-9_-]{128}$/);
    expect(compareSafetyCode(shown, one, other)).toBe('match');
    expect(compareSafetyCode(safetyCode(one, other), one, other)).toBe('otherPerson');
    expect(compareSafetyCode(shown, { ...one, identityKey: deviceKey }, other)).toBe('mismatch');
    expect(compareSafetyCode(shown, one, { ...other, identityKey: deviceKey })).toBe('mismatch');
    expect(compareSafetyCode(shown, one, { ...other, account: device })).toBe('otherPerson');
    expect(compareSafetyCode(`${shown}A`, one, other)).toBe('notACode');
    expect(compareSafetyCode('https://example.org', one, other)).toBe('notACode');
  });
});

/** The contract's section 8 with Node's hash, and big numbers. */
function halfByHand(side: { account: string; identityKey: Uint8Array }): string {
  const hash = (...parts: Uint8Array[]) =>
    createHash('sha512')
      .update(concat(...parts))
      .digest();
  let h = hash(utf8('chatpay safety v1'), uuidToBytes(side.account), side.identityKey);
  for (let i = 1; i <= 5200; i++) {
    h = hash(h, side.identityKey);
  }
  let digits = '';
  for (let at = 0; at < 30; at += 5) {
    digits += (BigInt(`0x${toHex(h.subarray(at, at + 5))}`) % 100_000n).toString().padStart(5, '0');
  }
  return digits;
}
