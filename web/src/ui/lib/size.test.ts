import { describe, expect, test } from 'vitest';
import { restoredPercent, sizeOf } from './size';

describe('Sizes', () => {
  test.each([
    [0, '0 byte'],
    [999, '999 byte'],
    [1200, '1.2 kB'],
    [18_400_000, '18 MB'],
    [268_435_456, '268 MB'],
    [3_000_000_000_000, '3,000 GB'],
  ])('%d bytes', (bytes, words) => {
    expect(sizeOf(bytes, 'en')).toBe(words);
  });

  test('What is brought back is told in whole percent, and never all before it is', () => {
    const restore = { done: 119, total: 120, isDone: false, damaged: 0, isPaused: false };
    expect(restoredPercent(restore)).toBe(99);
    expect(restoredPercent({ ...restore, total: 0 })).toBe(0);
    expect(restoredPercent(null)).toBe(0);
  });
});
