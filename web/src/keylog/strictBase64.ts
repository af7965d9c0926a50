import { fromBase64, toBase64 } from '../protocol/bytes';

/** Base64 of RFC 4648, section 4, in the one way to write it: padded, without spaces, unused bits zero. Null for all else. */
export function decodeStrictBase64(text: string): Uint8Array | null {
  try {
    const bytes = fromBase64(text);
    return toBase64(bytes) === text ? bytes : null;
  } catch {
    return null;
  }
}
