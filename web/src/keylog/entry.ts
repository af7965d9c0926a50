import { sha256 } from '@noble/hashes/sha2.js';
import { isPublicKey, publicKeyOf, sign, verify } from '../crypto/ed25519';
import { concat, uint64, utf8 } from '../protocol/bytes';
import { bytesToUuid, uuidToBytes } from '../protocol/ids';
import { LogRejection } from './rejection';

/** What an entry of an account's chain says. The numbers are in the entry and never reused. */
export const EntryType = {
  /** The account's identity key: the first entry, or a new key that the old one signs. */
  identity: 1,
  /** A new identity key that no old one signs, because it is lost; every device before it is revoked. */
  identityReset: 2,
  deviceAdded: 3,
  deviceRevoked: 4,
  /** A PIN was set, changed or removed. */
  vaultConfigured: 5,
} as const;

export type EntryType = (typeof EntryType)[keyof typeof EntryType];

/** Where an entry goes: the next place of an account's chain. */
export type EntryPlace = {
  account: string;
  /** From 0 on. */
  sequence: number;
  /** 32 bytes; zeros for the first entry. */
  previousHash: Uint8Array;
};

/**
 * One entry of an account's chain: version (1), type (1), account (16), number (8, from 0 on), hash of the entry before it (32;
 * zeros for the first), what it says, signature (64) of the identity key in force. What it says is, by type: key (32) and the new
 * key's signature (64) that it is held; device (16), key and signature likewise; device (16); the vault's digest (32).
 */
export type KeyLogEntry = EntryPlace & {
  encoding: Uint8Array;
  type: EntryType;
  /** The device that was added or revoked. */
  device: string | null;
  /** The new identity's or device's key, 32 bytes. */
  newKey: Uint8Array | null;
  /** The registration's digest, 32 bytes, or zeros where the PIN was removed. */
  vaultDigest: Uint8Array | null;
};

type Layout = { bodyBytes: number; deviceAt: number | null; keyAt: number | null; digestAt: number | null };

const version = 1;
const bodyAt = 2 + 16 + 8 + 32;
const signatureBytes = 64;
const hashLabel = 'chatpay key log v1 entry';
const keyLabel = 'chatpay key log v1 key';
const signLabel = 'chatpay key log v1 sign';
const leafLabel = 'chatpay key log v1 leaf';

const ofIdentity: Layout = { bodyBytes: 32 + 64, deviceAt: null, keyAt: bodyAt, digestAt: null };
const layouts: Readonly<Record<EntryType, Layout>> = {
  [EntryType.identity]: ofIdentity,
  [EntryType.identityReset]: ofIdentity,
  [EntryType.deviceAdded]: { bodyBytes: 16 + 32 + 64, deviceAt: bodyAt, keyAt: bodyAt + 16, digestAt: null },
  [EntryType.deviceRevoked]: { bodyBytes: 16, deviceAt: bodyAt, keyAt: null, digestAt: null },
  [EntryType.vaultConfigured]: { bodyBytes: 32, deviceAt: null, keyAt: null, digestAt: bodyAt },
};

/** Before the account's first entry. */
export function firstPlace(account: string): EntryPlace {
  return { account, sequence: 0, previousHash: new Uint8Array(32) };
}

/** The account's first entry, which the key itself signs, or its next identity key, which the one in force signs. */
export function makeIdentity(place: EntryPlace, identitySeed: Uint8Array, signerSeed: Uint8Array): KeyLogEntry {
  return make(EntryType.identity, place, new Uint8Array(), identitySeed, signerSeed);
}

/** A new identity key where the old one is lost. */
export function makeIdentityReset(place: EntryPlace, identitySeed: Uint8Array): KeyLogEntry {
  return make(EntryType.identityReset, place, new Uint8Array(), identitySeed, identitySeed);
}

export function makeDeviceAdded(
  place: EntryPlace,
  device: string,
  deviceSeed: Uint8Array,
  signerSeed: Uint8Array,
): KeyLogEntry {
  return make(EntryType.deviceAdded, place, uuidToBytes(device), deviceSeed, signerSeed);
}

export function makeDeviceRevoked(place: EntryPlace, device: string, signerSeed: Uint8Array): KeyLogEntry {
  return make(EntryType.deviceRevoked, place, uuidToBytes(device), null, signerSeed);
}

/** @param digest 32 bytes, or null where the PIN is removed */
export function makeVaultConfigured(place: EntryPlace, digest: Uint8Array | null, signerSeed: Uint8Array): KeyLogEntry {
  return make(EntryType.vaultConfigured, place, digest ?? new Uint8Array(32), null, signerSeed);
}

/** Reads an entry. Its signatures are `KeyChain`'s matter. */
export function readEntry(bytes: Uint8Array): { entry: KeyLogEntry } | { rejection: LogRejection } {
  const layout = bytes.length >= bodyAt && bytes[0] === version ? layouts[bytes[1] as EntryType] : undefined;
  const sequence = layout && new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(18);
  if (!layout || bytes.length !== bodyAt + layout.bodyBytes + signatureBytes || !isSequence(sequence)) {
    return { rejection: LogRejection.entryMalformed };
  }
  const entry = view(bytes.slice(), layout, Number(sequence));
  return entry.newKey && !isPublicKey(entry.newKey) ? { rejection: LogRejection.keyInvalid } : { entry };
}

/** What the next entry names, 32 bytes. */
export function hashOf(entry: KeyLogEntry): Uint8Array {
  return sha256(concat(utf8(hashLabel), entry.encoding));
}

/** What stands of the entry in the public log, 32 bytes. @param salt 32 bytes, shown to those who may see the entry */
export function leafOf(entry: KeyLogEntry, salt: Uint8Array): Uint8Array {
  if (salt.length !== 32) {
    throw new RangeError('a salt has 32 bytes');
  }
  return sha256(concat(utf8(leafLabel), salt, hashOf(entry)));
}

/** Whether the holder of a new key made this, and the identity key given signed it. */
export function isSignedBy(entry: KeyLogEntry, identityKey: Uint8Array): boolean {
  const { encoding, newKey } = entry;
  const end = encoding.length - signatureBytes;
  const proofAt = end - signatureBytes;
  const isPossessed =
    !newKey || verify(newKey, encoding.subarray(proofAt, end), utf8(keyLabel), encoding.subarray(0, proofAt));
  return isPossessed && verify(identityKey, encoding.subarray(end), utf8(signLabel), encoding.subarray(0, end));
}

function make(
  type: EntryType,
  place: EntryPlace,
  body: Uint8Array,
  newSeed: Uint8Array | null,
  signerSeed: Uint8Array,
): KeyLogEntry {
  const layout = layouts[type];
  const encoding = new Uint8Array(bodyAt + layout.bodyBytes + signatureBytes);
  const { account, sequence, previousHash } = place;
  const head = concat(
    Uint8Array.of(version, type),
    uuidToBytes(account),
    uint64(BigInt(sequence)),
    previousHash,
    body,
    newSeed ? publicKeyOf(newSeed) : new Uint8Array(),
  );
  const end = encoding.length - signatureBytes;
  if (previousHash.length !== 32 || head.length !== (newSeed ? end - signatureBytes : end)) {
    throw new RangeError('hashes and digests have 32 bytes');
  }
  encoding.set(head);
  if (newSeed) {
    encoding.set(sign(newSeed, utf8(keyLabel), head), head.length);
  }
  encoding.set(sign(signerSeed, utf8(signLabel), encoding.subarray(0, end)), end);
  return view(encoding, layout, sequence);
}

function view(encoding: Uint8Array, layout: Layout, sequence: number): KeyLogEntry {
  const { deviceAt, keyAt, digestAt } = layout;
  return {
    encoding,
    type: encoding[1] as EntryType,
    account: bytesToUuid(encoding.slice(2, 18)),
    sequence,
    previousHash: encoding.slice(26, bodyAt),
    device: deviceAt === null ? null : bytesToUuid(encoding.slice(deviceAt, deviceAt + 16)),
    newKey: keyAt === null ? null : encoding.slice(keyAt, keyAt + 32),
    vaultDigest: digestAt === null ? null : encoding.slice(digestAt, digestAt + 32),
  };
}

/** Longer chains than are looked at need no exact number; what is no number of .NET's is malformed. */
function isSequence(sequence: bigint | undefined): boolean {
  return sequence !== undefined && sequence < 1n << 63n;
}
