import { sha512 } from '@noble/hashes/sha2.js';
import { concat, equalBytes, utf8 } from '../protocol/bytes';
import { bytesToUuid, uuidToBytes } from '../protocol/ids';
import type { SafetyScan } from '../state/contract';
import { fromBase64Url, toBase64Url } from './base64url';

/** One side of a comparison: whose, and the identity key that is compared, 32 bytes. */
export type SafetySide = { account: string; identityKey: Uint8Array };

const iterations = 5200;
/** After so many the page gets its turn: all of them take a slow phone half a second. */
const iterationsPerTurn = 400;
const groupsPerSide = 6;
const prefix = 'chatpay:safety:1:';
const sideBytes = 16 + 32;

/**
 * The 60 digits that both people see alike, in twelve groups of five. Each side is SHA-512 of "chatpay safety v1" ‖ account ‖
 * key, and 5200 times more of the hash and the key, so that nobody finds a second key of the same digits; the lower half stands
 * first.
 */
export async function safetyNumber(one: SafetySide, other: SafetySide): Promise<string[]> {
  const halves = [await half(one), await half(other)].sort((a, b) => (a.join('') < b.join('') ? -1 : 1));
  return halves.flat();
}

/** What one shows to be scanned by the other. */
export function safetyCode(own: SafetySide, other: SafetySide): string {
  return prefix + toBase64Url(concat(sideOf(own), sideOf(other)));
}

/** Compares a scanned code, whose halves stand the other way round, with what the scanner knows. */
export function compareSafetyCode(scanned: string, own: SafetySide, other: SafetySide): SafetyScan {
  const bytes = scanned.startsWith(prefix) ? fromBase64Url(scanned.slice(prefix.length)) : null;
  if (bytes?.length !== 2 * sideBytes) {
    return 'notACode';
  }
  const [theirs, mine] = [readSide(bytes.subarray(0, sideBytes)), readSide(bytes.subarray(sideBytes))];
  if (theirs.account !== other.account || mine.account !== own.account) {
    return 'otherPerson';
  }
  return equalBytes(theirs.identityKey, other.identityKey) && equalBytes(mine.identityKey, own.identityKey)
    ? 'match'
    : 'mismatch';
}

/** Six groups of five digits: each five bytes of the last hash as a number modulo 100000. */
async function half({ account, identityKey }: SafetySide): Promise<string[]> {
  let hash = sha512(concat(utf8('chatpay safety v1'), uuidToBytes(account), identityKey));
  for (let i = 0; i < iterations; i++) {
    hash = sha512(concat(hash, identityKey));
    if (i % iterationsPerTurn === 0) {
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  return Array.from({ length: groupsPerSide }, (_, group) => {
    const number = hash.subarray(5 * group, 5 * group + 5).reduce((sum, byte) => sum * 256 + byte, 0);
    return String(number % 100_000).padStart(5, '0');
  });
}

function sideOf({ account, identityKey }: SafetySide): Uint8Array {
  if (identityKey.length !== 32) {
    throw new RangeError('an identity key has 32 bytes');
  }
  return concat(uuidToBytes(account), identityKey);
}

function readSide(bytes: Uint8Array): SafetySide {
  return { account: bytesToUuid(bytes.slice(0, 16)), identityKey: bytes.slice(16) };
}
