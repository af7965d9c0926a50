import { equalBytes } from '../../protocol/bytes';
import { ErrorCode, localError } from '../../protocol/errors';
import { usualExponent } from '../../protocol/money';
import {
  ActionError,
  type Asset,
  asksPin,
  mostPinLimit,
  type PayPin as PayPinView,
  type PinConsent,
  pinLimit,
} from '../../state/contract';
import type { PayPinRecord } from '../../storage/records';
import type { Stretch } from '../../vault/argon2/port';
import { PinStretcher } from '../../vault/argon2/workerClient';
import { defaultParameters } from '../../vault/parameters';
import { type Pin, readPin, wipePin } from '../../vault/pins/pin';
import type { Core } from '../core';
import type { DeviceKeys } from './deviceKeys';
import { homeOf } from './pinHome';
import { isPinOf, makeVerifier, type PinVerifier } from './pinVerifier';
import type { Tell } from './vaultDoor';

const place = 'payPin';
const nothing: PayPinRecord = { current: null, earlier: null, wrong: 0, waitUntil: 0, limits: {} };
/** As many as the vault grants: then this device forgets what it checks by, and only the vault tells. */
const mostTries = 10;
/** Everybody mistypes. */
const freeTries = 3;
const waitsMs = [30_000, 60_000, 5 * 60_000, 15 * 60_000];
/** For so long the PIN before one that was set without it is asked for: whoever finds a device unlocked sets none to pay by. */
const restMs = 24 * 3_600_000;
/** Setting and entering stretch twice: for the vault, and for what is checked by here. */
const vaultShare = 0.6;

/**
 * The PIN once more before much money leaves. It is checked on the device, by a verifier that is made when the PIN is set or
 * entered, and kept sealed like everything else; what is typed is sent nowhere.
 */
export class PayPin {
  onChange: () => void = () => undefined;
  /** By the server's clock as far as it is known: whoever sets the device's ends no wait, and pays nothing. */
  now: () => number;
  #record = nothing;
  #stretcher: PinStretcher | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly core: Core,
    readonly keys: DeviceKeys,
  ) {
    this.now = () => core.clock.nowMs();
  }

  async load(): Promise<void> {
    this.#record = { ...nothing, ...(await this.core.db.keys<PayPinRecord>(place)) };
    this.#tellLater();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stretcher?.stop();
  }

  get status(): PayPinView {
    const { earlier, wrong, limits } = this.#record;
    const rests = earlier !== null && earlier.until > this.now();
    const state = rests
      ? earlier.verifier
        ? 'earlier'
        : 'resting'
      : !this.keys.pins.isSet
        ? 'off'
        : this.#valid === null
          ? 'unseen'
          : 'ready';
    return {
      state,
      until: rests ? this.#shown(earlier.until) : null,
      limits: Object.fromEntries(Object.entries(limits).map(([code, minor]) => [code, BigInt(minor)])),
      triesLeft: mostTries - wrong,
      waitUntil: this.#waitMs === 0 ? 0 : Date.now() + this.#waitMs,
    };
  }

  /**
   * Lets an amount pass, where it needs no PIN or the right one was typed.
   * @throws ActionError `pay_pin_needed`, `pay_pin_wrong`, `pay_pin_waits`, `pay_pin_unseen`, `pay_pin_rests`
   */
  async require(code: string, amountMinor: bigint, consent: PinConsent | null): Promise<void> {
    if (asksPin(this.status, this.#asset(code), amountMinor)) {
      await this.#check(consent);
    }
  }

  /** Sets above which amount the PIN is asked for. Whoever raises it has to know the PIN. @throws as `require` does */
  async changeLimit(code: string, limitMinor: bigint, consent: PinConsent | null): Promise<void> {
    const asset = this.#asset(code);
    if (limitMinor < 0n || limitMinor > mostPinLimit(asset)) {
      throw new ActionError({ code: ErrorCode.invalidArgument, name: 'invalid_argument', retryable: false });
    }
    const { status } = this;
    if (status.state !== 'off' && limitMinor > pinLimit(status, asset)) {
      await this.#check(consent);
    }
    await this.#write(({ limits }) => ({ limits: { ...limits, [code]: limitMinor.toString() } }));
  }

  /** As `Pins.set`. */
  async set(typed: string, tell: Tell, at: string | null = null): Promise<void> {
    if (at === null) {
      this.#refuseOthers();
    }
    const isSame = await this.#isSame(this.#before().verifier, typed);
    const before = this.#before();
    const set = () => this.keys.pins.set(typed, (share) => tell(vaultShare * share), at);
    await (isSame || !before.isAsked ? set() : this.#resting(before.verifier, set));
    await this.#withPin(typed, async (pin) => {
      if (isSame || !before.isAsked) {
        await this.#write({ earlier: null });
      }
      await this.#see(pin, (share) => tell(vaultShare + (1 - vaultShare) * share));
    });
    // What the vault had lost it has again.
    await this.keys.vault.lookAtPin().catch(() => undefined);
  }

  /** As `Pins.remove`. */
  async remove(): Promise<void> {
    this.#refuseOthers();
    const before = this.#before();
    const remove = () => this.keys.pins.remove();
    await (before.isAsked ? this.#resting(before.verifier, remove) : remove());
    await this.#write(before.isAsked ? { current: null } : { current: null, earlier: null });
  }

  /** A device that does not know where the PIN is has only its last look to say that it is not where the server names. */
  #refuseOthers(): void {
    const { own, vault } = this.keys;
    if (homeOf(own) === null && vault.isElsewhere) {
      throw localError('vault_realms_other', false);
    }
  }

  /** As `Pins.recover`: the vault says that it is the PIN. */
  async recover(typed: string, tell: Tell): Promise<void> {
    await this.keys.pins.recover(typed, (share) => tell(vaultShare * share));
    await this.#withPin(typed, async (pin) => {
      if (this.status.state === 'unseen') {
        await this.#write({ wrong: 0, waitUntil: 0 });
      }
      await this.#see(pin, (share) => tell(vaultShare + (1 - vaultShare) * share));
    });
  }

  /** A time as the device's clock will show it. */
  #shown(at: number): number {
    return Date.now() + at - this.now();
  }

  /** What is asked for now, before it changes. */
  #before(): { isAsked: boolean; verifier: PinVerifier | null } {
    const { state } = this.status;
    return { isAsked: state !== 'off', verifier: this.#asked(state) };
  }

  #asked(state: PayPinView['state']): PinVerifier | null {
    return state === 'earlier' ? (this.#record.earlier?.verifier ?? null) : state === 'ready' ? this.#valid : null;
  }

  /**
   * Changes the PIN, with the rest written before: whatever cuts this short leaves no PIN to pay by that was set without the one
   * before. Where nothing was changed there is nothing to rest from.
   */
  async #resting(verifier: PinVerifier | null, change: () => Promise<void>): Promise<void> {
    const { earlier: previous } = this.#record;
    const { own } = this.keys;
    const [digest, pending] = [own.chain?.vaultDigest, own.record.pending];
    const rest = { verifier, until: this.now() + restMs };
    await this.#write({ earlier: rest });
    try {
      await change();
    } catch (thrown) {
      const now = own.chain?.vaultDigest;
      const isSame = digest && now ? equalBytes(digest, now) : digest === now;
      // One that was begun may become the PIN yet.
      if (isSame && own.record.pending.every((one) => pending.some(({ version }) => version === one.version))) {
        await this.#write(({ earlier }) => (earlier === rest ? { earlier: previous } : {}));
      }
      throw thrown;
    }
  }

  /**
   * Whether it is the one that is asked for now; one that could not be set is not looked at. A try like any other: whoever sets one
   * PIN after the other learns no more, and no sooner, than whoever tries them.
   */
  async #isSame(verifier: PinVerifier | null, typed: string): Promise<boolean> {
    if (!verifier || this.keys.pins.refuse(typed) !== null) {
      return false;
    }
    return this.core.queue.run('keys/payPin', async () =>
      this.#waitMs > 0 ? false : this.#try(verifier, { pin: typed, tell: () => undefined }),
    );
  }

  /** Of the PIN that the account has now. */
  get #valid(): PinVerifier | null {
    const digest = this.keys.own.chain?.vaultDigest;
    const { current } = this.#record;
    return current && digest && equalBytes(current.vaultDigest, digest) ? current : null;
  }

  get #waitMs(): number {
    const { wrong, waitUntil } = this.#record;
    // A clock that was set back makes no wait longer.
    return Math.max(0, Math.min(waitUntil - this.now(), waitAfter(wrong)));
  }

  /** One try at a time, counted before it is looked at. */
  #check(consent: PinConsent | null): Promise<void> {
    return this.core.queue.run('keys/payPin', async () => {
      const { state, until } = this.status;
      if (!consent) {
        throw localError('pay_pin_needed', false);
      }
      if (state === 'resting') {
        throw localError('pay_pin_rests', false, { until });
      }
      const verifier = this.#asked(state);
      if (!verifier) {
        throw localError('pay_pin_unseen', false);
      }
      if (this.#waitMs > 0) {
        throw localError('pay_pin_waits', false, { waitMs: this.#waitMs });
      }
      const isRight = await this.#try(verifier, consent);
      if (!isRight) {
        throw this.#wrong();
      }
    });
  }

  async #try(verifier: PinVerifier, { pin: typed, tell }: PinConsent): Promise<boolean> {
    const { pin } = readPin(typed);
    if (!pin) {
      // No PIN at all is no guess.
      return false;
    }
    try {
      const wrong = this.#record.wrong + 1;
      await this.#write({ wrong, waitUntil: this.now() + waitAfter(wrong) });
      const isRight = await isPinOf(verifier, pin, this.#stretch(tell));
      if (isRight) {
        await this.#write({ wrong: 0, waitUntil: 0 });
      } else if (wrong >= mostTries) {
        await this.#forget(verifier);
      }
      return isRight;
    } finally {
      wipePin(pin);
      this.#stretcher?.stop();
    }
  }

  #wrong(): ActionError {
    return localError('pay_pin_wrong', false, { triesLeft: mostTries - this.#record.wrong, waitMs: this.#waitMs });
  }

  #forget(verifier: PinVerifier): Promise<void> {
    return this.#write(({ earlier }) =>
      earlier?.verifier === verifier
        ? { earlier: { ...earlier, verifier: null }, wrong: 0, waitUntil: 0 }
        : { current: null, wrong: 0, waitUntil: 0 },
    );
  }

  /** What was set or entered is checked by from now on. Where that fails, the vault is asked next time. */
  async #see(pin: Pin, tell: Tell): Promise<void> {
    const vaultDigest = this.keys.own.chain?.vaultDigest;
    if (vaultDigest) {
      const parameters = this.core.parts.pins.parameters ?? defaultParameters;
      const current = await makeVerifier(pin, vaultDigest, parameters, this.#stretch(tell)).catch(() => null);
      await this.#write({ current });
    }
  }

  async #withPin(typed: string, work: (pin: Pin) => Promise<void>): Promise<void> {
    const { pin } = readPin(typed);
    if (!pin) {
      return;
    }
    try {
      await work(pin);
    } finally {
      wipePin(pin);
      this.#stretcher?.stop();
    }
  }

  #stretch(tell: Tell): Stretch {
    const { stretch } = this.core.parts.pins;
    if (stretch) {
      return stretch(tell);
    }
    this.#stretcher ??= new PinStretcher();
    return this.#stretcher.withProgress(tell);
  }

  #asset(code: string): Asset {
    const known = this.core.deviceOrNull?.assets.find((asset) => asset.code === code);
    return known ?? { code, exponent: usualExponent(code) };
  }

  async #write(change: Partial<PayPinRecord> | ((now: PayPinRecord) => Partial<PayPinRecord>)): Promise<void> {
    await this.core.queue.run('keys/payPinRecord', async () => {
      const value = { ...this.#record, ...(typeof change === 'function' ? change(this.#record) : change) };
      await this.core.write([{ put: 'keys', id: place, value }], 'strict');
      this.#record = value;
    });
    this.#tellLater();
    this.onChange();
  }

  /** Whoever shows that the PIN before is asked for hears when it is not any more. */
  #tellLater(): void {
    clearTimeout(this.#timer);
    const { until } = this.status;
    if (until !== null) {
      this.#timer = setTimeout(() => this.onChange(), until - Date.now() + 1);
    }
  }
}

/** How long the next try has to wait after so many wrong ones. */
function waitAfter(wrong: number): number {
  return wrong < freeTries ? 0 : (waitsMs[Math.min(wrong - freeTries, waitsMs.length - 1)] ?? 0);
}
