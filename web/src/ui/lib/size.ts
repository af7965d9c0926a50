import type { ArchiveStatus } from '../../state/contract';

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

/** Bytes as people say them: "18 MB", in thousands and with three digits at most. */
export function sizeOf(bytes: number, locale: string): string {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** power;
  const style = { style: 'unit', unit: units[power] as string, unitDisplay: 'short' } as const;
  return new Intl.NumberFormat(locale, { ...style, maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
}

/** How far the history that is brought back is; nothing to bring is all of it. */
export function restoredPercent(restore: ArchiveStatus['restore']): number {
  return restore && restore.total > 0 ? Math.floor((100 * restore.done) / restore.total) : 0;
}
