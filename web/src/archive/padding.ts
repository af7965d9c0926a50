/**
 * How a chunk's size is made to tell little: JSON ‖ 0x80 ‖ zeros, up to the next of 1, 2, 4, … 64 KiB. There is one way to pad,
 * so a chunk that is longer than it needs to be is none.
 */
export const jsonMaxBytes = 64 * 1024 - 1;

const smallestBytes = 1024;
const mark = 0x80;

/** @throws RangeError for JSON of no bytes, or of more than a chunk has. */
export function pad(json: Uint8Array): Uint8Array {
  const padded = new Uint8Array(paddedSize(json.length));
  padded.set(json);
  padded[json.length] = mark;
  return padded;
}

/** Null for bytes that nobody padded like this. */
export function strip(padded: Uint8Array): Uint8Array | null {
  const end = padded.findLastIndex((byte) => byte !== 0);
  return end > 0 && padded[end] === mark && paddedSize(end) === padded.length ? padded.slice(0, end) : null;
}

export function isPaddedSize(bytes: number): boolean {
  return bytes >= smallestBytes && bytes <= jsonMaxBytes + 1 && (bytes & (bytes - 1)) === 0;
}

function paddedSize(jsonBytes: number): number {
  if (jsonBytes < 1 || jsonBytes > jsonMaxBytes) {
    throw new RangeError(`a chunk has 1 to ${jsonMaxBytes} bytes of JSON`);
  }
  let size = smallestBytes;
  while (size < jsonBytes + 1) {
    size *= 2;
  }
  return size;
}
