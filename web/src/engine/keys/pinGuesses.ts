import type { PinLook } from '../../state/contract';
import { VaultRejection } from '../../vault/rejection';
import type { OwnKeys } from './ownKeys';
import type { VaultDoor } from './vaultDoor';

/** The guesses that the realms grant, and whether they have anything left to guess at. */
export class PinGuesses {
  constructor(
    readonly own: OwnKeys,
    readonly door: VaultDoor,
  ) {}

  /** Counts nothing. @throws ActionError where the server cannot be reached */
  async look(): Promise<PinLook> {
    const { rejection, faults, guessesLeft } = await this.door.open().look();
    // One that has none left does not say what the others grant together.
    return {
      guessesLeft: guessesLeft || null,
      loss: this.door.loss(faults),
      isUsable: rejection === VaultRejection.none,
    };
  }

  /** Gives back those that failed, since whoever has the identity key needs none. */
  async giveBack(): Promise<void> {
    const step = await this.door.open().clearFailures(this.own.requireSeed(this.own.chain));
    if (step.rejection !== VaultRejection.none) {
      throw this.door.failed(step);
    }
  }
}
