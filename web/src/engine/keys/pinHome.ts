import { equalBytes } from '../../protocol/bytes';
import { localError } from '../../protocol/errors';
import type { VaultHome } from '../../storage/records';
import { nameOfRealms, type RealmSet } from '../../vault/configuration';
import type { OwnKeys } from './ownKeys';

/**
 * Where the PIN is that the account's chain names. The digest there binds its realms, but only with a key that they show for a
 * guess: so the realms are kept, as they were when the PIN was set or entered here, or else as they were named when a threshold of
 * them first told of a registration. A server that names others since gets nothing asked of these.
 */
export function homeOf({ chain, record }: OwnKeys): VaultHome | null {
  const { home } = record;
  return home && chain?.vaultDigest && equalBytes(home.digest, chain.vaultDigest) ? home : null;
}

/** @throws ActionError `vault_realms_other`: the server names realms that are none of these */
export function requireSame(allowed: readonly (string | null)[], named: RealmSet): void {
  const name = nameOfRealms(named);
  const known = allowed.filter((one) => one !== null);
  if (known.length > 0 && !known.includes(name ?? '')) {
    throw localError('vault_realms_other', false, { named: name });
  }
}

/** The name of a PIN's realms; null where they are not known. */
export function nameOfHome(own: OwnKeys): string | null {
  const home = homeOf(own);
  return home && nameOfRealms(home);
}

/** Keeps where the PIN is, for as long as the chain names it. */
export async function keepHome(own: OwnKeys, digest: Uint8Array, { realms, threshold }: RealmSet): Promise<void> {
  await own.write({ home: { digest, realms: [...realms], threshold } });
}
