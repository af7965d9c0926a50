import jsQR from 'jsqr';

/** Numbered: an answer goes to whoever asked. */
export type ScanCall = { number: number; pixels: ArrayBufferLike; width: number; height: number };
export type ScanReply = { number: number; text: string | null };

// Reading a picture takes tens of milliseconds on a phone: not the page's.
const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.onmessage = ({ data: { number, pixels, width, height } }: MessageEvent<ScanCall>) => {
  const found = jsQR(new Uint8ClampedArray(pixels), width, height);
  scope.postMessage({ number, text: found?.data ?? null } satisfies ScanReply);
};
