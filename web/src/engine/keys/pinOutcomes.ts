import { ErrorCode, isCode, isNamed, localError } from '../../protocol/errors';
import type { VaultView } from '../../protocol/wire';
import { type ActionError, errorOfLoss, type LyingRealm, type PinLoss } from '../../state/contract';
import { isLie, type RealmFault, type VaultStep } from '../../vault/answers';
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

const losses: readonly [VaultRejection, PinLoss][] = [
  [VaultRejection.guessesExhausted, 'exhausted'],
  [VaultRejection.locked, 'locked'],
  [VaultRejection.notRegistered, 'missing'],
];

type Realms = Pick<VaultView, 'realms' | 'threshold' | 'hosts'>;

/**
 * Why no PIN opens the vault any more; null where it may. Realms that are silent may have what they had, and one that lies is
 * not believed against the others: so many have to say that they have nothing that the rest are fewer than the threshold. Of
 * several reasons the gravest is told: guesses that are used up have destroyed something.
 */
export function lossOf(faults: readonly RealmFault[], { realms, threshold }: Realms): PinLoss | null {
  const found = losses.filter(([reason]) => faults.some((fault) => fault.reason === reason));
  const lost = faults.filter(({ reason }) => losses.some(([one]) => one === reason)).length;
  return realms.length - lost < threshold ? (found[0]?.[1] ?? null) : null;
}

/** The realms that lied, as their people know them. */
function liarsOf(faults: readonly RealmFault[], { hosts }: Realms): LyingRealm[] {
  return faults
    .filter(({ reason }) => isLie(reason))
    .map(({ index, realm }) => {
      const host = hosts?.find((one) => one.realm.toLowerCase() === realm);
      return { realm, part: index, operator: host?.operator ?? null, address: host?.address ?? null };
    });
}

/**
 * What a person is told of a step that did not pass.
 * @param view the realms that were asked
 */
export function failed(step: VaultStep, view: Realms): ActionError {
  const { rejection: reason, faults, guessesLeft } = step;
  const details = { reason, guessesLeft, faults: faults.length };
  if (reason === VaultRejection.wrongPin) {
    return localError('wrong_pin', false, { guessesLeft });
  }
  const loss = lossOf(faults, view);
  if (loss && reason !== VaultRejection.versionOther) {
    return localError(errorOfLoss[loss], false, details);
  }
  const realms = liarsOf(faults, view);
  // Where as many as are needed say the same, and not what the key log says, another PIN is being set: nobody has lied.
  if (isLie(reason) && realms.length > 0 && !(isDisagreement(step) && realms.length >= view.threshold)) {
    return localError('vault_realm_lied', false, { ...details, realms });
  }
  // One that has nothing does not speak for those that are silent.
  const isTooFew = reason === VaultRejection.sharesTooFew || losses.some(([one]) => one === reason);
  return isTooFew ? localError('vault_too_few', true, details) : localError('vault_unavailable', false, details);
}

function isDisagreement({ faults }: VaultStep): boolean {
  return faults.every(({ reason }) => !isLie(reason) || reason === VaultRejection.realmsDisagree);
}
