import type { MonthActivity } from '../../state/contract';

/** So many months the picture has. */
export const monthsShown = 12;

/** The last twelve months of UTC up to now, the oldest first, with those in which nothing moved. */
export function lastMonths(known: MonthActivity[], now: number): MonthActivity[] {
  const at = new Date(now);
  const byStart = new Map(known.map((month) => [month.from, month]));
  return Array.from({ length: monthsShown }, (_, index) => {
    const number = at.getUTCMonth() - (monthsShown - 1 - index);
    const from = Date.UTC(at.getUTCFullYear(), number);
    const to = Date.UTC(at.getUTCFullYear(), number + 1);
    return byStart.get(from) ?? { from, to, inMinor: 0n, outMinor: 0n };
  });
}

export function largestOf(months: MonthActivity[]): bigint {
  let largest = 0n;
  for (const { inMinor, outMinor } of months) {
    for (const minor of [inMinor, outMinor]) {
      if (minor > largest) {
        largest = minor;
      }
    }
  }
  return largest;
}

/** How tall a bar is of a full height, exact enough for a screen; what is not nothing can be seen. */
export function barHeight(minor: bigint, largest: bigint, full: number): number {
  if (minor <= 0n || largest <= 0n) {
    return 0;
  }
  return Math.max(1, Number((minor * BigInt(full * 100)) / largest) / 100);
}
