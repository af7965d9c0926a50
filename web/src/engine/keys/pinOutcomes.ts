import { ErrorCode, isCode, isNamed, localError } from '../../protocol/errors';
import type { VaultStep } from '../../vault/answers';
import { type Pin, readPin } from '../../vault/pins/pin';
import { VaultRejection } from '../../vault/rejection';

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
