import { toHex } from '../../protocol/bytes';
import type { KeysSignal, VaultWait } from '../../protocol/wire';
import type { PinLook, PinLoss } from '../../state/contract';
import type { SeenGuess, VaultSeenRecord } from '../../storage/records';
import { VaultLimits } from '../../vault/limits';
import type { Core } from '../core';
import type { KeyAlarms } from './alarms';
import type { Pins } from './pins';
import { isSame, isSameElsewhere } from './vaultAttempts';
import { mostAttempts, type RealmTold, vaultTold } from './vaultTold';
import { withWait } from './vaultWaits';

const place = 'vault';
const mostGuesses = VaultLimits.realms * mostAttempts;
/** Between a right PIN on a new device and its entry into the account's chain: who comes in by it is no stranger. */
const entersMs = 2 * 60_000;
const none: VaultSeenRecord = { hasLooked: false, guesses: [], waits: [] };

/**
 * Looks at what the realms tell of guesses and waits, and whether they have the PIN still. Realms in the server tell of guesses at
 * once, but such a hint may be lost; realms that are processes of their own tell nobody by themselves. So they are asked at each
 * greeting, and what was seen is remembered: each guess alarms once, also where it happened while this device was away.
 */
export class VaultWatch {
  #seen: VaultSeenRecord | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isDue = false;
  /** How often there was something new: screens that show guesses read them again. */
  news = 0;
  onNews: () => void = () => undefined;
  /** By the server's clock as far as it is known. */
  now: () => number;

  constructor(
    readonly core: Core,
    readonly pins: Pins,
    readonly alarms: KeyAlarms,
  ) {
    this.now = () => core.clock.nowMs();
  }

  async load(): Promise<void> {
    this.#seen = await this.core.db.keys<VaultSeenRecord>(place);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Why the PIN that the account's chain names opens nothing any more, as it was last found; null where it does. */
  get loss(): PinLoss | null {
    const { lost } = this.#seen ?? none;
    return lost && lost.digest === this.#digest ? lost.loss : null;
  }

  /** @throws ActionError where the server cannot be reached */
  look(): Promise<void> {
    return this.core.queue.run('keys/vault', async () => {
      const { isSet } = this.pins;
      const told = isSet ? await vaultTold(this.core.api) : [];
      // Where no realm answers, nothing was looked at.
      if (!isSet || told.length > 0) {
        await this.#takeAttempts(told);
      }
      for (const { realm, wait } of told) {
        await this.#takeWait(wait ? { ...wait, realm } : null);
      }
      await this.#takeLook(isSet ? await this.pins.guesses.look() : null);
    });
  }

  /** As `Pins.guesses.look`, remembered. */
  async lookAtPin(): Promise<PinLook> {
    const look = await this.pins.guesses.look();
    if (this.#isApproved) {
      await this.core.queue.run('keys/vault', () => this.#takeLook(this.pins.isSet ? look : null));
    }
    return look;
  }

  /** Several realms tell of one guess: a look that is still to come is enough for all. */
  async #lookSoon(): Promise<void> {
    if (this.#isApproved && !this.#isDue) {
      this.#isDue = true;
      await this.core.queue.run('keys/vault', async () => {
        this.#isDue = false;
        await this.#takeLook(this.pins.isSet ? await this.pins.guesses.look() : null);
      });
    }
  }

  get #isApproved(): boolean {
    return this.core.deviceOrNull?.credential != null;
  }

  get #digest(): string | null {
    const digest = this.pins.own.chain?.vaultDigest;
    return digest ? toHex(digest) : null;
  }

  /** @param look null where the account has no PIN */
  async #takeLook(look: PinLook | null): Promise<void> {
    const before = (this.#seen ?? none).lost ?? null;
    const digest = this.#digest;
    if (look?.loss && digest !== null) {
      if (before?.digest !== digest) {
        await this.alarms.raise('pinLost', this.core.device.account, [digest, look.loss]);
      }
      if (before?.digest !== digest || before.loss !== look.loss) {
        await this.#write({ lost: { digest, loss: look.loss } });
        this.#tell();
      }
    } else if (before && (look === null || look.isUsable || before.digest !== digest)) {
      // It was set again, or was never gone. That too few answer is no news of it.
      await this.alarms.settle('pinLost');
      await this.#write({ lost: null });
      this.#tell();
    }
  }

  async #takeWait(wait: VaultWait | null): Promise<void> {
    const { account, device } = this.core.device;
    if (wait?.state !== 'begun' || wait.device === device) {
      return;
    }
    const after = withWait((this.#seen ?? none).waits, wait);
    if (after?.isNew) {
      await this.alarms.raise('pinWait', account, [wait.device, wait.id]);
    }
    if (after) {
      await this.#write({ waits: after.waits });
    }
    if (after?.isNew) {
      this.#tell();
    }
  }

  /** Something has just happened at a realm in the server, or the account's chain has grown. */
  async heard({ length, attempt, wait }: KeysSignal): Promise<void> {
    const { account, device } = this.core.device;
    if (attempt?.outcome === 'failed' && attempt.device !== device) {
      await this.alarms.raise('pinGuessed', account, [attempt.device]);
      await this.core.queue.run('keys/vault', () => this.#remember(guessOf({ ...attempt, realm: '' })));
    }
    await this.core.queue.run('keys/vault', () => this.#takeWait(wait ?? null));
    if (attempt || wait || length > 0) {
      this.#tell();
    }
    if (attempt?.outcome === 'succeeded' && this.#isStranger(attempt.device)) {
      this.#lookLater();
    }
    // It may have been the last guess; or the PIN was set again.
    if (attempt?.outcome === 'failed' || (length > 0 && this.#seen?.lost)) {
      await this.#lookSoon();
    }
  }

  /** It alarms no more when it stands in the realm's list, which has it by the same time. */
  #remember(guess: SeenGuess): Promise<void> {
    return this.#write({ guesses: [...(this.#seen ?? none).guesses, guess].slice(-mostGuesses) });
  }

  async #write(change: Partial<VaultSeenRecord>): Promise<void> {
    const value = { ...(this.#seen ?? none), ...change };
    await this.core.write([{ put: 'keys', id: place, value }]);
    this.#seen = value;
  }

  async #takeAttempts(told: RealmTold[]): Promise<void> {
    const { account, device } = this.core.device;
    const { hasLooked, hasLookedAtOpened = false, guesses: known } = this.#seen ?? none;
    const ended = told.flatMap(({ realm, attempts }) =>
      attempts.flatMap((attempt) => (attempt.outcome === 'open' ? [] : [guessOf({ ...attempt, realm })])),
    );
    // Whoever has just come in is looked at again when it has had the time to say so to the account's chain.
    const isEntering = (guess: SeenGuess) =>
      hasLookedAtOpened && this.#isOpening(guess) && Math.abs(this.now() - Date.parse(guess.at)) < entersMs;
    const listed = ended.filter((guess) => !isEntering(guess));
    const fresh = listed.filter((guess) => !known.some((one) => isSame(one, guess)));
    const heardOf = (guess: SeenGuess) => known.some((one) => isSameElsewhere(one, guess));
    const news = fresh.filter((guess) => guess.device !== device && !heardOf(guess));
    // What was tried before this device ever looked is in the list of guesses; it was not away for it.
    const guessed = hasLooked ? news.filter(({ outcome }) => outcome === undefined) : [];
    const opened = hasLookedAtOpened ? news.filter((guess) => this.#isOpening(guess)) : [];
    for (const one of new Set(guessed.map((guess) => guess.device))) {
      await this.alarms.raise('pinGuessed', account, [one]);
    }
    for (const one of new Set(opened.map((guess) => guess.device))) {
      await this.alarms.raise('pinOpened', account, [one]);
    }
    // Those that are in a list no longer are forgotten with it; of a realm that did not answer all are kept.
    const answering = new Set(told.map(({ realm }) => realm));
    const isListed = (guess: SeenGuess) => guess.realm === '' && listed.some((one) => isSameElsewhere(one, guess));
    const kept = known.filter((guess) => !answering.has(guess.realm) && !isListed(guess));
    const guesses = [...listed, ...kept].slice(0, mostGuesses);
    if (!hasLooked || !hasLookedAtOpened || fresh.length > 0 || guesses.length !== known.length) {
      await this.#write({ hasLooked: true, hasLookedAtOpened: true, guesses });
    }
    if (fresh.length > 0) {
      this.#tell();
    }
    if (listed.length < ended.length) {
      this.#lookLater();
    }
  }

  #isOpening({ device, outcome }: SeenGuess): boolean {
    return outcome === 'succeeded' && this.#isStranger(device);
  }

  /** Neither this device nor one that the account's keys vouch for, or have vouched for. */
  #isStranger(device: string): boolean {
    const { chain } = this.pins.own;
    return device !== this.core.device.device && !chain?.devices.has(device) && !chain?.isRevoked(device);
  }

  #lookLater(): void {
    if (this.#isApproved && this.#timer === undefined && !this.core.stopped) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        void this.pins.own
          .ensure()
          .then(() => this.look())
          .catch(() => undefined);
      }, entersMs);
    }
  }

  #tell(): void {
    this.news++;
    this.onNews();
  }
}

function guessOf({ realm, at, device, outcome }: Omit<SeenGuess, 'outcome'> & { outcome: string }): SeenGuess {
  return outcome === 'succeeded' ? { realm, at, device, outcome } : { realm, at, device };
}
