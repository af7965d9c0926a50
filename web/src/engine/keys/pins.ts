import { systemRandom, wipe } from '../../crypto/random';
import { localError } from '../../protocol/errors';
import { type ActionError, errorOfLoss, isLost, type LyingRealm, type PinLoss } from '../../state/contract';
import type { PendingRegistration } from '../../storage/records';
import type { Stretch } from '../../vault/argon2/port';
import { nameOfRealms, type RealmSet } from '../../vault/configuration';
import { areWeaker, defaultParameters, type PinHashParameters } from '../../vault/parameters';
import { readPin, wipePin } from '../../vault/pins/pin';
import { judgePin } from '../../vault/pins/policy';
import { PinRefusal } from '../../vault/pins/refusal';
import type { Recovered, VaultRegistered } from '../../vault/pinVault';
import { VaultRejection } from '../../vault/rejection';
import type { Core } from '../core';
import { notApproved, type OwnKeys } from './ownKeys';
import { isWanted } from './pendingPins';
import { PinGuesses } from './pinGuesses';
import { type Agreed, keepHome } from './pinHome';
import { isOvertaken, isReplaced, requirePin } from './pinOutcomes';
import { removePin } from './pinRemoval';
import { PinSettling, setAttempts } from './pinSettling';
import { PinWaits } from './pinWaits';
import { type Tell, VaultDoor } from './vaultDoor';

/** How PINs are stretched; tests bring something that costs next to nothing. */
export type PinOptions = { stretch?: (tell: Tell) => Stretch; parameters?: PinHashParameters; onTheWayMs?: number };

/** Whether one of the tries has registered a PIN already, which would be left without its keys if no other followed. */
type Tries = {
  isRegistered: boolean;
  /** Realms that it may go to where they are others than before. */
  agreed: Agreed;
};

const rootBytes = 32;
/** So many registrations may be without an answer before no other one is begun. */
const mostPending = 8;
/** So often what is on its way is looked for. */
const lookAgainMs = 30_000;

/**
 * The PIN: the account's keys go to the server wrapped by a root secret, which the realms of the vault keep.
 *
 * A device that dies while it sets one goes on at its next start: it has the root secret and what the registration is known by
 * from before a realm heard of it. Until the chain names the registration, whoever tries the new PIN is told that the realms
 * disagree. One that did not know the root secret before, and dies after the realms have the new one and before the keys are
 * wrapped by it, finds them wrapped by another, which no PIN brings back any more, and wraps them then. Only where it has not
 * the key of the archive that is on, the person is asked to set the PIN again, perhaps on a device that has it.
 */
export class Pins {
  readonly door: VaultDoor;
  readonly guesses: PinGuesses;
  readonly waits: PinWaits;
  readonly settling: PinSettling;
  /** Why the PIN opens nothing any more, as the device has found out before. */
  seenLoss: () => PinLoss | null = () => null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    readonly core: Core,
    readonly own: OwnKeys,
    readonly options: PinOptions = {},
  ) {
    this.door = new VaultDoor(core, own, options.stretch);
    this.guesses = new PinGuesses(own, this.door);
    this.waits = new PinWaits(own, this.door);
    this.settling = new PinSettling(own, this.door, options);
  }

  stop(): void {
    this.door.stop();
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
    }
  }

  /** As the account's chain says. */
  get isSet(): boolean {
    return this.own.chain?.vaultDigest != null;
  }

  /** Why a new PIN may not be this one; null where it may. */
  refuse(typed: string): PinRefusal | null {
    const { pin, refusal } = readPin(typed);
    if (!pin) {
      return refusal;
    }
    const judged = judgePin(pin, this.core.deviceOrNull?.handle ?? '');
    wipePin(pin);
    return judged === PinRefusal.none ? null : judged;
  }

  /**
   * Sets the PIN in place of the one there is. Two devices that do so at the same moment may each have a root secret of its own:
   * the wrapped keys decide. Their revision is looked at before the registration and replaced after it, and whoever finds
   * another one there begins again with the registration. So whoever stores last has also registered last, and the PIN that
   * the realms have opens what the server has.
   * @param agreed realms that it may go to where they are not those of the PIN before: by their name, what the person has seen
   * @throws ActionError `pin_refused`, `vault_unavailable` and its kin, `vault_realms_other`; `pin_needed`: an archive is on whose key only the present PIN brings; `archive_key_missing`: likewise, and it cannot be entered now;
   * `pin_removed`: another device has removed it meanwhile
   */
  async set(typed: string, tell: Tell, agreed: Agreed = null): Promise<void> {
    const refusal = this.refuse(typed);
    if (refusal !== null) {
      throw localError('pin_refused', false, { refusal });
    }
    await this.core.queue.run('keys/pin', async () => {
      try {
        await this.#set(typed, tell, agreed);
      } catch (thrown) {
        if (this.own.record.rootDue) {
          // The root secret of a PIN that could not be set is forgotten where another one's is the account's.
          await this.own.ensure().catch(() => undefined);
        }
        throw thrown;
      } finally {
        this.door.done();
        this.#settleLater();
      }
    });
  }

  async #set(typed: string, tell: Tell, agreed: Agreed): Promise<void> {
    const tries: Tries = { isRegistered: false, agreed };
    for (let attempt = 1; ; attempt++) {
      try {
        // One that was cut off is named before another one takes its place.
        await this.settling.settle();
        const begun = await this.#register(typed, tell, tries);
        if (!(await this.settling.post(begun))) {
          const isRemoved = !isWanted(this.own.record.pending, begun);
          // Another device has stored keys since: the realms say whose PIN it is that they have. One that was removed goes
          // from them.
          await this.settling.settle();
          if (isRemoved) {
            throw localError('pin_removed', false);
          }
        }
        return;
      } catch (thrown) {
        if (!isOvertaken(thrown) || attempt >= setAttempts) {
          throw thrown;
        }
      }
    }
  }

  /**
   * Of a PIN that nobody can enter any more nothing is to be waited for.
   * @throws ActionError `pin_needed`: it brings the archive's key still; `archive_key_missing`: it cannot be entered now
   */
  async #requireLost(): Promise<void> {
    const { loss, isUsable } = await this.guesses.look();
    // What other realms say, or too few, is no news of one that was lost.
    if (!isLost(loss) && (isUsable || !isLost(this.seenLoss()))) {
      throw localError(loss === 'realms_other' ? 'archive_key_missing' : 'pin_needed', false);
    }
  }

  /**
   * Finishes what this device had begun when it was cut off, as far as that can be done now.
   * @throws ActionError where the server cannot be reached
   */
  async settle(): Promise<void> {
    if (this.own.record.pending.length > 0) {
      await this.core.queue.run('keys/pin', async () => {
        try {
          await this.settling.settle();
        } finally {
          this.#settleLater();
        }
      });
    }
  }

  /** What is on its way arrives by itself; what silent realms have shows with the next connection. */
  #settleLater(): void {
    const isAny = this.own.record.pending.some((pending) => !this.settling.isOver(pending));
    if (isAny && !this.core.stopped && this.#timer === null) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        void this.settle().catch(() => undefined);
      }, lookAgainMs);
    }
  }

  /**
   * Registers the PIN, and stores the keys wrapped by what it brings back.
   * @returns the registration, for the chain
   */
  async #register(typed: string, tell: Tell, tries: Tries): Promise<PendingRegistration> {
    const { own } = this;
    if (!(await own.ensure())) {
      throw notApproved();
    }
    const identitySeed = own.requireSeed(own.chain);
    const { revision, isThere, keys } = await own.wrapped.open(own.record.rootSecret);
    const isOther = isThere && !keys;
    if (!tries.isRegistered && isOther && this.isSet && !own.record.isPinVoid && (await own.root.losesArchive())) {
      await this.#requireLost();
    }
    if (own.record.pending.length >= mostPending && !(await this.settling.makeWay())) {
      // What has become of them shows with time; one that is forgotten could still become the PIN.
      throw localError('vault_too_few', true, { reason: VaultRejection.sharesTooFew });
    }
    const archiveKey = await own.root.chooseArchive(keys?.archiveKey ?? null);
    // It stays the same while there is a PIN, so that realms with the old registration and with the new one give the same.
    const known = isOther ? null : own.record.rootSecret;
    const rootSecret = known?.slice() ?? systemRandom(rootBytes);
    if (!known) {
      // Kept before a realm hears of it.
      await own.write({ rootSecret: rootSecret.slice(), rootDue: true });
    }
    const pin = requirePin(typed);
    try {
      const parameters = this.#parameters;
      let pending = null as PendingRegistration | null;
      const keep = (registration: VaultRegistered) => {
        const before = own.chain?.vaultDigest ?? null;
        const begun = { ...registration, before, rootSecret: rootSecret.slice(), at: Date.now() };
        pending = begun;
        return own.write((now) => ({ pending: [...now.pending, begun] }));
      };
      const { step } = await this.door
        .openKnown(tell, tries.agreed)
        .register({ pin, rootSecret, identitySeed, parameters, keep });
      if (step.rejection !== VaultRejection.none || !pending) {
        throw this.door.failed(isReplaced(step) ? { ...step, rejection: VaultRejection.versionOther } : step);
      }
      tries.isRegistered = true;
      await this.#tellOf(this.door.liars(step));
      await own.wrapped.replace(revision, rootSecret, { identitySeed, archiveKey });
      // A look at what was stored before may have taken it for overtaken meanwhile. Where the PIN was removed it is none's.
      const kept = rootSecret.slice();
      const registered = pending;
      await own.write((now) =>
        isWanted(now.pending, registered)
          ? {
              rootSecret: kept,
              rootDue: false,
              isPinVoid: false,
              wrapDue: now.wrapDue && now.identitySeed !== identitySeed,
            }
          : {},
      );
      return registered;
    } finally {
      wipePin(pin);
      wipe(rootSecret);
    }
  }

  /**
   * Has the realms forget the PIN. What is wrapped by its root secret opens to nobody from then on. A registration that is still
   * on its way is deleted when it arrives.
   */
  remove(): Promise<void> {
    return this.core.queue.run('keys/pin', async () => {
      try {
        await this.#remove();
      } finally {
        this.#settleLater();
      }
    });
  }

  async #remove(): Promise<void> {
    const { own } = this;
    await own.ensure();
    await removePin(own, this.door, setAttempts);
  }

  /** Brings the account's keys to this device. @throws ActionError `wrong_pin`, with the guesses left, among others */
  recover(typed: string, tell: Tell): Promise<void> {
    return this.core.queue.run('keys/pin', async () => {
      const { parameters, at } = await this.#recover(typed, tell);
      if (parameters && areWeaker(parameters, this.#parameters)) {
        await this.#strengthen(typed, at);
      }
    });
  }

  /**
   * Registers the same PIN anew, with what a guess costs today and the same root secret. The policy of new PINs is not asked,
   * and where it fails the registration that there is goes on. It goes to the realms that the PIN was at and to no others.
   */
  async #strengthen(typed: string, at: RealmSet): Promise<void> {
    try {
      await this.#set(typed, () => undefined, at);
    } catch {
      // With the next recovery; what has arrived is settled as any other.
    } finally {
      this.door.done();
      this.#settleLater();
    }
  }

  get #parameters(): PinHashParameters {
    return this.options.parameters ?? defaultParameters;
  }

  /**
   * A wrong PIN may have been the last guess: then there is none to be right any more, or none is left until it shows that no
   * earlier one, of another device, is given back.
   */
  async #failed({ step, isElsewhere, at }: Recovered): Promise<ActionError> {
    if (isElsewhere) {
      return localError('vault_realms_other', false, { named: nameOfRealms(at) });
    }
    const failed = this.door.failed(step);
    if (step.rejection === VaultRejection.wrongPin && step.guessesLeft === 0) {
      const { loss, isLastOpen } = await this.guesses.look().catch(() => ({ loss: null, isLastOpen: false }));
      const { realms } = failed.info.details ?? {};
      const named = realms ? { realms } : {};
      if (loss) {
        return localError(errorOfLoss[loss], false, named);
      }
      return isLastOpen ? localError('wrong_pin', false, { guessesLeft: 0, ...named }) : failed;
    }
    return failed;
  }

  /** Who lied without standing in the way is said all the same, once. */
  async #tellOf(liars: readonly LyingRealm[]): Promise<void> {
    for (const liar of liars) {
      await this.own.alarms.raise('realmLied', this.core.device.account, [JSON.stringify(liar)]);
    }
  }

  /** @returns what a guess of the registration costs, and where it is */
  async #recover(typed: string, tell: Tell): Promise<{ parameters: PinHashParameters | undefined; at: RealmSet }> {
    const { own } = this;
    await own.ensure();
    const { pin: readable, refusal } = readPin(typed);
    if (!readable) {
      throw localError('pin_refused', false, { refusal });
    }
    try {
      const digest = own.chain?.vaultDigest ?? null;
      const recovered = await this.door.openKnown(tell).recover(readable, digest);
      const { step, rootSecret, parameters, at } = recovered;
      if (!rootSecret) {
        throw await this.#failed(recovered);
      }
      const liars = this.door.liars(step);
      const keys = await own.wrapped.read(rootSecret);
      if (!keys) {
        throw localError('vault_unavailable', false, { reason: VaultRejection.rootUnreadable });
      }
      if (!(await own.take({ ...keys, rootSecret }))) {
        throw localError('keys_untrue', false);
      }
      await own.write({ isPinVoid: false });
      if (digest) {
        await keepHome(own, digest, at);
      }
      await this.#tellOf(liars);
      // Guesses that failed before are the person's to forgive.
      await this.guesses.giveBack().catch(() => undefined);
      return { parameters, at };
    } finally {
      wipePin(readable);
      this.door.done();
    }
  }
}
