import { fromBase64, toBase64 } from '../protocol/bytes';

/** RFC 4648, section 5, without padding: what codes to scan or type are written in. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Null for whatever is not the one way to write some bytes. */
export function fromBase64Url(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) {
    return null;
  }
  try {
    const bytes = fromBase64(text.replaceAll('-', '+').replaceAll('_', '/'));
    return toBase64Url(bytes) === text ? bytes : null;
  } catch {
    return null;
  }
}
