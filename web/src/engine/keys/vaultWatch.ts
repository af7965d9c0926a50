import { toHex } from '../../protocol/bytes';
import type { KeysSignal, VaultWait } from '../../protocol/wire';
import type { PinLook, PinLoss } from '../../state/contract';
import type { SeenGuess, SeenLoss, VaultSeenRecord } from '../../storage/records';
import { VaultLimits } from '../../vault/limits';
import type { Core } from '../core';
import type { KeyAlarms } from './alarms';
import { homeOf } from './pinHome';
import type { Pins } from './pins';
import { isSame, isSameElsewhere, newGuesses } from './vaultAttempts';
import { believedMs, judgeLook, lossOfSeen, seenLoss } from './vaultLosses';
import { mostAttempts, type RealmTold, vaultTold } from './vaultTold';
import { withEnded, withWait } from './vaultWaits';

const place = 'vault';
const mostGuesses = VaultLimits.realms * mostAttempts;
/** Between a right PIN on a new device and its entry into the account's chain: who comes in by it is no stranger. */
const entersMs = 2 * 60_000;
/** A guess whose end nobody has told of is open for so long, and may turn out right until then. */
const opensMs = 2 * 60_000;
/** Another device may set a PIN while the realms are asked about the one before; more often than this it cannot be chance. */
const looks = 3;
const none: VaultSeenRecord = { hasLooked: false, guesses: [], waits: [] };
/** Nothing was found out. */
const unseen: PinLook = { guessesLeft: null, loss: null, isUsable: false, realms: null };

/**
 * Looks at what the realms tell of guesses and waits, and whether they have the PIN still. Realms in the server tell of guesses at
 * once, but such a hint may be lost; realms that are processes of their own tell nobody by themselves. So they are asked at each
 * greeting, and what was seen is remembered: each guess alarms once, also where it happened while this device was away.
 */
export class VaultWatch {
  #seen: VaultSeenRecord | null = null;
  /** Looks that are due, by how long after they were asked for. */
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();
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
    pins.seenLoss = () => this.loss;
  }

  async load(): Promise<void> {
    this.#seen = await this.core.db.keys<VaultSeenRecord>(place);
  }

  stop(): void {
    for (const timer of this.#timers.values()) {
      clearTimeout(timer);
    }
  }

  /** Why the PIN that the account's chain names opens nothing any more, as it was last found; null where it does. */
  get loss(): PinLoss | null {
    const lost = this.#lost;
    return lost && lossOfSeen(lost);
  }

  /** Whether the server names other realms than the PIN's own, whatever is known of the PIN itself. */
  get isElsewhere(): boolean {
    return this.#lost?.isElsewhere === true;
  }

  /** What is known of the PIN that the chain names. */
  get #lost(): SeenLoss | null {
    const { lost } = this.#seen ?? none;
    return lost && lost.digest === this.#digest ? seenLoss(lost) : null;
  }

  /** @throws ActionError where the server cannot be reached */
  look(): Promise<void> {
    return this.core.queue.run('keys/vault', async () => {
      const { isSet } = this.pins;
      // Without a PIN once: what the lists have of an earlier one is no news when another is set.
      const told = isSet || !this.#seen?.hasLooked ? await vaultTold(this.core.api) : [];
      // Where no realm answers, nothing was looked at.
      if (told.length > 0) {
        await this.#takeAttempts(told);
      }
      await this.#takeEnded(told.map(({ realm, wait }) => ({ realm, id: wait?.state === 'begun' ? wait.id : null })));
      for (const { realm, wait } of told) {
        await this.#takeWait(wait ? { ...wait, realm } : null);
      }
      await this.#takeLook(await this.#ask());
    });
  }

  /** As `Pins.guesses.look`, remembered. */
  async lookAtPin(): Promise<PinLook> {
    if (!this.#isApproved || !this.pins.isSet) {
      return this.pins.guesses.look();
    }
    return this.core.queue.run('keys/vault', async () => {
      const look = await this.#ask();
      await this.#takeLook(look);
      return look ?? unseen;
    });
  }

  /** Several realms tell of one guess: a look that is still to come is enough for all. */
  async #lookSoon(): Promise<void> {
    if (this.#isApproved && !this.#isDue) {
      this.#isDue = true;
      await this.core.queue.run('keys/vault', async () => {
        this.#isDue = false;
        await this.#takeLook(await this.#ask());
      });
    }
  }

  /**
   * What the realms say of the PIN that the chain names. Where it is none that opens, the chain is looked at before anything
   * comes of it: another device may have set the PIN anew since, perhaps elsewhere, or have removed it.
   * @returns null where the account has none
   */
  async #ask(): Promise<PinLook | null> {
    for (let time = 1; time <= looks && this.pins.isSet; time++) {
      const digest = this.#digest;
      const look = await this.pins.guesses.look();
      if (look.loss !== null) {
        await this.pins.own.ensure();
      }
      if (this.#digest === digest) {
        return look;
      }
    }
    return this.pins.isSet ? unseen : null;
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
    const digest = this.#digest;
    const before = (this.#seen ?? none).lost ?? null;
    if (before && (look === null || before.digest !== digest)) {
      // It was set again, or removed.
      await this.alarms.settle('pinLost');
      await this.alarms.settle('realmsOther');
      await this.#keepLoss(null);
    }
    if (look !== null && digest !== null) {
      await this.#judge(look, before?.digest === digest ? seenLoss(before) : { digest, loss: null });
    }
    if (look?.isLastOpen) {
      this.#lookLater(opensMs);
    }
  }

  async #judge(look: PinLook, known: SeenLoss): Promise<void> {
    const isKnown = homeOf(this.pins.own) !== null;
    const { lost, raise, isBack, isUnsure } = judgeLook(look, known, this.now(), isKnown);
    if (raise) {
      await this.alarms.raise(raise[0], this.core.device.account, raise[1]);
    }
    if (isBack) {
      await this.alarms.settle('pinLost');
    }
    if (isUnsure) {
      this.#lookLater(believedMs);
    }
    await this.#keepLoss(lost);
  }

  async #keepLoss(lost: SeenLoss | null): Promise<void> {
    const before = (this.#seen ?? none).lost ?? null;
    if (JSON.stringify(before) !== JSON.stringify(lost)) {
      await this.#write({ lost });
    }
    if (before?.loss !== lost?.loss || before?.isElsewhere !== lost?.isElsewhere) {
      this.#tell();
    }
  }

  async #takeEnded(told: Parameters<typeof withEnded>[1]): Promise<void> {
    const waits = withEnded((this.#seen ?? none).waits, told);
    if (waits) {
      await this.#write({ waits });
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
    if (attempt?.outcome === 'failed' && attempt.device !== this.core.device.device) {
      const guess = guessOf({ ...attempt, realm: attempt.realm ?? '' });
      await this.core.queue.run('keys/vault', () => this.#takeGuess(guess));
    }
    if (wait) {
      await this.core.queue.run('keys/vault', async () => {
        await (wait.state === 'begun' ? this.#takeWait(wait) : this.#takeEnded([{ realm: wait.realm, id: null }]));
      });
    }
    if (attempt || wait || length > 0) {
      this.#tell();
    }
    if (attempt?.outcome === 'succeeded' && this.#isStranger(attempt.device)) {
      this.#lookLater(entersMs);
    }
    // It may have been the last guess; or the PIN was set again.
    if (attempt?.outcome === 'failed' || (length > 0 && this.#seen?.lost)) {
      await this.#lookSoon();
    }
  }

  /** It alarms no more when it stands in the realm's list, which has it by the same time. */
  async #takeGuess(guess: SeenGuess): Promise<void> {
    const { guesses: known } = this.#seen ?? none;
    if (known.some((one) => isSame(one, guess))) {
      return;
    }
    if (newGuesses(known, [guess]).length > 0) {
      await this.alarms.raise('pinGuessed', this.core.device.account, [guess.device]);
    }
    await this.#write({ guesses: [...known, guess].slice(-mostGuesses) });
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
    const news = newGuesses(known, fresh).filter((guess) => guess.device !== device);
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
      this.#lookLater(entersMs);
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

  #lookLater(afterMs: number): void {
    if (this.#isApproved && !this.#timers.has(afterMs) && !this.core.stopped) {
      const look = () => {
        this.#timers.delete(afterMs);
        void this.pins.own
          .ensure()
          .then(() => this.look())
          .catch(() => undefined);
      };
      this.#timers.set(afterMs, setTimeout(look, afterMs));
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
