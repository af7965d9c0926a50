import type { Catalogue } from '../../i18n/en';
import type { Presence } from '../../state/contract';
import { clockTime, dateLabel, daysAgo } from './time';

const recentMs = 15 * 60_000;

/** In words as coarse as the time is known. Null where nothing is known. */
export function presenceText(
  presence: Presence | null,
  now: number,
  words: Catalogue['presence'],
  locale: string,
): string | null {
  if (presence?.online) {
    return words.online;
  }
  const at = presence?.lastSeen;
  if (at === undefined || at === null) {
    return null;
  }
  if (now - at < recentMs) {
    return words.recently;
  }
  switch (daysAgo(at, now)) {
    case 0:
      return words.seen.today(clockTime(at, locale));
    case 1:
      return words.seen.yesterday(clockTime(at, locale));
    default:
      return words.seen.on(dateLabel(at, now, locale));
  }
}
