import { concat } from '../protocol/bytes';
import { bytesToUuid, uuidToBytes } from '../protocol/ids';
import { fromBase64Url, toBase64Url } from './base64url';

/** What a code for paying says: somebody to pay, for good, by account and identity key (Ed25519, 32 bytes), or a code of the server's. */
export type PayCodeText = { account: string; identityKey: Uint8Array } | { code: string };

const personPrefix = 'chatpay:payme:1:';
const codePrefix = 'chatpay:pay:1:';
const personBytes = 16 + 32;
const codeBytes = 32;

export function payCodeOfPerson(account: string, identityKey: Uint8Array): string {
  const bytes = concat(uuidToBytes(account), identityKey);
  if (bytes.length !== personBytes) {
    throw new RangeError('an identity key has 32 bytes');
  }
  return personPrefix + toBase64Url(bytes);
}

export function payCodeOf(code: string): string {
  return codePrefix + code;
}

/** Null for whatever is no such code. White space anywhere is passed over: people copy in pieces. */
export function readPayCode(scanned: string): PayCodeText | null {
  const text = scanned.replaceAll(/\s/g, '');
  if (text.startsWith(codePrefix)) {
    const code = text.slice(codePrefix.length);
    return fromBase64Url(code)?.length === codeBytes ? { code } : null;
  }
  const bytes = text.startsWith(personPrefix) ? fromBase64Url(text.slice(personPrefix.length)) : null;
  return bytes?.length === personBytes
    ? { account: bytesToUuid(bytes.slice(0, 16)), identityKey: bytes.slice(16) }
    : null;
}
