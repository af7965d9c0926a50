import type { MandatePeriod } from './wire';

const dayMs = 24 * 3_600_000;

/**
 * When the period began that an instant lies in. Periods count from the moment a mandate was posted, in UTC: days of 24 hours,
 * weeks of seven of them, or months to the same day, or the month's last.
 * @param begun milliseconds since the Unix epoch, as is everything here
 * @param now not before `begun`; an earlier one counts as that
 */
export function periodStart(begun: number, period: MandatePeriod, now: number): number {
  if (now <= begun) {
    return begun;
  }
  if (period !== 'month') {
    const length = period === 'day' ? dayMs : 7 * dayMs;
    return begun + length * Math.floor((now - begun) / length);
  }
  const months = monthsBetween(begun, now);
  const start = addMonths(begun, months);
  return start <= now ? start : addMonths(begun, months - 1);
}

/** When the period ends that began at `start`. Months are counted from the beginning, so that the 31st comes back to the 31st. */
export function periodEnd(begun: number, period: MandatePeriod, start: number): number {
  return period === 'month'
    ? addMonths(begun, monthsBetween(begun, start) + 1)
    : start + (period === 'day' ? dayMs : 7 * dayMs);
}

/**
 * What is left to be drawn in the period that an instant lies in.
 * @param drawn what was drawn in the period that began at `start`; of another one it does not count
 */
export function leftToDraw(
  card: { createdAt: number; amountMinor: bigint },
  mandate: { period: MandatePeriod; periodStart: number | null; periodMinor: bigint },
  now: number,
): bigint {
  const isCurrent = mandate.periodStart === periodStart(card.createdAt, mandate.period, now);
  const left = card.amountMinor - (isCurrent ? mandate.periodMinor : 0n);
  return left > 0n ? left : 0n;
}

function monthsBetween(from: number, to: number): number {
  const [a, b] = [new Date(from), new Date(to)];
  return (b.getUTCFullYear() - a.getUTCFullYear()) * 12 + b.getUTCMonth() - a.getUTCMonth();
}

function addMonths(at: number, months: number): number {
  const date = new Date(at);
  const day = date.getUTCDate();
  const moved = new Date(at);
  moved.setUTCDate(1);
  moved.setUTCMonth(date.getUTCMonth() + months);
  const last = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate();
  moved.setUTCDate(Math.min(day, last));
  return moved.getTime();
}
