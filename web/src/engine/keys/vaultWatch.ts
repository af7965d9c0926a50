import type { KeysSignal, VaultWait } from '../../protocol/wire';
import type { SeenGuess, VaultSeenRecord } from '../../storage/records';
import type { Core } from '../core';
import type { KeyAlarms } from './alarms';
import type { Pins } from './pins';
import { type RealmTold, vaultTold } from './vaultTold';

const place = 'vault';
const clocksApartMs = 60_000;
/** Realms list a hundred guesses each, and there are sixteen of them at most. */
const mostGuesses = 1600;
const mostWaits = 16;
const none: VaultSeenRecord = { hasLooked: false, guesses: [], waits: [] };

/**
 * Looks at what the realms tell of guesses and waits. Realms in the server tell of them at once, but such a hint may be lost;
 * realms that are processes of their own tell nobody by themselves. So they are asked at each greeting, and what was seen is
 * remembered: each guess alarms once, also where it happened while this device was away.
 */
export class VaultWatch {
  #seen: VaultSeenRecord | null = null;
  /** How often there was something new: screens that show guesses read them again. */
  news = 0;
  onNews: () => void = () => undefined;

  constructor(
    readonly core: Core,
    readonly pins: Pins,
    readonly alarms: KeyAlarms,
  ) {}

  async load(): Promise<void> {
    this.#seen = await this.core.db.keys<VaultSeenRecord>(place);
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
      for (const { wait } of told) {
        await this.#takeWait(wait ?? null);
      }
    });
  }

  /** Each realm has a wait of its own; what one device has begun at all of them is one, and alarms once. */
  async #takeWait(wait: VaultWait | null): Promise<void> {
    const { account, device } = this.core.device;
    if (wait?.state !== 'begun' || wait.device === device) {
      return;
    }
    const { waits } = this.#seen ?? none;
    const until = Date.parse(wait.until);
    if (!waits.some((one) => one.device === wait.device && Math.abs(one.until - until) < clocksApartMs)) {
      await this.alarms.raise('pinWait', account, [wait.device, wait.id]);
      await this.#write({ waits: [...waits, { device: wait.device, until }].slice(-mostWaits) });
      this.#tell();
    }
  }

  /** Something has just happened at a realm in the server. */
  async heard({ attempt, wait }: KeysSignal): Promise<void> {
    const { account, device } = this.core.device;
    if (attempt?.outcome === 'failed' && attempt.device !== device) {
      await this.alarms.raise('pinGuessed', account, [attempt.device]);
      await this.core.queue.run('keys/vault', () => this.#remember(guessOf({ ...attempt, realm: '' })));
    }
    await this.core.queue.run('keys/vault', () => this.#takeWait(wait ?? null));
    if (attempt || wait) {
      this.#tell();
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
    const { hasLooked, guesses: known } = this.#seen ?? none;
    const failed = told.flatMap(({ realm, attempts }) =>
      attempts.filter(({ outcome }) => outcome === 'failed').map((attempt) => ({ ...attempt, realm })),
    );
    const fresh = failed.map(guessOf).filter((guess) => !known.some((one) => isSame(one, guess)));
    // What was tried before this device ever looked is in the list of guesses; it was not away for it.
    if (hasLooked) {
      const heardOf = (guess: SeenGuess) => known.some((one) => isSameElsewhere(one, guess));
      const strangers = fresh.filter((guess) => guess.device !== device && !heardOf(guess));
      for (const one of new Set(strangers.map((guess) => guess.device))) {
        await this.alarms.raise('pinGuessed', account, [one]);
      }
    }
    // Those that are in a list no longer are forgotten with it; of a realm that did not answer all are kept.
    const answering = new Set(told.map(({ realm }) => realm));
    const isListed = (guess: SeenGuess) => guess.realm === '' && failed.some((one) => isSameElsewhere(one, guess));
    const kept = known.filter((guess) => !answering.has(guess.realm) && !isListed(guess));
    const guesses = [...failed.map(guessOf), ...kept];
    if (!hasLooked || fresh.length > 0 || guesses.length !== known.length) {
      await this.#write({ hasLooked: true, guesses });
    }
    if (fresh.length > 0) {
      this.#tell();
    }
  }

  #tell(): void {
    this.news++;
    this.onNews();
  }
}

function guessOf({ realm, at, device }: SeenGuess): SeenGuess {
  return { realm, at, device };
}

/** Realms give their attempts no id; each has its time to the microsecond. */
function isSame(one: SeenGuess, other: SeenGuess): boolean {
  return one.realm === other.realm && one.at === other.at && one.device === other.device;
}

/** The same guess at another realm: a device asks them all at once, and their clocks differ by less than a minute. */
function isSameElsewhere(one: SeenGuess, other: SeenGuess): boolean {
  const apartMs = Math.abs(Date.parse(one.at) - Date.parse(other.at));
  return one.realm !== other.realm && one.device === other.device && apartMs < clocksApartMs;
}
