import type { Catalogue } from '../../i18n/en';
import type { StatementFilter } from '../../state/contract';
import { longDate } from '../lib/time';

export const periods = ['all', 'thisMonth', 'lastMonth', 'threeMonths', 'thisYear', 'own'] as const;
export type Period = (typeof periods)[number];
export type Bounds = Pick<StatementFilter, 'from' | 'to'>;

/** The bounds of a period as of now, in the person's own days; of `own` none, they are chosen. */
export function boundsOf(period: Period, now: number): Bounds {
  const at = new Date(now);
  const month = (offset: number) => new Date(at.getFullYear(), at.getMonth() + offset, 1).getTime();
  switch (period) {
    case 'thisMonth':
      return { from: month(0), to: null };
    case 'lastMonth':
      return { from: month(-1), to: month(0) };
    case 'threeMonths':
      return { from: month(-2), to: null };
    case 'thisYear':
      return { from: new Date(at.getFullYear(), 0, 1).getTime(), to: null };
    default:
      return { from: null, to: null };
  }
}

/** Which period has these bounds. */
export function periodOf({ from, to }: Bounds, now: number): Period {
  const found = periods.find((period) => {
    const bounds = boundsOf(period, now);
    return bounds.from === from && bounds.to === to;
  });
  return found ?? 'own';
}

/** The start of a day as a date field writes it, `offset` days later; null for no date. */
export function dayStart(text: string, offset = 0): number | null {
  const [, year, month, day] = (/^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? []).map(Number);
  const at = year && month && day ? new Date(year, month - 1, day + offset).getTime() : Number.NaN;
  return Number.isNaN(at) || at < 0 ? null : at;
}

/** The day of an instant as a date field writes it, `offset` days later. */
export function dayText(at: number | null, offset = 0): string {
  if (at === null) {
    return '';
  }
  const day = new Date(at);
  day.setDate(day.getDate() + offset);
  const digits = (value: number, count: number) => value.toString().padStart(count, '0');
  return `${digits(day.getFullYear(), 4)}-${digits(day.getMonth() + 1, 2)}-${digits(day.getDate(), 2)}`;
}

/** A period in words. The end of the filter is not within, so the last day is the one before. */
export function periodText(bounds: Bounds, now: number, t: Catalogue, locale: string): string {
  const period = periodOf(bounds, now);
  if (period !== 'own') {
    return t.book.periods[period];
  }
  const from = bounds.from === null ? null : longDate(bounds.from, locale);
  const to = bounds.to === null ? null : longDate(bounds.to - 1, locale);
  if (from !== null && to !== null) {
    return from === to ? from : t.book.between(from, to);
  }
  return from !== null ? t.book.since(from) : t.book.until(to ?? '');
}
