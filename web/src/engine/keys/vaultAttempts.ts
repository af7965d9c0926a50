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
  return one.realm !== other.realm && isLike(one, other) && apartMs(one, other) < clocksApartMs;
}

/**
 * Those of the fresh parts that are of no guess which is known already, one for each guess. A device asks each realm once for a
 * guess, so that a part at a realm which has one already is of another guess.
 */
export function newGuesses(known: readonly SeenGuess[], fresh: readonly SeenGuess[]): SeenGuess[] {
  const guesses: SeenGuess[][] = [];
  fold(guesses, known);
  const before = guesses.length;
  fold(guesses, fresh);
  return guesses.slice(before).flatMap(([first]) => first ?? []);
}

function fold(guesses: SeenGuess[][], parts: readonly SeenGuess[]): void {
  for (const part of parts.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))) {
    const same = guesses.find(([first, ...others]) => {
      const isFree = first && [first, ...others].every(({ realm }) => realm !== part.realm);
      return isFree && isSameElsewhere(first, part);
    });
    if (same) {
      same.push(part);
    } else {
      guesses.push([part]);
    }
  }
}

function apartMs(one: SeenGuess, other: SeenGuess): number {
  return Math.abs(Date.parse(one.at) - Date.parse(other.at));
}

function isLike(one: SeenGuess, other: SeenGuess): boolean {
  return one.device === other.device && one.outcome === other.outcome;
}
