import { systemRandom } from '../../crypto/random';
import { type ApprovedKeys, openApproval, sealApproval, sealKeyPairOf } from '../../identity/approval';
import type { ApprovalCode } from '../../identity/approvalCode';
import type { KeyChain } from '../../keylog/chain';
import { EntryType, type KeyLogEntry, makeIdentity, makeIdentityReset, readEntry } from '../../keylog/entry';
import { toBase64 } from '../../protocol/bytes';
import { ErrorCode, isCode, localError } from '../../protocol/errors';
import { ActionError } from '../../state/contract';
import type { OwnKeysRecord } from '../../storage/records';
import type { Core } from '../core';
import type { KeyAlarms } from './alarms';
import { lasting, withApproval } from './approvals';
import { after, hashText, isKeyOf } from './chainKeys';
import type { KeyLogFollower } from './follower';
import { OwnEntry } from './ownEntry';
import { noKeys, type OwnChange, OwnRecord } from './ownRecord';
import type { PeopleKeys } from './peopleKeys';
import { RootSecret } from './rootSecret';
import { WrappedKeys } from './wrapped';

/** Other devices may add to the chain at the same moment; more often than this it cannot be chance. */
const attempts = 8;
const keyBytes = 32;

/**
 * The account's own chain: begun by its first device, gone on with by every device that has the identity key, and watched.
 * An entry that nobody expects here raises an alarm.
 */
export class OwnKeys {
  readonly wrapped: WrappedKeys;
  readonly root: RootSecret;
  readonly #kept: OwnRecord;
  readonly #entry: OwnEntry;
  /** Called when this device has become one that others let in. */
  onApproved: () => void = () => undefined;
  /** Called when another device or the PIN has brought keys, also to a device that was in the chain before. */
  onTaken: () => void = () => undefined;
  onChange: () => void = () => undefined;
  now: () => number = () => Date.now();

  constructor(
    readonly core: Core,
    readonly log: KeyLogFollower,
    readonly people: PeopleKeys,
    readonly alarms: KeyAlarms,
  ) {
    this.#kept = new OwnRecord(core);
    this.wrapped = new WrappedKeys(core);
    this.root = new RootSecret(core, this);
    this.#entry = new OwnEntry(core, this, (entries) => this.#post(entries));
  }

  load(): Promise<void> {
    return this.#kept.load();
  }

  stop(): void {
    this.#entry.stop();
  }

  get record(): OwnKeysRecord {
    return this.#kept.value;
  }

  /** The account's chain as it was checked last; null before the first look, or where there is none. */
  get chain(): KeyChain | null {
    const account = this.core.deviceOrNull?.account;
    return account === undefined ? null : this.people.chainOf(account);
  }

  /** Whether this device has the identity key that is in force. */
  get holdsKey(): boolean {
    const { identitySeed } = this.record;
    return identitySeed !== null && this.chain !== null && isKeyOf(this.chain, identitySeed);
  }

  /** The account's identity key was renewed on another device, and nothing has brought the new one here. */
  get isBehind(): boolean {
    const { identitySeed, rootSecret, approvalKey } = this.record;
    const isWaited = rootSecret === null || this.#entry.hasLooked;
    return this.core.deviceOrNull?.credential != null && !identitySeed && approvalKey !== null && isWaited;
  }

  /** Grows with each code that this device makes to be approved by. */
  get codes(): number {
    return this.#kept.codes;
  }

  write(change: OwnChange): Promise<void> {
    return this.#kept.write(change);
  }

  /**
   * Brings the device into its account's chain where it can, and looks whether somebody else has added to it.
   * @returns whether the device is in the chain, and has the account's keys
   * @throws ActionError where the server cannot be reached
   */
  ensure(): Promise<boolean> {
    return this.#inTurn(async () => {
      const chain = await this.#follow();
      return chain ? this.#entry.enter(chain) : false;
    });
  }

  /**
   * Adds entries of this device's making, each made for its place.
   * @param make of the chain as it stands, and the seed; none change nothing
   * @throws ActionError `device_not_approved`, `key_entry_invalid`, among others
   */
  change(make: (chain: KeyChain, identitySeed: Uint8Array) => KeyLogEntry[] | Promise<KeyLogEntry[]>): Promise<void> {
    return this.#inTurn(async () => {
      const chain = await this.#require();
      const seed = this.requireSeed(chain);
      const entries = await make(chain, seed);
      if (entries.length > 0) {
        await this.#post(entries);
      }
    });
  }

  /**
   * Gives the account a new identity key, signed by the one in force, and has it vouch for this device. The account's other
   * devices stay in the chain. Whoever dies in between goes on with it, and what follows the change of the chain is due until it
   * is done: pressed again meanwhile, this does it, and changes nothing else.
   * @throws ActionError `device_not_approved`; `pin_needed`: the PIN would bring back a key that is none; among others
   */
  rotate(): Promise<void> {
    return this.#inTurn(async () => {
      const chain = await this.#beginNext();
      if (!chain) {
        return;
      }
      const seed = this.requireSeed(chain);
      if (this.record.wrapDue) {
        await this.root.settle(chain);
        return;
      }
      await this.root.require(chain);
      const next = this.record.nextSeed ?? systemRandom(keyBytes);
      // Kept before the server hears of its public half.
      await this.write({ nextSeed: next });
      await this.#post([makeIdentity(chain.next, next, seed)]);
      await this.#enterOrFail(this.chain);
    });
  }

  /** The chain to post the next key to; null where that was posted when it was tried last, and it is in force now. */
  async #beginNext(): Promise<KeyChain | null> {
    const { nextSeed } = this.record;
    const chain = await this.#require();
    if (!nextSeed || !isKeyOf(chain, nextSeed)) {
      return chain;
    }
    await this.#enterOrFail(chain);
    return null;
  }

  async #enterOrFail(chain: KeyChain | null): Promise<void> {
    if (!chain || !(await this.#entry.enter(chain))) {
      throw localError('keys_untrue', false);
    }
  }

  /**
   * Begins the account's identity anew, without the old key: all other devices are revoked, and everybody has to accept
   * the new one. Its key is kept as the next one until the chain has it, as a renewed one is: where it fails, the device waits
   * for its approval as before.
   * @throws ActionError `not_ready` on a device that is in the chain, among others
   */
  reset(): Promise<void> {
    return this.#inTurn(async () => {
      const chain = await this.#beginNext();
      if (!chain) {
        return;
      }
      if (chain.devices.has(this.core.device.device)) {
        // Its key is the chain's already, and no key comes into a chain twice.
        throw localError('not_ready', false);
      }
      const next = this.record.nextSeed ?? systemRandom(keyBytes);
      // Kept before the server hears of its public half: whoever dies in between goes on with it.
      await this.write(({ approvalKey }) => ({ ...noKeys, approvalKey, nextSeed: next }));
      const first = makeIdentityReset(chain.next, next);
      await this.#post([first, this.#entry.deviceAdded(after(first), next)]);
      await this.#enterOrFail(this.chain);
    });
  }

  /**
   * Takes the keys that another device or the PIN has brought, where they are the account's.
   * @returns whether they are, and the device is in the chain now
   */
  async take(keys: ApprovedKeys): Promise<boolean> {
    const isTaken = await this.#inTurn(async () => {
      const chain = await this.#follow();
      if (!chain || !isKeyOf(chain, keys.identitySeed)) {
        return false;
      }
      const { identitySeed, rootSecret, archiveKey } = keys;
      const { device, publicKey } = this.core.device;
      const restoreDue = this.record.restoreDue || !chain.hasDevice(device, publicKey);
      await this.write((now) => ({
        identitySeed,
        nextSeed: null,
        rootSecret: rootSecret ?? now.rootSecret,
        // Whoever approves may have been overtaken, and an own one that did not come with the keys wraps others until now.
        rootDue: (rootSecret ?? now.rootSecret) !== null,
        archiveKey: archiveKey ?? now.archiveKey,
        restoreDue,
        approvalKey: null,
      }));
      return true;
    });
    const isIn = isTaken && (await this.ensure());
    if (isIn) {
      this.onTaken();
    }
    return isIn;
  }

  /** What a device that waits makes for others to approve it with; null once it is approved. */
  code(): ApprovalCode | null {
    const { approvalKey, identitySeed } = this.record;
    const { account, device, publicKey } = this.core.device;
    return approvalKey && !identitySeed
      ? { account, device, deviceKey: publicKey, sealKey: sealKeyPairOf(approvalKey).publicKey }
      : null;
  }

  /** An approval that came for this device; anything else is passed over. */
  async takeApproval(body: Uint8Array): Promise<boolean> {
    const { approvalKey, identitySeed } = this.record;
    const identityKey = (await this.#inTurn(() => this.#follow()))?.identityKey;
    if (!approvalKey || identitySeed || !identityKey) {
      return false;
    }
    const opened = await openApproval(body, this.core.device, sealKeyPairOf(approvalKey), identityKey);
    return 'keys' in opened ? this.take(opened.keys) : false;
  }

  /** Seals the account's keys for a device that shows a code, whose adding itself is then expected. */
  async approval(code: ApprovalCode): Promise<Uint8Array> {
    const { identitySeed, rootSecret, archiveKey } = this.record;
    if (!identitySeed) {
      throw notApproved();
    }
    const sealed = await sealApproval(code, { identitySeed, rootSecret, archiveKey });
    await this.write((now) => ({ approved: withApproval(now, code.device, this.now()) }));
    return sealed;
  }

  /** @throws ActionError `device_not_approved` where this device does not hold the key in force */
  requireSeed(chain: KeyChain | null): Uint8Array {
    const { identitySeed } = this.record;
    if (!identitySeed || !chain || !isKeyOf(chain, identitySeed)) {
      throw notApproved();
    }
    return identitySeed;
  }

  /** One change of the chain at a time; where another device was quicker, what it added is looked at first. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.core.queue.run('keys/own', async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await work();
        } catch (thrown) {
          if (!isCode(thrown, ErrorCode.keyChainStale) || attempt >= attempts) {
            throw thrown;
          }
        }
      }
    });
  }

  async #require(): Promise<KeyChain> {
    const chain = await this.#follow();
    if (!chain) {
      throw localError('keys_untrue', false);
    }
    return chain;
  }

  /** The chain as it stands, after an alarm about what others have added to it. */
  async #follow(): Promise<KeyChain | null> {
    const { account } = this.core.device;
    const known = this.people.find(account).entries;
    const followed = await this.log.follow(account, known);
    if (!followed) {
      return null;
    }
    const news = followed.entries.slice(known.length);
    // A device that sees the chain for the first time, or is not in it, has nothing to compare it with.
    if (known.length > 0 && (this.record.identitySeed || this.core.device.credential)) {
      const foreign = news.filter((entry) => !this.#isExpected(entry));
      if (foreign.length > 0) {
        await this.alarms.raise('ownKeysChanged', account, foreign.map(toBase64));
      }
    }
    await this.people.put(followed.chain, followed.entries);
    await this.#adoptNext(followed.chain);
    const others = news.filter((entry) => !this.#isPosted(entry));
    await this.root.see(followed.chain, others);
    this.onChange();
    return followed.chain;
  }

  /** The key that this device has begun to renew it by is in force: that it was posted is all there is to know. */
  async #adoptNext(chain: KeyChain): Promise<void> {
    const { nextSeed, rootSecret } = this.record;
    if (nextSeed && isKeyOf(chain, nextSeed)) {
      await this.write({ identitySeed: nextSeed, nextSeed: null, wrapDue: rootSecret !== null, approvalKey: null });
    }
  }

  #isExpected(encoding: Uint8Array): boolean {
    if (this.#isPosted(encoding)) {
      return true;
    }
    const read = readEntry(encoding);
    return (
      'entry' in read &&
      read.entry.type === EntryType.deviceAdded &&
      lasting(this.record, this.now()).some(({ device }) => device === read.entry.device)
    );
  }

  #isPosted(encoding: Uint8Array): boolean {
    return this.record.posted.includes(hashText(encoding));
  }

  /** What is posted is noted before, so that nobody takes it for somebody else's. */
  async #post(entries: KeyLogEntry[]): Promise<void> {
    await this.write({ posted: entries.map((entry) => hashText(entry.encoding)) });
    await this.core.api.appendKeys(entries.map((entry) => toBase64(entry.encoding)));
    if (!(await this.#follow())) {
      throw localError('keys_untrue', false);
    }
  }
}

export function notApproved(): ActionError {
  return new ActionError({ code: ErrorCode.deviceNotApproved, name: 'device_not_approved', retryable: false });
}
