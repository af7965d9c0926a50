import { VaultRejection } from '../../vault/rejection';
import type { OwnKeys } from './ownKeys';
import type { VaultDoor } from './vaultDoor';

/** The wait after which the PIN may be set or removed without the key that the realms know. */
export class PinWaits {
  constructor(
    readonly own: OwnKeys,
    readonly door: VaultDoor,
  ) {}

  /**
   * Begins it, or asks how long it still takes: the account's other devices hear of it, and may cancel it.
   * @returns milliseconds
   */
  async begin(): Promise<number> {
    const { step, secondsLeft } = await this.door.openKnown().beginWait();
    if (secondsLeft === null) {
      throw this.door.failed(step);
    }
    return secondsLeft * 1000;
  }

  /** Cancels what somebody has begun who wants the PIN replaced or removed without the identity key. */
  async cancel(): Promise<void> {
    await this.own.ensure();
    const step = await this.door.openKnown().cancelWait(this.own.requireSeed(this.own.chain));
    if (step.rejection !== VaultRejection.none) {
      throw this.door.failed(step);
    }
  }
}
