import type { Leaf } from '../../crypto/port';
import type { KeyChain } from '../../keylog/chain';
import { equalBytes, toBase64 } from '../../protocol/bytes';
import { ErrorCode, isCode, localError } from '../../protocol/errors';
import type { GroupRecord, PersonKeysRecord } from '../../storage/records';
import type { Core } from '../core';
import type { KeyAlarms } from './alarms';
import { type KeyLogFollower, restoreChain } from './follower';

/** Chains of people are looked at once a day, and when something about them changed. */
const checkAgainMs = 24 * 3600_000;
/** When their conversation is opened, what is older than this is looked at again. */
const lookAgainMs = 10 * 60_000;
/** In a larger group, opening it asks for nobody: the daily look does. */
const mostLookedAt = 20;
const prefix = 'of/';

/**
 * Whose identity key is whose, as far as this device knows. The first one that somebody shows is accepted; another one
 * later stops what is sent and paid to them until it is accepted too.
 */
export class PeopleKeys {
  readonly #people = new Map<string, PersonKeysRecord>();
  readonly #chains = new Map<string, { entries: Uint8Array[]; chain: KeyChain }>();
  readonly #leaves = new Map<string, Leaf[]>();
  readonly #due = new Set<string>();
  #checking = false;
  /** Told of a device that says it is of the own account, by a key that the account's chain does not have. */
  onStranger: (identityKey: Uint8Array) => void = () => undefined;
  /** Told whose keys look different now. */
  onChange: (account: string) => void = () => undefined;

  constructor(
    readonly core: Core,
    readonly log: KeyLogFollower,
    readonly alarms: KeyAlarms,
  ) {}

  async load(): Promise<void> {
    for (const person of await this.core.db.keysUnder<PersonKeysRecord>(prefix)) {
      this.#people.set(person.account, person);
    }
    const proving = [...this.#people.values()].filter(({ entries, seenKey }) => entries.length > 0 || seenKey);
    await this.core.mls.requireCertificates(proving.map((person) => person.account));
  }

  /** What is kept of somebody; an empty record where nothing is. */
  find(account: string): PersonKeysRecord {
    const none = { account, entries: [], seenKey: null, acceptedKey: null, verified: false, checkedAt: 0 };
    return this.#people.get(account) ?? none;
  }

  /** Somebody's chain as it was checked; null where none was. */
  chainOf(account: string): KeyChain | null {
    const { entries } = this.find(account);
    if (entries.length === 0) {
      return null;
    }
    const known = this.#chains.get(account);
    if (known?.entries === entries) {
      return known.chain;
    }
    const chain = restoreChain(account, entries);
    this.#chains.set(account, { entries, chain });
    return chain;
  }

  /** Whether the account's chain has had this identity key since its last reset. */
  isInChain(account: string, key: Uint8Array): boolean {
    return this.chainOf(account)?.identityKeysSinceReset.some((known) => equalBytes(known, key)) ?? false;
  }

  isChanged(account: string): boolean {
    return isChanged(this.find(account));
  }

  isVerified(account: string): boolean {
    const person = this.find(account);
    return person.verified && !isChanged(person);
  }

  /** Those of the accounts to whom nothing may go. */
  blocked(accounts: string[]): string[] {
    return accounts.filter((account) => account !== this.core.deviceOrNull?.account && this.isChanged(account));
  }

  /** Looks at the devices of a group that was written: each shows the identity key that vouches for it. */
  see(group: GroupRecord): void {
    if (this.#leaves.get(group.conversation) === group.leaves) {
      return;
    }
    this.#leaves.set(group.conversation, group.leaves);
    const changed = new Set<string>();
    const me = this.core.deviceOrNull?.account;
    for (const { account, identityKey } of group.leaves) {
      if (identityKey && account === me) {
        if (this.chainOf(account) && !this.isInChain(account, identityKey)) {
          this.onStranger(identityKey);
        }
      } else if (identityKey && this.#seeKey(account, identityKey)) {
        changed.add(account);
      }
    }
    for (const account of changed) {
      void this.#keep(account).catch(() => undefined);
    }
    if (changed.size > 0) {
      this.#checkDue();
    }
  }

  /**
   * Looks at a device that is about to be added, as at one of a group. It may not be where its person has another identity
   * key than the one that was accepted, nor where the log has seen it go.
   */
  mayAdd(account: string, device: string, identityKey: Uint8Array): boolean {
    const chain = this.chainOf(account);
    if (chain?.isRevoked(device)) {
      return false;
    }
    if (chain && this.isInChain(account, identityKey) && !isInForce(chain, identityKey) && !chain.devices.has(device)) {
      // A replaced key vouches for the devices that were there before it was replaced, and for no new one.
      return false;
    }
    if (account === this.core.deviceOrNull?.account) {
      return this.isInChain(account, identityKey);
    }
    if (this.#seeKey(account, identityKey)) {
      void this.#keep(account).catch(() => undefined);
      this.#checkDue();
    }
    return !this.isChanged(account);
  }

  #seeKey(account: string, key: Uint8Array): boolean {
    const person = this.find(account);
    if (person.seenKey && equalBytes(person.seenKey, key)) {
      return false;
    }
    if (this.isInChain(account, key)) {
      // An earlier key of a chain that goes on: the device has not shown its new certificate yet.
      return false;
    }
    this.#people.set(account, { ...person, seenKey: key, acceptedKey: person.acceptedKey ?? key });
    this.#due.add(account);
    // Whoever has shown a certificate once has no devices without, whatever the log is said to know.
    void this.core.mls.requireCertificates([account]).catch(() => undefined);
    return true;
  }

  #keep(account: string): Promise<void> {
    return this.core.queue.run(prefix + account, () => this.#write(this.find(account)));
  }

  /** Stores what the log says of somebody's chain. */
  async put(chain: KeyChain, entries: Uint8Array[]): Promise<void> {
    const { account } = chain;
    if (chain.length > 0) {
      await this.core.mls.requireCertificates([account]);
    }
    await this.core.queue.run(prefix + account, async () => {
      const person = this.find(account);
      let seenKey = person.seenKey;
      const isOfChain = chain.identityKeysSinceReset.some((key) => seenKey && equalBytes(key, seenKey));
      if (chain.identityKey && (!seenKey || isOfChain || entries.length > person.entries.length)) {
        seenKey = chain.identityKey;
      }
      const acceptedKey = person.acceptedKey ?? seenKey;
      await this.#write({ ...person, entries, seenKey, acceptedKey, checkedAt: Date.now() });
    });
  }

  /**
   * Accepts the identity key that somebody shows now.
   * @param isVerified whether safety numbers were compared
   * @param shown the key that was compared, where it is known: another one that came meanwhile is not accepted for it
   */
  accept(account: string, isVerified: boolean, shown: Uint8Array | null = null): Promise<void> {
    return this.core.queue.run(prefix + account, async () => {
      const person = this.find(account);
      if (!person.seenKey || (shown && !equalBytes(person.seenKey, shown))) {
        throw localError('not_ready', false);
      }
      await this.#write({ ...person, acceptedKey: person.seenKey, verified: isVerified });
    });
  }

  /**
   * Brings somebody's chain up to date with the log.
   * @throws ActionError where the server cannot be reached, or does not show that person's keys
   */
  async check(account: string): Promise<void> {
    const { entries, seenKey } = this.find(account);
    const followed = await this.log.follow(account, entries);
    if (!followed) {
      return;
    }
    await this.put(followed.chain, followed.entries);
    const isKnown = followed.chain.identityKeysSinceReset.some((key) => seenKey && equalBytes(key, seenKey));
    // One that a reset has just taken the place of is no lie; one that was never in the chain is.
    const wasKnown = restoreChain(account, entries).identityKeysSinceReset.some(
      (key) => seenKey && equalBytes(key, seenKey),
    );
    if (seenKey && !isKnown && !wasKnown) {
      await this.alarms.raise('identityUnlogged', account, [toBase64(seenKey)]);
    }
  }

  /** Somebody opens a conversation with these people. */
  look(accounts: string[]): void {
    const others = accounts.filter((account) => account !== this.core.deviceOrNull?.account);
    if (others.length <= mostLookedAt) {
      for (const account of others.filter((one) => Date.now() - this.find(one).checkedAt > lookAgainMs)) {
        this.#due.add(account);
      }
      this.#checkDue();
    }
  }

  /** Everybody who is due is looked at, one after the other, in the background. */
  checkDue(): void {
    for (const { account, checkedAt } of this.#people.values()) {
      if (Date.now() - checkedAt > checkAgainMs && account !== this.core.deviceOrNull?.account) {
        this.#due.add(account);
      }
    }
    this.#checkDue();
  }

  #checkDue(): void {
    if (this.#due.size > 0 && !this.#checking && !this.core.stopped) {
      this.#checking = true;
      void this.#run().finally(() => {
        this.#checking = false;
      });
    }
  }

  async #run(): Promise<void> {
    for (const account of this.#due) {
      if (this.core.stopped) {
        return;
      }
      this.#due.delete(account);
      try {
        await this.check(account);
      } catch (thrown) {
        // No conversation is shared any more, or there is no connection: the next greeting looks again.
        if (!isCode(thrown, ErrorCode.accountUnknown)) {
          return;
        }
      }
    }
  }

  async #write(value: PersonKeysRecord): Promise<void> {
    await this.core.write([{ put: 'keys', id: prefix + value.account, value }]);
    this.#people.set(value.account, value);
    this.onChange(value.account);
  }
}

function isChanged({ seenKey, acceptedKey }: PersonKeysRecord): boolean {
  return seenKey !== null && acceptedKey !== null && !equalBytes(seenKey, acceptedKey);
}

function isInForce(chain: KeyChain, key: Uint8Array): boolean {
  return chain.identityKey !== null && equalBytes(chain.identityKey, key);
}
