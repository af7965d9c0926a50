import { describe, expect, test } from 'vitest';
import { en } from '../../i18n/en';
import { boundsOf, dayStart, dayText, periodOf, periods, periodText } from './period';

const now = new Date(2026, 0, 15, 9, 30).getTime();
const at = (year: number, month: number, day: number) => new Date(year, month - 1, day).getTime();

describe('Periods', () => {
  test('They begin with days and months of the person’s own, also across a year', () => {
    expect(boundsOf('thisMonth', now)).toEqual({ from: at(2026, 1, 1), to: null });
    expect(boundsOf('lastMonth', now)).toEqual({ from: at(2025, 12, 1), to: at(2026, 1, 1) });
    expect(boundsOf('threeMonths', now)).toEqual({ from: at(2025, 11, 1), to: null });
    expect(boundsOf('thisYear', now)).toEqual({ from: at(2026, 1, 1), to: null });
  });

  test('What they are is told from their bounds', () => {
    const spring = new Date(2026, 4, 21).getTime();
    for (const period of periods.filter((one) => one !== 'own')) {
      expect(periodOf(boundsOf(period, spring), spring)).toBe(period);
    }
    expect(periodOf({ from: at(2026, 1, 3), to: null }, now)).toBe('own');
  });

  test('The last day of a period is within it', () => {
    const bounds = { from: dayStart('2026-01-03'), to: dayStart('2026-01-04', 1) };
    expect(bounds).toEqual({ from: at(2026, 1, 3), to: at(2026, 1, 5) });
    expect([dayText(bounds.from), dayText(bounds.to, -1)]).toEqual(['2026-01-03', '2026-01-04']);
    expect(periodText(bounds, now, en, 'en-GB')).toBe('3 January 2026 – 4 January 2026');
    expect(periodText({ from: null, to: bounds.to }, now, en, 'en-GB')).toBe('Until 4 January 2026');
    expect(periodText({ from: at(2026, 1, 3), to: at(2026, 1, 4) }, now, en, 'en-GB')).toBe('3 January 2026');
  });

  test('What is no date is none', () => {
    expect([dayStart(''), dayStart('soon'), dayText(null)]).toEqual([null, null, '']);
  });
});
