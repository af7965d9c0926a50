import { makeVaultConfigured } from '../../keylog/entry';
import { equalBytes } from '../../protocol/bytes';
import { localError } from '../../protocol/errors';
import { VaultRejection } from '../../vault/rejection';
import type { OwnKeys } from './ownKeys';
import { unwanted } from './pendingPins';
import { homeOf } from './pinHome';
import { noRoot } from './rootSecret';
import type { VaultDoor } from './vaultDoor';

/**
 * Has the realms forget the PIN, and the chain name none.
 *
 * A removal wins over every PIN whose setting it overlaps with, so that chain and realms agree in whichever order the two
 * come. It enters zeros only in the place of a digest that stood in the chain before its deletion, since the registration of
 * that one was at the realms by then; where another one stands there now it deletes again. To leave that one alone would be
 * wrong: the realms may have had it at the deletion already. And a device that finds zeros in the chain since it began does
 * not name its PIN, because the realms may have it no more, but deletes what they have of it, and says so.
 * @param attempts so often another device may set one meanwhile
 */
export async function removePin(own: OwnKeys, door: VaultDoor, attempts: number): Promise<void> {
  let named = own.chain?.vaultDigest ?? null;
  const at = homeOf(own);
  let hadAny = false;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const deleted = await door.openKnown().delete(own.requireSeed(own.chain));
    if (deleted.step.rejection !== VaultRejection.none) {
      throw door.failed(deleted.step);
    }
    hadAny ||= deleted.hadAny;
    await own.write((now) => ({ ...noRoot, pending: unwanted(now.pending, at), isPinVoid: false }));
    let isOther = false;
    await own.change(({ vaultDigest, next }, seed) => {
      isOther = vaultDigest !== null && !(named && equalBytes(vaultDigest, named));
      named = vaultDigest;
      // Where the realms had one that the chain does not name, its device is about to: it has to see that it went.
      return isOther || !(vaultDigest || hadAny) ? [] : [makeVaultConfigured(next, null, seed)];
    });
    if (!isOther) {
      return;
    }
  }
  throw localError('vault_unavailable', true, { reason: VaultRejection.versionOther });
}
