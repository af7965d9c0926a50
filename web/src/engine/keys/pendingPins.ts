import type { PendingRegistration } from '../../storage/records';
import { areSameRealms, type RealmSet } from '../../vault/configuration';
import { noVersion } from '../../vault/context';

/** A request that nobody waits for any more may still reach a realm; after so long it does not. */
export const onTheWayMs = 10 * 60_000;

export function isWanted(all: PendingRegistration[], { version }: PendingRegistration): boolean {
  return all.some((one) => one.version === version && !one.isUnwanted);
}

export function without(all: PendingRegistration[], { version }: PendingRegistration): PendingRegistration[] {
  return all.filter((one) => one.version !== version);
}

/**
 * What is left of them once the PIN is removed, and nobody wants any of them any more: those that may still arrive, to be deleted
 * then, and those that stand elsewhere, to be deleted there. Only realms without a registration come to be so again, by the
 * removal, so who takes the place of nothing could yet stand; others find gone what they take the place of.
 * @param at the realms that it was removed from; null where they are not known
 */
export function unwanted(all: PendingRegistration[], at: RealmSet | null): PendingRegistration[] {
  const stays = (one: PendingRegistration) => {
    const there = realmsAt(one);
    return mayReturn(one) || (there !== null && (at === null || !areSameRealms(there, at)));
  };
  return all.filter(stays).map((one) => ({ ...one, isUnwanted: true }));
}

/**
 * Those that may still arrive once this one stands: what was begun before it took the place of what it did, too. Not so where
 * that went to other realms: there it stands still.
 */
export function after(all: PendingRegistration[], stands: PendingRegistration): PendingRegistration[] {
  const at = all.findIndex((one) => one.version === stands.version);
  const earlier = all.slice(0, at).filter((one) => mayReturn(one) || isElsewhere(one, stands));
  return [...earlier.map((one) => ({ ...one, isUnwanted: true })), ...all.slice(at + 1)];
}

/** Those that may still arrive where the realms have others than this one takes the place of. */
export function overtaken(all: PendingRegistration[], { version }: PendingRegistration): PendingRegistration[] {
  return all.flatMap((one) => (one.version !== version ? [one] : mayReturn(one) ? [{ ...one, isUnwanted: true }] : []));
}

function mayReturn({ replaces = [] }: PendingRegistration): boolean {
  return replaces.includes(noVersion);
}

function isElsewhere(one: PendingRegistration, other: PendingRegistration): boolean {
  const [at, otherAt] = [realmsAt(one), realmsAt(other)];
  return at !== null && otherAt !== null && !areSameRealms(at, otherAt);
}

/** Null for those of earlier versions, which do not say where. */
export function realmsAt({ realms, threshold, addresses }: PendingRegistration): RealmSet | null {
  return realms && threshold !== undefined ? { realms, threshold, addresses } : null;
}
