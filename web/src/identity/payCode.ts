import { concat } from '../protocol/bytes';
import { bytesToUuid, uuidToBytes } from '../protocol/ids';
import { fromBase64Url, toBase64Url } from './base64url';

/** Whom a code for paying is of: account and identity key (Ed25519, 32 bytes). */
export type PayCodeOwner = { account: string; identityKey: Uint8Array };

/** What a code for paying says: somebody to pay, for good, or besides a code of the server's, and whose that is. */
export type PayCodeText = PayCodeOwner & { code: string | null };

const personPrefix = 'chatpay:payme:1:';
const codePrefix = 'chatpay:pay:2:';
const personBytes = 16 + 32;
const codeBytes = 32;

export function payCodeOfPerson(owner: PayCodeOwner): string {
  return personPrefix + toBase64Url(bytesOf(owner));
}

/** @param code of the server's: 32 bytes in base64url. The server is not believed whose it is, so the text says it. */
export function payCodeOf(owner: PayCodeOwner, code: string): string {
  return codePrefix + toBase64Url(concat(bytesOf(owner), fromBase64Url(code) ?? new Uint8Array()));
}

/** Null for whatever is no such code. White space anywhere is passed over: people copy in pieces. */
export function readPayCode(scanned: string): PayCodeText | null {
  const text = scanned.replaceAll(/\s/g, '');
  if (text.startsWith(codePrefix)) {
    const bytes = fromBase64Url(text.slice(codePrefix.length));
    return bytes?.length === personBytes + codeBytes
      ? { ...ownerOf(bytes), code: toBase64Url(bytes.slice(personBytes)) }
      : null;
  }
  const bytes = text.startsWith(personPrefix) ? fromBase64Url(text.slice(personPrefix.length)) : null;
  return bytes?.length === personBytes ? { ...ownerOf(bytes), code: null } : null;
}

function bytesOf({ account, identityKey }: PayCodeOwner): Uint8Array {
  const bytes = concat(uuidToBytes(account), identityKey);
  if (bytes.length !== personBytes) {
    throw new RangeError('an identity key has 32 bytes');
  }
  return bytes;
}

function ownerOf(bytes: Uint8Array): PayCodeOwner {
  return { account: bytesToUuid(bytes.slice(0, 16)), identityKey: bytes.slice(16, personBytes) };
}
