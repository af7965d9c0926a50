import { afterEach, describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../protocol/bytes';
import { type PinHashParameters, readParameters } from '../parameters';
import { stretchHere } from './argon2';
import { calibration, StretchPace } from './progress';
import { PinStretcher, type StretchCall, type StretchWorker } from './workerClient';

const some: PinHashParameters = { memoryKib: 64, passes: 2, lanes: 1 };
const salt = utf8('sixteen bytes !!');

afterEach(() => {
  vi.useRealTimers();
});

describe('parameters', () => {
  it('are taken within their bounds only', () => {
    const read = (...bytes: number[]) => readParameters(Uint8Array.from(bytes));
    expect(read(1, 0, 1, 0, 0, 3, 1)).toEqual({ memoryKib: 65_536, passes: 3, lanes: 1 });
    expect(read(1, 0, 4, 0, 0, 10, 1)).toEqual({ memoryKib: 262_144, passes: 10, lanes: 1 });
    for (const bytes of [
      [2, 0, 1, 0, 0, 3, 1],
      [1, 0, 4, 0, 1, 3, 1],
      [1, 0xff, 0xff, 0xff, 0xff, 3, 1],
      [1, 0, 0, 0, 7, 3, 1],
      [1, 0, 1, 0, 0, 0, 1],
      [1, 0, 1, 0, 0, 11, 1],
      [1, 0, 1, 0, 0, 3, 2],
      [1, 0, 1, 0, 0, 3],
    ]) {
      expect(read(...bytes), bytes.join()).toBeNull();
    }
  });

  it('out of bounds are not computed with', async () => {
    await expect(stretchHere(utf8('1'), salt, { ...some, memoryKib: 1 << 20 })).rejects.toThrow(RangeError);
  });
});

describe('a stretching', () => {
  it('runs in one worker, is calibrated once and tells how far it may be', async () => {
    vi.useFakeTimers();
    const worker = new FakeWorker();
    const stretcher = new PinStretcher(null, () => worker);
    const told: number[] = [];
    const stretched = stretcher.withProgress((share) => void told.push(share))(utf8('1'), salt, some);
    await worker.reply(100);
    await worker.reply(4);
    expect(worker.calls[1]?.parameters).toEqual(calibration);
    expect(stretcher.pace.expectedMs(some)).toBeCloseTo((4 / 4096) * 128);
    await vi.advanceTimersByTimeAsync(200);
    await worker.reply(512);
    expect(await stretched).toEqual(Uint8Array.of(1));
    expect(told[0]).toBe(0);
    expect(told.at(-1)).toBe(1);
    expect(told.length).toBeGreaterThan(3);
    expect([...told].sort((a, b) => a - b)).toEqual(told);
    expect(told.slice(0, -1).every((share) => share < 1)).toBe(true);
    expect(stretcher.pace.msPerKibPass).toBe(4);

    const again = stretcher.withProgress(() => undefined)(utf8('2'), salt, some);
    await worker.reply(512);
    await again;
    expect(worker.calls).toHaveLength(4);
  });

  it('fails where the worker does, or is stopped', async () => {
    const worker = new FakeWorker();
    const stretcher = new PinStretcher(1, () => worker);
    const failed = stretcher.withProgress(() => undefined)(utf8('1'), salt, some);
    await Promise.resolve();
    worker.onmessage?.({ data: { id: 0, failed: 'no memory' } } as MessageEvent);
    await expect(failed).rejects.toThrow('no memory');
    const stopped = stretcher.withProgress(() => undefined)(utf8('1'), salt, some);
    await Promise.resolve();
    stretcher.stop();
    await expect(stopped).rejects.toThrow('stopped');
    expect(worker.terminated).toBe(true);
  });
});

describe('the pace', () => {
  it('never says that it is done', () => {
    const pace = new StretchPace(1);
    const shares = [0, 64, 128, 256, 10_000, 1e9].map((elapsedMs) => pace.progress(some, elapsedMs));
    expect(shares[0]).toBe(0);
    expect(shares[2]).toBeCloseTo(0.9);
    expect([...shares].sort((a, b) => a - b)).toEqual(shares);
    expect(Math.max(...shares)).toBeLessThan(1);
    expect(new StretchPace(Number.NaN).msPerKibPass).toBe(StretchPace.unknownMsPerKibPass);
  });
});

class FakeWorker implements StretchWorker {
  onmessage: StretchWorker['onmessage'] = null;
  onerror: StretchWorker['onerror'] = null;
  calls: StretchCall[] = [];
  terminated = false;

  postMessage(call: StretchCall): void {
    this.calls.push(call);
  }

  terminate(): void {
    this.terminated = true;
  }

  /** Answers the newest call. */
  async reply(tookMs: number): Promise<void> {
    await Promise.resolve();
    const id = (this.calls.at(-1) as StretchCall).id;
    this.onmessage?.({ data: { id, stretched: Uint8Array.of(1), tookMs } } as MessageEvent);
    for (let i = 0; i < 5; i++) {
      await Promise.resolve();
    }
  }
}
