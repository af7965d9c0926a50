const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const formats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale, options);
    formats.set(key, format);
  }
  return format;
}

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

/** Whole calendar days from `at` to `now`; rounding absorbs the hour that daylight saving adds or takes. */
export function daysAgo(at: number, now: number): number {
  return Math.round((startOfDay(now) - startOfDay(at)) / day);
}

export function sameDay(a: number, b: number): boolean {
  return startOfDay(a) === startOfDay(b);
}

export function clockTime(at: number, locale: string): string {
  return dateFormat(locale, { timeStyle: 'short' }).format(at);
}

function relativeDay(days: number, locale: string): string {
  return capitalise(new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(-days, 'day'), locale);
}

/** For day separators and statements: Today, Yesterday, Tuesday, 3 March, 3 March 2024. */
export function dayLabel(at: number, now: number, locale: string): string {
  const days = daysAgo(at, now);
  if (days === 0 || days === 1) {
    return relativeDay(days, locale);
  }
  if (days > 1 && days < 7) {
    return capitalise(dateFormat(locale, { weekday: 'long' }).format(at), locale);
  }
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const base: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'long' };
  return capitalise(
    dateFormat(locale, sameYear ? { weekday: 'long', ...base } : { ...base, year: 'numeric' }).format(at),
    locale,
  );
}

/** For the conversation list: as short as it can be. */
export function listTime(at: number, now: number, locale: string): string {
  const days = daysAgo(at, now);
  if (days <= 0) {
    return clockTime(at, locale);
  }
  if (days === 1) {
    return relativeDay(1, locale);
  }
  if (days < 7) {
    return capitalise(dateFormat(locale, { weekday: 'short' }).format(at), locale);
  }
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return dateFormat(
    locale,
    sameYear ? { day: 'numeric', month: 'short' } : { day: '2-digit', month: '2-digit', year: '2-digit' },
  ).format(at);
}

/** A date without its time: 3 March, 3 March 2024. */
export function dateLabel(at: number, now: number, locale: string): string {
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const base: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'long' };
  return dateFormat(locale, sameYear ? base : { ...base, year: 'numeric' }).format(at);
}

export function fullTime(at: number, locale: string): string {
  return dateFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(at);
}

/** To the second and with the zone: what stands on a receipt. */
export function preciseTime(at: number, locale: string): string {
  return dateFormat(locale, { dateStyle: 'long', timeStyle: 'long' }).format(at);
}

/** A month of UTC: "May 2026", or its letter alone under a picture. */
export function monthName(at: number, locale: string, form: 'narrow' | 'long'): string {
  const options: Intl.DateTimeFormatOptions =
    form === 'narrow' ? { month: 'narrow' } : { month: 'long', year: 'numeric' };
  return capitalise(dateFormat(locale, { ...options, timeZone: 'UTC' }).format(at), locale);
}

export function longDate(at: number, locale: string): string {
  return dateFormat(locale, { dateStyle: 'long' }).format(at);
}

/** A coarse length of time, "23 hours", never ticking seconds. Null when it is over. */
export function coarseDuration(ms: number, locale: string): string | null {
  if (ms <= 0) {
    return null;
  }
  const [value, unit] =
    ms >= 2 * day
      ? [Math.floor(ms / day), 'day']
      : ms >= hour
        ? [Math.floor(ms / hour), 'hour']
        : [Math.max(1, Math.floor(ms / minute)), 'minute'];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(value);
}

/** How long one waits for something near: "28 seconds", "5 minutes", rounded up. */
export function shortDuration(ms: number, locale: string): string {
  const [value, unit] =
    ms > minute ? [Math.ceil(ms / minute), 'minute'] : [Math.max(1, Math.ceil(ms / 1000)), 'second'];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(value);
}

/** What is left of something short, ticking: "0:42", "14:05"; the last second is 0:01. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** "3 minutes ago", for when a device was last seen. */
export function ago(at: number, now: number, locale: string): string {
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const ms = Math.max(0, now - at);
  if (ms < hour) {
    return format.format(-Math.floor(ms / minute), 'minute');
  }
  if (ms < day) {
    return format.format(-Math.floor(ms / hour), 'hour');
  }
  return ms < 30 * day ? format.format(-daysAgo(at, now), 'day') : longDate(at, locale);
}

function capitalise(text: string, locale: string): string {
  return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
}
