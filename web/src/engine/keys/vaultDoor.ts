import { systemRandom } from '../../crypto/random';
import type { VaultView } from '../../protocol/wire';
import type { ActionError, LyingRealm, PinLoss } from '../../state/contract';
import type { RealmFault, VaultStep } from '../../vault/answers';
import type { Stretch } from '../../vault/argon2/port';
import { PinStretcher } from '../../vault/argon2/workerClient';
import { type RealmSet, realmsOf } from '../../vault/configuration';
import { type Known, PinVault } from '../../vault/pinVault';
import { vaultOverRest } from '../../vault/restPort';
import type { Core } from '../core';
import type { OwnKeys } from './ownKeys';
import { type Agreed, requireSame } from './pinHome';
import { failed, liarsOf, lossOf } from './pinOutcomes';

export type Tell = (share: number) => void;

/** The way to the vault for whatever is done with the PIN, and what a step there that did not pass is called. */
export class VaultDoor {
  #stretcher: PinStretcher | null = null;
  /** The realms of the last errand: what failed is judged by them, and named. */
  #view: VaultView = { operators: 0, threshold: 1, realms: [] };

  constructor(
    readonly core: Core,
    readonly own: OwnKeys,
    /** How PINs are stretched where a test brings its own. */
    readonly stretching: ((tell: Tell) => Stretch) | undefined,
  ) {}

  stop(): void {
    this.#stretcher?.stop();
  }

  /**
   * As `open`, and no realm is asked anything where the server names others than those that the PIN was set at.
   * @param agreed others that will do
   * @throws ActionError (with whatever is asked) `vault_realms_other`
   */
  openKnown(tell: Tell = () => undefined, agreed: Agreed = null): PinVault {
    return this.open(tell, (named) => requireSame(this.own, agreed, named));
  }

  open(tell: Tell = () => undefined, judge: (named: VaultView) => void = () => undefined): PinVault {
    const { api, device } = this.core;
    const known: Known = {
      mismatch: this.own.record.mismatch ?? null,
      note: (mismatch) => this.own.write({ mismatch }),
    };
    const port = vaultOverRest(api);
    const view = async () => {
      const told = await port.view();
      this.#view = told;
      judge(told);
      return told;
    };
    return new PinVault({ ...port, view }, device.account, this.#stretch(tell), systemRandom, known);
  }

  /** The realms that the server names now. */
  async named(): Promise<RealmSet> {
    return realmsOf(await vaultOverRest(this.core.api).view());
  }

  /** Why no PIN opens the vault any more; null where it may. */
  loss(faults: readonly RealmFault[]): PinLoss | null {
    return lossOf(faults, this.#view);
  }

  /** The realms that lied in a step, whatever came of it. */
  liars(step: VaultStep): LyingRealm[] {
    return liarsOf(step, this.#view);
  }

  /** What a person is told of a step that did not pass. */
  failed(step: VaultStep): ActionError {
    return failed(step, this.#view);
  }

  /** The worker keeps the memory of a stretching until it ends. */
  done(): void {
    this.#stretcher?.stop();
  }

  #stretch(tell: Tell): Stretch {
    if (this.stretching) {
      return this.stretching(tell);
    }
    this.#stretcher ??= new PinStretcher();
    return this.#stretcher.withProgress(tell);
  }
}
