import { sha256 } from '@noble/hashes/sha2.js';
import { publicKeyOf } from '../../crypto/ed25519';
import { systemRandom } from '../../crypto/random';
import { type ApprovedKeys, openApproval, sealApproval, sealKeyPairOf } from '../../identity/approval';
import type { ApprovalCode } from '../../identity/approvalCode';
import { issueCredential, readCredential } from '../../identity/deviceCredential';
import type { KeyChain } from '../../keylog/chain';
import {
  type EntryPlace,
  EntryType,
  hashOf,
  type KeyLogEntry,
  makeDeviceAdded,
  makeIdentity,
  makeIdentityReset,
  readEntry,
} from '../../keylog/entry';
import { equalBytes, toBase64, toHex } from '../../protocol/bytes';
import { ErrorCode, isCode, localError } from '../../protocol/errors';
import { ActionError } from '../../state/contract';
import type { OwnKeysRecord } from '../../storage/records';
import type { Core } from '../core';
import type { KeyAlarms } from './alarms';
import type { KeyLogFollower } from './follower';
import type { PeopleKeys } from './peopleKeys';

/** Other devices may add to the chain at the same moment; more often than this it cannot be chance. */
const attempts = 8;
const keyBytes = 32;
const place = 'own';
const none: OwnKeysRecord = {
  identitySeed: null,
  rootSecret: null,
  archiveKey: null,
  approvalKey: null,
  posted: [],
  approved: [],
};

/**
 * The account's own chain: begun by its first device, gone on with by every device that has the identity key, and watched.
 * An entry that nobody expects here raises an alarm.
 */
export class OwnKeys {
  #record: OwnKeysRecord = none;
  /** Called when this device has become one that others let in. */
  onApproved: () => void = () => undefined;
  onChange: () => void = () => undefined;

  constructor(
    readonly core: Core,
    readonly log: KeyLogFollower,
    readonly people: PeopleKeys,
    readonly alarms: KeyAlarms,
  ) {}

  async load(): Promise<void> {
    this.#record = (await this.core.db.keys<OwnKeysRecord>(place)) ?? none;
  }

  get record(): OwnKeysRecord {
    return this.#record;
  }

  /** The account's chain as it was checked last; null before the first look, or where there is none. */
  get chain(): KeyChain | null {
    const account = this.core.deviceOrNull?.account;
    return account === undefined ? null : this.people.chainOf(account);
  }

  async write(change: Partial<OwnKeysRecord>): Promise<void> {
    const value = { ...this.#record, ...change };
    await this.core.write([{ put: 'keys', id: place, value }], 'strict');
    this.#record = value;
  }

  /**
   * Brings the device into its account's chain where it can, and looks whether somebody else has added to it.
   * @returns whether the device is in the chain
   * @throws ActionError where the server cannot be reached
   */
  ensure(): Promise<boolean> {
    return this.#inTurn(async () => {
      const chain = await this.#follow();
      return chain ? this.#enter(chain) : false;
    });
  }

  /**
   * Adds entries of this device's making, each made for its place.
   * @param make of the chain as it stands, and the seed; none change nothing
   * @throws ActionError `device_not_approved`, `key_entry_invalid`, among others
   */
  change(make: (chain: KeyChain, identitySeed: Uint8Array) => KeyLogEntry[]): Promise<void> {
    return this.#inTurn(async () => {
      const chain = await this.#require();
      const seed = this.requireSeed(chain);
      const entries = make(chain, seed);
      if (entries.length > 0) {
        await this.#post(entries);
      }
    });
  }

  /**
   * Begins the account's identity anew, without the old key: all other devices are revoked, and everybody has to accept
   * the new one.
   */
  reset(): Promise<void> {
    return this.#inTurn(async () => {
      const chain = await this.#require();
      const identitySeed = systemRandom(keyBytes);
      const first = makeIdentityReset(chain.next, identitySeed);
      // Kept before the server hears of its public half: whoever dies in between goes on with it.
      await this.write({ ...none, identitySeed });
      await this.#post([first, this.#deviceAdded(after(first), identitySeed)]);
      await this.#certify(identitySeed);
    });
  }

  /**
   * Takes the keys that another device or the PIN has brought, where they are the account's.
   * @returns whether they are, and the device is in the chain now
   */
  async take(keys: ApprovedKeys): Promise<boolean> {
    const isTaken = await this.#inTurn(async () => {
      const chain = await this.#follow();
      if (!chain?.identityKey || !equalBytes(chain.identityKey, publicKeyOf(keys.identitySeed))) {
        return false;
      }
      const { identitySeed, rootSecret, archiveKey } = keys;
      await this.write({ identitySeed, rootSecret, archiveKey, approvalKey: null });
      return true;
    });
    return isTaken && this.ensure();
  }

  /** What a device that waits makes for others to approve it with; null once it is approved. */
  code(): ApprovalCode | null {
    const { approvalKey, identitySeed } = this.#record;
    const { account, device, publicKey } = this.core.device;
    return approvalKey && !identitySeed
      ? { account, device, deviceKey: publicKey, sealKey: sealKeyPairOf(approvalKey).publicKey }
      : null;
  }

  /** An approval that came for this device; anything else is passed over. */
  async takeApproval(body: Uint8Array): Promise<boolean> {
    const { approvalKey, identitySeed } = this.#record;
    const identityKey = (await this.#inTurn(() => this.#follow()))?.identityKey;
    if (!approvalKey || identitySeed || !identityKey) {
      return false;
    }
    const opened = await openApproval(body, this.core.device, sealKeyPairOf(approvalKey), identityKey);
    return 'keys' in opened ? this.take(opened.keys) : false;
  }

  /** Seals the account's keys for a device that shows a code, whose adding itself is then expected. */
  async approval(code: ApprovalCode): Promise<Uint8Array> {
    const { identitySeed, rootSecret, archiveKey, approved } = this.#record;
    if (!identitySeed) {
      throw notApproved();
    }
    const sealed = await sealApproval(code, { identitySeed, rootSecret, archiveKey });
    await this.write({ approved: [...approved, code.device] });
    return sealed;
  }

  /** @throws ActionError `device_not_approved` where this device does not hold the key in force */
  requireSeed(chain: KeyChain | null): Uint8Array {
    const { identitySeed } = this.#record;
    if (!identitySeed || !chain?.identityKey || !equalBytes(chain.identityKey, publicKeyOf(identitySeed))) {
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
    // A device that sees the chain for the first time, or is not in it, has nothing to compare it with.
    if (known.length > 0 && this.#record.identitySeed) {
      const foreign = followed.entries.slice(known.length).filter((entry) => !this.#isExpected(entry));
      if (foreign.length > 0) {
        await this.alarms.raise('ownKeysChanged', account, foreign.map(toBase64));
      }
    }
    await this.people.put(followed.chain, followed.entries);
    this.onChange();
    return followed.chain;
  }

  #isExpected(encoding: Uint8Array): boolean {
    if (this.#record.posted.includes(hashText(encoding))) {
      return true;
    }
    const read = readEntry(encoding);
    return (
      'entry' in read &&
      read.entry.type === EntryType.deviceAdded &&
      this.#record.approved.includes(read.entry.device ?? '')
    );
  }

  async #enter(chain: KeyChain): Promise<boolean> {
    const { device, publicKey } = this.core.device;
    if (!this.#record.identitySeed) {
      if (chain.length > 0) {
        if (!this.#record.approvalKey) {
          await this.write({ approvalKey: systemRandom(keyBytes) });
        }
        this.onChange();
        return false;
      }
      await this.write({ identitySeed: systemRandom(keyBytes) });
    }
    const seed = this.#record.identitySeed as Uint8Array;
    if (!chain.hasDevice(device, publicKey)) {
      const entries: KeyLogEntry[] = [];
      let next = chain.next;
      if (chain.length === 0) {
        const first = makeIdentity(next, seed, seed);
        entries.push(first);
        next = after(first);
      } else if (!chain.identityKey || !equalBytes(chain.identityKey, publicKeyOf(seed))) {
        // The account has another identity by now, of which this device knows nothing.
        await this.write({ ...none, approvalKey: systemRandom(keyBytes) });
        await this.core.updateDevice({ credential: null });
        this.onChange();
        return false;
      }
      entries.push(this.#deviceAdded(next, seed));
      await this.#post(entries);
    }
    await this.#certify(seed);
    return true;
  }

  #deviceAdded(next: EntryPlace, seed: Uint8Array): KeyLogEntry {
    const { device, privateKey } = this.core.device;
    return makeDeviceAdded(next, device, privateKey, seed);
  }

  /** What is posted is noted before, so that nobody takes it for somebody else's. */
  async #post(entries: KeyLogEntry[]): Promise<void> {
    await this.write({ posted: entries.map((entry) => hashText(entry.encoding)) });
    await this.core.api.appendKeys(entries.map((entry) => toBase64(entry.encoding)));
    if (!(await this.#follow())) {
      throw localError('keys_untrue', false);
    }
  }

  async #certify(seed: Uint8Array): Promise<void> {
    const { account, device, publicKey, credential } = this.core.device;
    const known = credential ? readCredential(credential) : null;
    if (!known || !equalBytes(known.identityKey, publicKeyOf(seed))) {
      const issued = issueCredential(seed, account, device, publicKey);
      // Key packages of before are of no use to anybody now, the last resort first of all.
      await this.core.updateDevice({ credential: issued, lastResortUntilMs: 0 });
      this.onChange();
      this.onApproved();
    }
  }
}

export function notApproved(): ActionError {
  return new ActionError({ code: ErrorCode.deviceNotApproved, name: 'device_not_approved', retryable: false });
}

function after(entry: KeyLogEntry): EntryPlace {
  return { account: entry.account, sequence: entry.sequence + 1, previousHash: hashOf(entry) };
}

function hashText(encoding: Uint8Array): string {
  return toHex(sha256(encoding));
}
