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

/**
 * The realms that lied, as their people know them. Where as many as are needed have another registration than the key log names,
 * or nobody can tell which side is right, another PIN is being set, or its setting was cut off: none is named for that.
 */
export function liarsOf({ faults }: VaultStep, { hosts, threshold }: Realms): LyingRealm[] {
  const { realmsDisagree } = VaultRejection;
  const isOpen = faults.filter(({ reason }) => reason === realmsDisagree).length >= threshold;
  return faults
    .filter(({ reason }) => isLie(reason) && !(isOpen && reason === realmsDisagree))
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
  const realms = liarsOf(step, view);
  const named = realms.length > 0 ? { realms } : {};
  const details = { reason, guessesLeft, faults: faults.length, ...named };
  if (reason === VaultRejection.wrongPin) {
    // A realm that has none left does not say what the others grant together.
    return localError('wrong_pin', false, { guessesLeft: guessesLeft || null, ...named });
  }
  const loss = lossOf(faults, view);
  if (loss && reason !== VaultRejection.versionOther) {
    return localError(errorOfLoss[loss], false, details);
  }
  if (isLie(reason) && realms.length > 0) {
    return localError('vault_realm_lied', false, details);
  }
  if (step.isUsedUp) {
    return localError('vault_used_up', true, details);
  }
  // One that has nothing does not speak for those that are silent.
  const isTooFew = reason === VaultRejection.sharesTooFew || losses.some(([one]) => one === reason);
  return isTooFew ? localError('vault_too_few', true, details) : localError('vault_unavailable', false, details);
}
