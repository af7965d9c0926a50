import { fromHex, toHex } from './bytes';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return uuidPattern.test(text);
}

/** The 16 bytes of a UUID in network order. */
export function uuidToBytes(id: string): Uint8Array {
  if (!isUuid(id)) {
    throw new RangeError('not a UUID');
  }
  return fromHex(id.replaceAll('-', ''));
}

export function bytesToUuid(bytes: Uint8Array): string {
  if (bytes.length !== 16) {
    throw new RangeError('a UUID has 16 bytes');
  }
  const hex = toHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

let lastMs = 0;
let sequence = 0;

/** RFC 9562 version 7: sortable by time, and increasing within this page even inside one millisecond. */
export function uuidv7(nowMs: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  // A clock that steps back must not make ids that sort before older ones.
  if (nowMs > lastMs) {
    lastMs = nowMs;
    sequence = ((bytes[6] ?? 0) << 4) & 0x7ff;
  } else if (++sequence > 0xfff) {
    lastMs += 1;
    sequence = 0;
  }
  let time = lastMs;
  for (let i = 5; i >= 0; i--) {
    bytes[i] = time % 256;
    time = Math.floor(time / 256);
  }
  bytes[6] = 0x70 | (sequence >> 8);
  bytes[7] = sequence & 0xff;
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return bytesToUuid(bytes);
}
