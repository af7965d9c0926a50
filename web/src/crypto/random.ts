/** So many random bytes. Whatever draws some is given this, so that tests can fix them. */
export type Random = (count: number) => Uint8Array;

export const systemRandom: Random = (count) => crypto.getRandomValues(new Uint8Array(count));

/** Overwrites secrets that are no longer wanted; what JavaScript copied elsewhere stays where it is. */
export function wipe(...secrets: Uint8Array[]): void {
  for (const secret of secrets) {
    secret.fill(0);
  }
}
