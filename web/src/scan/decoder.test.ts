import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDecoder } from './decoder';
import type { ScanCall } from './worker';

/** A worker that answers when a test says so. */
class HeldWorker {
  static all: HeldWorker[] = [];
  calls: ScanCall[] = [];
  ended = false;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: (() => void) | null = null;

  constructor() {
    HeldWorker.all.push(this);
  }

  postMessage(call: ScanCall): void {
    this.calls.push(call);
  }

  terminate(): void {
    this.ended = true;
  }

  answer(index: number, text: string | null): void {
    this.onmessage?.({ data: { number: this.calls[index]?.number, text } });
  }
}

const picture = (): ImageData => ({ data: new Uint8ClampedArray(4), width: 1, height: 1 }) as unknown as ImageData;
const workers = (count: number) => expect.poll(() => HeldWorker.all.length).toBe(count);
const called = (worker: HeldWorker | undefined, count: number) =>
  expect.poll(() => worker?.calls.length ?? 0).toBe(count);

beforeEach(() => {
  HeldWorker.all = [];
  vi.stubGlobal('Worker', HeldWorker);
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the library’s reader', () => {
  it('gives each picture its own answer, in whatever order they come', async () => {
    const decoder = await openDecoder();
    const [photo, frame] = [decoder.read(picture()), decoder.read(picture())];
    const [worker] = HeldWorker.all;
    await called(worker, 2);
    worker?.answer(1, null);
    worker?.answer(0, 'of the photo');
    expect(await Promise.all([photo, frame])).toEqual(['of the photo', null]);
    expect(HeldWorker.all).toHaveLength(1);
  });

  it('that fails says so to all who wait, and the next look begins another', async () => {
    const decoder = await openDecoder();
    const both = [decoder.read(picture()), decoder.read(picture())];
    await called(HeldWorker.all[0], 2);
    HeldWorker.all[0]?.onerror?.();
    expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(HeldWorker.all[0]?.ended).toBe(true);
    const next = decoder.read(picture());
    await workers(2);
    await called(HeldWorker.all[1], 1);
    HeldWorker.all[1]?.answer(0, 'read');
    expect(await next).toBe('read');
  });

  it('that is stopped leaves nobody waiting, and is not begun again', async () => {
    const decoder = await openDecoder();
    const waits = decoder.read(picture());
    await called(HeldWorker.all[0], 1);
    decoder.stop();
    expect(await waits).toBeNull();
    expect(await decoder.read(picture())).toBeNull();
    expect(HeldWorker.all).toHaveLength(1);
    expect(HeldWorker.all[0]?.ended).toBe(true);
  });
});
