import { expect, test } from 'vitest';
import { barHeight, largestOf, lastMonths } from './months';

const now = Date.UTC(2026, 1, 3);
const november = { from: Date.UTC(2025, 10), to: Date.UTC(2025, 11), inMinor: 700n, outMinor: 20n };

test('The picture has the last twelve months, also those in which nothing moved', () => {
  const months = lastMonths([november, { ...november, from: Date.UTC(2024, 0) }], now);
  expect(months.map(({ from }) => new Date(from).toISOString().slice(0, 7))).toEqual([
    '2025-03',
    '2025-04',
    '2025-05',
    '2025-06',
    '2025-07',
    '2025-08',
    '2025-09',
    '2025-10',
    '2025-11',
    '2025-12',
    '2026-01',
    '2026-02',
  ]);
  expect(months[8]).toEqual(november);
  expect(months[11]).toMatchObject({ to: Date.UTC(2026, 2), inMinor: 0n });
  expect(largestOf(months)).toBe(700n);
});

test('Bars are in proportion, exact beyond what a number holds, and never vanish', () => {
  expect(barHeight(350n, 700n, 100)).toBe(50);
  expect(barHeight(10n ** 20n, 2n * 10n ** 20n, 100)).toBe(50);
  expect(barHeight(1n, 10n ** 9n, 100)).toBe(1);
  expect(barHeight(0n, 700n, 100)).toBe(0);
  expect(barHeight(0n, 0n, 100)).toBe(0);
});
