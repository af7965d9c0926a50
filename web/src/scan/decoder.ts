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
      if (stopped) {
        return null;
      }
      if (detector && !library) {
        try {
          return bounded((await detector.detect(picture))[0]?.rawValue);
        } catch {
          // It is there in name only, as on phones without the service that does the reading.
        }
      }
      // It may have been stopped meanwhile, and no worker is begun then.
      if (stopped) {
        return null;
      }
      library ??= startLibrary();
      const mine = library;
      try {
        return bounded(await mine.read(picture));
      } catch (thrown) {
        // Another look begins with another worker; this one answers no more.
        mine.stop();
        library = library === mine ? null : library;
        throw thrown;
      }
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

type Waiting = { resolve: (text: string | null) => void; reject: (reason: Error) => void };

/** Pictures go to the worker by their buffers: nothing is copied. Each gets the answer that has its number. */
function startLibrary(): QrDecoder {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'scan' });
  const waiting = new Map<number, Waiting>();
  let number = 0;
  const end = (each: (one: Waiting) => void) => {
    const all = [...waiting.values()];
    waiting.clear();
    all.forEach(each);
  };
  worker.onmessage = ({ data }: MessageEvent<ScanReply>) => {
    waiting.get(data.number)?.resolve(data.text);
    waiting.delete(data.number);
  };
  worker.onerror = () => end(({ reject }) => reject(new Error('the reader of codes failed')));
  return {
    read: ({ data, width, height }) =>
      new Promise((resolve, reject) => {
        number++;
        waiting.set(number, { resolve, reject });
        worker.postMessage({ number, pixels: data.buffer, width, height } satisfies ScanCall, [data.buffer]);
      }),
    stop: () => {
      worker.terminate();
      end(({ resolve }) => resolve(null));
    },
  };
}
