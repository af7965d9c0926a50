import jsQR from 'jsqr';

export type ScanCall = { pixels: ArrayBufferLike; width: number; height: number };
export type ScanReply = { text: string | null };

// Reading a picture takes tens of milliseconds on a phone: not the page's.
const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.onmessage = ({ data: { pixels, width, height } }: MessageEvent<ScanCall>) => {
  const found = jsQR(new Uint8ClampedArray(pixels), width, height);
  scope.postMessage({ text: found?.data ?? null } satisfies ScanReply);
};
