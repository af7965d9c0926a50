import { ErrorCode, isCode, isNamed, localError } from '../../protocol/errors';
import type { VaultAttempts, VaultWait } from '../../protocol/wire';
import type { VaultOverview } from '../../state/contract';
import type { VaultStep } from '../../vault/answers';
import { type Pin, readPin } from '../../vault/pins/pin';
import { VaultRejection } from '../../vault/rejection';

/** What a realm tells of guesses and waits. */
export type RealmTold = VaultAttempts & { realm: string };

/** A realm has another registration than it told of: one that was on its way to it, or another device's. */
export function isReplaced({ faults }: VaultStep): boolean {
  return faults.some(({ reason }) => reason === VaultRejection.versionOther);
}

/** Somebody was quicker, and what was looked at has to be looked at again. */
export function isOvertaken(thrown: unknown): boolean {
  return (
    isCode(thrown, ErrorCode.wrappedKeysStale) ||
    (isNamed(thrown, 'vault_unavailable') && thrown.info.details?.reason === VaultRejection.versionOther)
  );
}

/** @throws ActionError `pin_refused` for what is none */
export function requirePin(typed: string): Pin {
  const { pin } = readPin(typed);
  if (!pin) {
    throw localError('pin_refused', false);
  }
  return pin;
}

/** What a person is told of a step that did not pass. */
export function failed({ rejection: reason, faults, guessesLeft }: VaultStep) {
  if (reason === VaultRejection.wrongPin) {
    return localError('wrong_pin', false, { guessesLeft });
  }
  if (reason === VaultRejection.sharesTooFew) {
    return localError('vault_too_few', true, { reason, guessesLeft, faults: faults.length });
  }
  return localError('vault_unavailable', false, { reason, guessesLeft, faults: faults.length });
}

/** The one that has longest to go: whoever waits needs a threshold of realms. */
export function waitOf(told: RealmTold[]): VaultOverview['wait'] {
  const begun = told.flatMap(({ wait }): VaultWait[] => (wait?.state === 'begun' ? [wait] : []));
  const [last] = begun.toSorted((a, b) => Date.parse(b.until) - Date.parse(a.until));
  return last ? { device: last.device, until: Date.parse(last.until) } : null;
}

/** How few operators have so many realms between them; one, where the server runs them all itself. */
export function fewestWith(threshold: number, hosts: readonly { operator: string }[]): number {
  const counts = new Map<string, number>();
  for (const { operator } of hosts) {
    counts.set(operator, (counts.get(operator) ?? 0) + 1);
  }
  let [operators, realms] = [0, 0];
  for (const count of [...counts.values()].toSorted((a, b) => b - a)) {
    if (realms < threshold) {
      operators++;
      realms += count;
    }
  }
  return Math.max(operators, 1);
}
