import type { ScanCall, ScanReply } from './worker';

/** Reads a QR code in a picture: null where there is none. */
export type QrDecoder = {
  read(picture: ImageData): Promise<string | null>;
  stop(): void;
};

/** More than any code of ours has; a longer one is somebody else's. */
const textMaxChars = 4096;

/** What some browsers have built in; no type library names it yet. */
type Detector = { detect(picture: ImageData): Promise<{ rawValue: string }[]> };
type DetectorClass = {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
};

/** The browser's own reader where it has one for QR codes, else the library's in a worker, which is fetched only then. */
export async function openDecoder(): Promise<QrDecoder> {
  const detector = await ownDetector();
  let library: QrDecoder | null = null;
  let stopped = false;
  return {
    read: async (picture) => {
      if (detector && !library) {
        try {
          return bounded((await detector.detect(picture))[0]?.rawValue);
        } catch {
          // It is there in name only, as on phones without the service that does the reading.
        }
      }
      if (stopped) {
        return null;
      }
      library ??= startLibrary();
      return bounded(await library.read(picture));
    },
    stop: () => {
      stopped = true;
      library?.stop();
    },
  };
}

async function ownDetector(): Promise<Detector | null> {
  const { BarcodeDetector } = globalThis as { BarcodeDetector?: DetectorClass };
  try {
    return BarcodeDetector && (await BarcodeDetector.getSupportedFormats()).includes('qr_code')
      ? new BarcodeDetector({ formats: ['qr_code'] })
      : null;
  } catch {
    return null;
  }
}

function bounded(text: string | null | undefined): string | null {
  return text && text.length <= textMaxChars ? text : null;
}

/** One picture at a time goes to the worker, by its buffer: nothing is copied. */
function startLibrary(): QrDecoder {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'scan' });
  let waiting: { resolve: (text: string | null) => void; reject: (reason: Error) => void } | null = null;
  worker.onmessage = ({ data }: MessageEvent<ScanReply>) => {
    waiting?.resolve(data.text);
    waiting = null;
  };
  worker.onerror = () => {
    waiting?.reject(new Error('the reader of codes failed to load'));
    waiting = null;
  };
  return {
    read: ({ data, width, height }) =>
      new Promise((resolve, reject) => {
        waiting?.resolve(null);
        waiting = { resolve, reject };
        worker.postMessage({ pixels: data.buffer, width, height } satisfies ScanCall, [data.buffer]);
      }),
    stop: () => {
      worker.terminate();
      waiting?.resolve(null);
      waiting = null;
    },
  };
}
