import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { publicKeyOf, sign } from '../crypto/ed25519';
import { concat, fromHex, toHex, utf8 } from '../protocol/bytes';
import { idOf, streamOf } from '../vault/testing/stream';
import { KeyChain } from './chain';
import {
  type EntryPlace,
  firstPlace,
  hashOf,
  type KeyLogEntry,
  leafOf,
  makeDeviceAdded,
  makeDeviceRevoked,
  makeIdentity,
  makeIdentityReset,
  makeVaultConfigured,
  readEntry,
} from './entry';
import { LogRejection } from './rejection';

const account = idOf('account');
const [phone, tablet, third] = ['phone', 'tablet', 'third'].map(idOf) as [string, string, string];
const seedOf = (name: string) => streamOf(name)(32);
const [identity, nextIdentity, phoneSeed, tabletSeed, stranger, newSeed] = [
  'identity',
  'next identity',
  'phone',
  'tablet',
  'stranger',
  'new',
].map(seedOf) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
const digest = new Uint8Array(32).fill(0xd1);

type Make = (place: EntryPlace) => KeyLogEntry;

/** Identity, phone added, tablet added, phone revoked, identity rotated, PIN set. */
const makes: Make[] = [
  (place) => makeIdentity(place, identity, identity),
  (place) => makeDeviceAdded(place, phone, phoneSeed, identity),
  (place) => makeDeviceAdded(place, tablet, tabletSeed, identity),
  (place) => makeDeviceRevoked(place, phone, identity),
  (place) => makeIdentity(place, nextIdentity, identity),
  (place) => makeVaultConfigured(place, digest, nextIdentity),
];

function entriesOf(steps = makes): KeyLogEntry[] {
  const chain = new KeyChain(account);
  return steps.map((make) => {
    const entry = make(chain.next);
    expect(chain.append(entry)).toBe(LogRejection.none);
    return entry;
  });
}

const entries = entriesOf();
const encodings = entries.map((entry) => entry.encoding);

function chainOf(length = entries.length): KeyChain {
  const chain = new KeyChain(account);
  for (const entry of entries.slice(0, length)) {
    chain.append(entry);
  }
  return chain;
}

describe("the fixture's chain", () => {
  const {
    keyLog,
    account: own,
    identitySeed,
    registration,
  } = JSON.parse(readFileSync(new URL('../../../ChatPay.Tests/Fixtures/vault.json', import.meta.url), 'utf8'));
  const seed = fromHex(identitySeed);
  const [next, device, lost] = ['fixture next identity', 'fixture device', 'fixture reset'].map(seedOf) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];

  it('is made byte for byte, and comes to the same hashes and leaves', () => {
    const chain = new KeyChain(own);
    const steps: Make[] = [
      (place) => makeIdentity(place, seed, seed),
      (place) => makeDeviceAdded(place, phone, device, seed),
      (place) => makeVaultConfigured(place, fromHex(registration.digest), seed),
      (place) => makeIdentity(place, next, seed),
      (place) => makeDeviceRevoked(place, phone, next),
      (place) => makeIdentityReset(place, lost),
    ];
    steps.forEach((make, i) => {
      const entry = make(chain.next);
      expect(toHex(entry.encoding)).toBe(keyLog.entries[i].encoding);
      expect(entry.type).toBe(keyLog.entries[i].type);
      expect(toHex(hashOf(entry))).toBe(keyLog.entries[i].hash);
      expect(toHex(leafOf(entry, fromHex(keyLog.salt)))).toBe(keyLog.entries[i].leaf);
      expect(readEntry(fromHex(keyLog.entries[i].encoding))).toEqual({ entry });
      expect(chain.append(entry)).toBe(LogRejection.none);
    });
    expect([chain.length, chain.resets, chain.devices.size, chain.vaultDigest]).toEqual([6, 1, 0, null]);
  });
});

describe('a chain', { timeout: 30_000 }, () => {
  it('comes to the identity, the live devices and the vault', () => {
    const checked = KeyChain.check(account, encodings);
    const chain = 'chain' in checked ? checked.chain : new KeyChain(account);
    expect(chain.length).toBe(6);
    expect(chain.identityKey).toEqual(publicKeyOf(nextIdentity));
    expect([identity, nextIdentity, stranger].map((seed) => chain.hasIdentityKey(publicKeyOf(seed)))).toEqual([
      true,
      true,
      false,
    ]);
    expect(chain.hasDevice(tablet, publicKeyOf(tabletSeed))).toBe(true);
    expect(chain.hasDevice(tablet, publicKeyOf(phoneSeed))).toBe(false);
    expect([...chain.devices.keys()]).toEqual([tablet]);
    expect(chain.vaultDigest).toEqual(digest);
    expect(chain.head).toEqual(hashOf(entries.at(-1) as KeyLogEntry));
    expect(chain.resets).toBe(0);
  });

  it('shows a reset, which revokes every device', () => {
    const chain = chainOf();
    expect(chain.append(makeIdentityReset(chain.next, stranger))).toBe(LogRejection.none);
    expect([chain.resets, chain.devices.size, chain.vaultDigest]).toEqual([1, 0, null]);
    expect(chain.identityKey).toEqual(publicKeyOf(stranger));
    const keys = [identity, nextIdentity, phoneSeed, stranger, newSeed].map(publicKeyOf);
    expect(keys.map((key) => chain.hasIdentityKey(key))).toEqual([false, false, false, true, false]);
    expect(keys.map((key) => chain.hasHad(key))).toEqual([true, true, true, true, false]);
    expect(chain.append(makeDeviceAdded(chain.next, tablet, newSeed, stranger))).toBe(LogRejection.deviceKnown);
  });

  it('refuses entries out of order, left out or repeated, where they are', () => {
    const [a, b, c] = encodings as [Uint8Array, Uint8Array, Uint8Array];
    const rejection = LogRejection.outOfOrder;
    expect(KeyChain.check(account, [a, c, b])).toEqual({ rejection, failedAt: 1 });
    expect(KeyChain.check(account, [a, a])).toEqual({ rejection, failedAt: 1 });
    expect(KeyChain.check(account, [b])).toEqual({ rejection, failedAt: 0 });
  });

  it('tells an entry of another history as forked', () => {
    const [one, other] = [chainOf(1), chainOf(1)];
    one.append(makeDeviceAdded(one.next, phone, phoneSeed, identity));
    other.append(makeDeviceAdded(other.next, tablet, tabletSeed, identity));
    const next = makeVaultConfigured(other.next, digest, identity);
    expect(one.append(next)).toBe(LogRejection.forked);
    expect(other.append(next)).toBe(LogRejection.none);
  });

  it('is signed by the identity key in force only', () => {
    const chain = chainOf(1);
    const before = chain.head;
    const wrong = LogRejection.entrySignatureInvalid;
    expect(chain.append(makeDeviceAdded(chain.next, phone, phoneSeed, stranger))).toBe(wrong);
    expect(chain.append(makeIdentity(chain.next, nextIdentity, nextIdentity))).toBe(wrong);
    expect([chain.head, chain.length]).toEqual([before, 1]);
    expect(chain.append(makeIdentity(chain.next, nextIdentity, identity))).toBe(LogRejection.none);
    expect(chain.append(makeDeviceAdded(chain.next, phone, phoneSeed, identity))).toBe(wrong);
    expect(chain.append(makeDeviceAdded(chain.next, phone, phoneSeed, nextIdentity))).toBe(LogRejection.none);
  });

  it('takes no key whose holder did not agree, although the identity signed', () => {
    const chain = chainOf(1);
    const bytes = makeDeviceAdded(chain.next, phone, phoneSeed, identity).encoding.slice();
    const end = bytes.length - 64;
    bytes.set(sign(stranger, utf8('chatpay key log v1 key'), bytes.subarray(0, end - 64)), end - 64);
    bytes.set(sign(identity, utf8('chatpay key log v1 sign'), bytes.subarray(0, end)), end);
    expect(chain.appendBytes(bytes)).toBe(LogRejection.entrySignatureInvalid);
  });

  it('takes devices and keys once', () => {
    const chain = chainOf();
    const added = (device: string, seed: Uint8Array) =>
      chain.append(makeDeviceAdded(chain.next, device, seed, nextIdentity));
    expect(chain.append(makeDeviceRevoked(chain.next, phone, nextIdentity))).toBe(LogRejection.deviceUnknown);
    expect(added(phone, newSeed)).toBe(LogRejection.deviceKnown);
    expect(added(tablet, newSeed)).toBe(LogRejection.deviceKnown);
    for (const used of [phoneSeed, tabletSeed, identity, nextIdentity]) {
      expect(added(third, used)).toBe(LogRejection.keyReused);
    }
    expect(chain.append(makeIdentity(chain.next, identity, nextIdentity))).toBe(LogRejection.keyReused);
    expect(added(third, newSeed)).toBe(LogRejection.none);
    expect(chain.append(makeVaultConfigured(chain.next, null, nextIdentity))).toBe(LogRejection.none);
    expect(chain.vaultDigest).toBeNull();
  });

  it('begins with an identity of its own account', () => {
    const chain = new KeyChain(account);
    expect(chain.append(makeDeviceAdded(chain.next, phone, phoneSeed, identity))).toBe(LogRejection.beginningInvalid);
    expect(chain.append(makeIdentityReset(chain.next, identity))).toBe(LogRejection.beginningInvalid);
    const other = makeIdentity(firstPlace(idOf('other')), identity, identity);
    expect(chain.append(other)).toBe(LogRejection.accountOther);
    expect(chain.append(makeIdentity(chain.next, identity, stranger))).toBe(LogRejection.entrySignatureInvalid);
    expect(chain.append(makeIdentity(chain.next, identity, identity))).toBe(LogRejection.none);
  });

  it('refuses any byte that is changed, and any other length', () => {
    entries.forEach((entry, i) => {
      const chain = chainOf(i);
      const bytes = entry.encoding.slice();
      for (let at = 0; at < bytes.length; at += at < 58 ? 1 : 7) {
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        expect(chain.appendBytes(bytes), `entry ${i}, byte ${at}`).not.toBe(LogRejection.none);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
      }
      for (let length = 0; length < bytes.length; length++) {
        expect(readEntry(bytes.subarray(0, length))).toEqual({ rejection: LogRejection.entryMalformed });
      }
      expect(readEntry(concat(bytes, Uint8Array.of(0)))).toEqual({ rejection: LogRejection.entryMalformed });
      expect(chain.appendBytes(bytes)).toBe(LogRejection.none);
    });
  });

  it('takes no key that is none', () => {
    const bytes = (entries[1] as KeyLogEntry).encoding.slice();
    bytes.set(new Uint8Array(32), 58 + 16);
    expect(readEntry(bytes)).toEqual({ rejection: LogRejection.keyInvalid });
  });
});
