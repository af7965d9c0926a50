import { isNamed } from '../../protocol/errors';
import type { PinLook } from '../../state/contract';
import { nameOfRealms } from '../../vault/configuration';
import type { Looked } from '../../vault/pinVault';
import { VaultRejection } from '../../vault/rejection';
import type { OwnKeys } from './ownKeys';
import { homeOf, keepHome } from './pinHome';
import type { VaultDoor } from './vaultDoor';

/** The guesses that the realms grant, and whether they have anything left to guess at. */
export class PinGuesses {
  constructor(
    readonly own: OwnKeys,
    readonly door: VaultDoor,
  ) {}

  /** Counts nothing. @throws ActionError where the server cannot be reached */
  async look(): Promise<PinLook> {
    const vault = this.door.openKnown();
    // Of the PIN that is asked about: another device may set one elsewhere while the realms answer.
    const digest = this.own.chain?.vaultDigest ?? null;
    try {
      return await this.#judge(await vault.look(), digest);
    } catch (thrown) {
      if (!isNamed(thrown, 'vault_realms_other')) {
        throw thrown;
      }
      return elsewhere((thrown.info.details?.named as string | null | undefined) ?? null);
    }
  }

  async #judge({ step, isElsewhere, isLastOpen, at }: Looked, digest: Uint8Array | null): Promise<PinLook> {
    const { own } = this;
    const { rejection, faults, guessesLeft } = step;
    const name = nameOfRealms(at);
    if (isElsewhere) {
      return elsewhere(name);
    }
    const isUsable = rejection === VaultRejection.none;
    // A device that waits has nobody's word yet but the server's. What an earlier version kept says not where they are.
    if (isUsable && digest && own.core.deviceOrNull?.credential && !homeOf(own)?.addresses) {
      await keepHome(own, digest, at);
    }
    // One that has none left does not say what the others grant together.
    const look = { guessesLeft: guessesLeft || null, loss: this.door.loss(faults), isUsable, realms: name };
    return isLastOpen && !isUsable ? { ...look, isLastOpen } : look;
  }

  /** Gives back those that failed, since whoever has the identity key needs none. */
  async giveBack(): Promise<void> {
    const step = await this.door.openKnown().clearFailures(this.own.requireSeed(this.own.chain));
    if (step.rejection !== VaultRejection.none) {
      throw this.door.failed(step);
    }
  }
}

function elsewhere(realms: string | null): PinLook {
  return { guessesLeft: null, loss: 'realms_other', isUsable: false, realms };
}
