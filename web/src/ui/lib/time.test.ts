import { describe, expect, test } from 'vitest';
import { ago, coarseDuration, dayLabel, daysAgo, listTime } from './time';

const at = (year: number, month: number, date: number, hours = 12) => new Date(year, month - 1, date, hours).getTime();
const now = at(2026, 5, 21, 15);
const hour = 3_600_000;

describe('Writing time', () => {
  test.each([
    [at(2026, 5, 21, 0), 'Today', 'Aujourd’hui'],
    [at(2026, 5, 20, 23), 'Yesterday', 'Hier'],
    [at(2026, 5, 18), 'Monday', 'Lundi'],
    [at(2026, 3, 3), 'Tuesday 3 March', 'Mardi 3 mars'],
    [at(2024, 3, 3), '3 March 2024', '3 mars 2024'],
  ])('The day of %i is %s', (time, english, french) => {
    expect(dayLabel(time, now, 'en-GB')).toBe(english);
    expect(dayLabel(time, now, 'fr').replace("'", '’')).toBe(french);
  });

  test('Midnight, not 24 hours, divides days', () => {
    expect(daysAgo(at(2026, 5, 20, 23), at(2026, 5, 21, 1))).toBe(1);
    expect(daysAgo(at(2026, 5, 21, 0), at(2026, 5, 21, 23))).toBe(0);
    // Europe changes its clocks on 29 March 2026: that day has 23 hours.
    expect(daysAgo(at(2026, 3, 28), at(2026, 3, 30))).toBe(2);
  });

  test('The list shows as little as it can', () => {
    expect(listTime(at(2026, 5, 21, 9), now, 'en-GB')).toBe('09:00');
    expect(listTime(at(2026, 5, 20), now, 'en-GB')).toBe('Yesterday');
    expect(listTime(at(2026, 5, 18), now, 'en-GB')).toBe('Mon');
    expect(listTime(at(2026, 1, 2), now, 'en-GB')).toBe('2 Jan');
  });

  test.each([
    [25 * hour, '25 hours'],
    [49 * hour, '2 days'],
    [hour, '1 hour'],
    [59 * 60_000, '59 minutes'],
    [10_000, '1 minute'],
  ])('%i ms left are about %s', (ms, text) => {
    expect(coarseDuration(ms, 'en')).toBe(text);
  });

  test('Time that is over has no length', () => {
    expect(coarseDuration(0, 'en')).toBeNull();
    expect(coarseDuration(-5, 'en')).toBeNull();
  });

  test('A device was last seen in words', () => {
    expect(ago(now - 4 * 60_000, now, 'en')).toBe('4 minutes ago');
    expect(ago(now - 3 * hour, now, 'fr')).toBe('il y a 3 heures');
    expect(ago(now + 5_000, now, 'en')).toBe('this minute');
  });
});
