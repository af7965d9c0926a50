import type { PinHashParameters } from '../parameters';

/**
 * How far a stretching is, as well as one can say: Argon2id tells nothing while it runs, so what is shown is how long it takes on
 * this device by what earlier ones took. It slows down towards the end and never says that it is done.
 */
export class StretchPace {
  /** Until this device is known: a slow phone's time for a kibibyte in one pass. */
  static readonly unknownMsPerKibPass = 0.02;
  #msPerKibPass: number;

  /** @param msPerKibPass what this device took last time, if anybody kept it */
  constructor(msPerKibPass: number | null = null) {
    const isUsable = msPerKibPass !== null && Number.isFinite(msPerKibPass) && msPerKibPass > 0;
    this.#msPerKibPass = isUsable ? msPerKibPass : StretchPace.unknownMsPerKibPass;
  }

  get msPerKibPass(): number {
    return this.#msPerKibPass;
  }

  expectedMs(parameters: PinHashParameters): number {
    return this.#msPerKibPass * parameters.memoryKib * parameters.passes;
  }

  /** A stretching, or a short one to calibrate with, took so long. */
  learn(parameters: PinHashParameters, tookMs: number): void {
    this.#msPerKibPass = Math.max(tookMs, 0.1) / (parameters.memoryKib * parameters.passes);
  }

  /** 0 to below 1: nine tenths when the expected time is over, and from there ever slower. */
  progress(parameters: PinHashParameters, elapsedMs: number): number {
    const share = Math.max(elapsedMs, 0) / Math.max(this.expectedMs(parameters), 1);
    return share <= 1 ? share * 0.9 : 0.9 + 0.09 * (1 - 1 / share);
  }
}

/** What a device is calibrated with: a sixteenth of the memory of a registration, once. */
export const calibration: PinHashParameters = { memoryKib: 4 * 1024, passes: 1, lanes: 1 };
