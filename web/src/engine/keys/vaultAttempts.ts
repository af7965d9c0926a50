import type { VaultAttempt } from '../../state/contract';
import type { SeenGuess } from '../../storage/records';
import type { RealmTold } from './vaultTold';

/** A device asks all realms at once, and their clocks differ by less than this. */
export const clocksApartMs = 60_000;

/**
 * A success weighs most: a realm gives its share only to whoever shows that the PIN is right, so one that tells of it is enough,
 * and a failure beside it is only that nobody came back to the other realm. A realm that makes a success up frightens, and one
 * that makes up a failure hides none.
 */
const weights = { open: 0, failed: 1, succeeded: 2 } as const satisfies Record<VaultAttempt['outcome'], number>;

type Told = VaultAttempt & { realms: Set<string> };

/**
 * What all realms tell of, newest first: the guesses of one device within a minute are one, unless a realm tells of two. So none
 * is missing that one of them has listed, whatever the others keep to themselves.
 */
export function mergeAttempts(told: readonly RealmTold[]): VaultAttempt[] {
  const merged: Told[] = [];
  for (const { realm, attempts } of told) {
    for (const { at: time, device, outcome } of attempts) {
      const at = Date.parse(time);
      const apart = (one: Told) => Math.abs(one.at - at);
      const same = merged
        .filter((one) => one.device === device && !one.realms.has(realm) && apart(one) < clocksApartMs)
        .sort((a, b) => apart(a) - apart(b))[0];
      if (same) {
        same.realms.add(realm);
        same.outcome = weights[outcome] > weights[same.outcome] ? outcome : same.outcome;
      } else {
        merged.push({ at, device, outcome, realms: new Set([realm]) });
      }
    }
  }
  return merged.sort((a, b) => b.at - a.at).map(({ at, device, outcome }) => ({ at, device, outcome }));
}

/** Realms give their attempts no id; each has its time to the microsecond. */
export function isSame(one: SeenGuess, other: SeenGuess): boolean {
  return one.realm === other.realm && isLike(one, other) && one.at === other.at;
}

/** The same guess at another realm. */
export function isSameElsewhere(one: SeenGuess, other: SeenGuess): boolean {
  const apartMs = Math.abs(Date.parse(one.at) - Date.parse(other.at));
  return one.realm !== other.realm && isLike(one, other) && apartMs < clocksApartMs;
}

function isLike(one: SeenGuess, other: SeenGuess): boolean {
  return one.device === other.device && one.outcome === other.outcome;
}
