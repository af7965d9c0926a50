import { equalBytes } from '../../protocol/bytes';
import { localError } from '../../protocol/errors';
import type { VaultView } from '../../protocol/wire';
import type { VaultHome } from '../../storage/records';
import { areSameRealms, nameOfRealms, nameOfShown, type RealmSet, realmsOf } from '../../vault/configuration';
import type { OwnKeys } from './ownKeys';

/**
 * Where the PIN is that the account's chain names. The digest there binds its realms, but only with a key that they show for a
 * guess: so the realms are kept, as they were when the PIN was set or entered here, or else as they were named when a threshold of
 * them first told of a registration. A server that names others since, or these elsewhere, gets nothing asked of them.
 */
export function homeOf({ chain, record }: OwnKeys): VaultHome | null {
  const { home } = record;
  return home && chain?.vaultDigest && equalBytes(home.digest, chain.vaultDigest) ? home : null;
}

/** What is agreed to beside the PIN's own realms: those of which a person has seen this name, or those that the PIN came from. */
export type Agreed = string | RealmSet | null;

/** @throws ActionError `vault_realms_other`: the server names realms that are neither the PIN's own nor agreed to */
export function requireSame(own: OwnKeys, agreed: Agreed, named: VaultView): void {
  const home = homeOf(own);
  const realms = realmsOf(named);
  const isHome = home !== null && areSameRealms(home, realms);
  const isAgreed = typeof agreed === 'string' ? agreed === nameOfShown(named) : agreed && areSameRealms(agreed, realms);
  if ((home !== null || agreed !== null) && !isHome && !isAgreed) {
    throw localError('vault_realms_other', false, { named: nameOfRealms(realms) });
  }
}

/** @throws ActionError `vault_realms_other`: the server names other realms than these */
export function requireAt(at: RealmSet, named: VaultView): void {
  const realms = realmsOf(named);
  if (!areSameRealms(at, realms)) {
    throw localError('vault_realms_other', false, { named: nameOfRealms(realms) });
  }
}

/** Keeps where the PIN with this digest is, where the chain names that one still: another device may have changed it meanwhile. */
export async function keepHome(
  own: OwnKeys,
  digest: Uint8Array,
  { realms, threshold, addresses }: RealmSet,
): Promise<void> {
  if (own.chain?.vaultDigest && equalBytes(own.chain.vaultDigest, digest)) {
    await own.write({ home: { digest, realms, threshold, addresses } });
  }
}
