/** Full jitter: anything up to an exponentially growing, capped delay, so that clients do not return in step. */
export function fullJitterMs(
  attempt: number,
  baseMs: number,
  capMs: number,
  random: () => number = Math.random,
): number {
  return Math.floor(random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt, 20)));
}

/** A delay that the server named, and up to as much again: many clients may have been told the same. */
export function askedMs(ms: number, random: () => number = Math.random): number {
  return ms + Math.floor(random() * ms);
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
