import { VaultLimits } from '../limits';
import type { PinHashParameters } from '../parameters';
import type { Stretch } from './port';
import { calibration, StretchPace } from './progress';

export type StretchCall = { id: number; pin: Uint8Array; salt: Uint8Array; parameters: PinHashParameters };
export type StretchReply = { id: number; stretched: Uint8Array; tookMs: number } | { id: number; failed: string };

/** The part of a worker that is used; tests give another. */
export type StretchWorker = {
  onmessage: ((message: MessageEvent<StretchReply>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  postMessage(call: StretchCall): void;
  terminate(): void;
};

type Waiting = { resolve: (reply: { stretched: Uint8Array; tookMs: number }) => void; reject: (reason: Error) => void };

const tickMs = 50;
const smallest: PinHashParameters = { memoryKib: VaultLimits.memoryMinKib, passes: 1, lanes: 1 };

/**
 * Stretches PINs away from the page, so that it never stands still, and tells every twentieth of a second how far it may be.
 * The worker is started for the first PIN and gives its memory back when it is stopped.
 */
export class PinStretcher {
  readonly pace: StretchPace;
  readonly #start: () => StretchWorker;
  readonly #waiting = new Map<number, Waiting>();
  #worker: StretchWorker | null = null;
  #calls = 0;
  #isCalibrated: boolean;

  /** @param msPerKibPass the `pace` of an earlier time, which saves the calibration */
  constructor(msPerKibPass: number | null = null, start: () => StretchWorker = startWorker) {
    this.pace = new StretchPace(msPerKibPass);
    this.#isCalibrated = msPerKibPass !== null;
    this.#start = start;
  }

  /** A `Stretch` that tells its progress, from 0 to 1. */
  withProgress(tell: (share: number) => void): Stretch {
    return async (pin, salt, parameters) => {
      await this.#calibrate(salt);
      const begun = Date.now();
      tell(0);
      const ticking = setInterval(() => tell(this.pace.progress(parameters, Date.now() - begun)), tickMs);
      try {
        const { stretched, tookMs } = await this.#ask(pin, salt, parameters);
        this.pace.learn(parameters, tookMs);
        tell(1);
        return stretched;
      } finally {
        clearInterval(ticking);
      }
    };
  }

  /** Ends the worker; whoever waits fails. A later PIN starts another. */
  stop(): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.#failAll('the stretching was stopped');
  }

  async #calibrate(salt: Uint8Array): Promise<void> {
    if (!this.#isCalibrated) {
      // The first one compiles the program, which is no part of the pace.
      await this.#ask(new Uint8Array(1), salt, smallest);
      const { tookMs } = await this.#ask(new Uint8Array(1), salt, calibration);
      this.pace.learn(calibration, tookMs);
      this.#isCalibrated = true;
    }
  }

  #ask(pin: Uint8Array, salt: Uint8Array, parameters: PinHashParameters) {
    return new Promise<{ stretched: Uint8Array; tookMs: number }>((resolve, reject) => {
      const id = this.#calls++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker ??= this.#listen(this.#start());
      this.#worker.postMessage({ id, pin, salt, parameters });
    });
  }

  #listen(worker: StretchWorker): StretchWorker {
    worker.onmessage = ({ data: reply }) => {
      const call = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('failed' in reply) {
        call?.reject(new Error(reply.failed));
      } else {
        call?.resolve(reply);
      }
    };
    worker.onerror = () => {
      this.#worker = null;
      worker.terminate();
      this.#failAll('the stretching worker failed');
    };
    return worker;
  }

  #failAll(reason: string): void {
    for (const call of this.#waiting.values()) {
      call.reject(new Error(reason));
    }
    this.#waiting.clear();
  }
}

function startWorker(): StretchWorker {
  return new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'pin' });
}
