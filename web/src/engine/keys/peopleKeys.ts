import type { ShownLeaf } from '../../crypto/port';
import type { KeyChain } from '../../keylog/chain';
import { equalBytes, toBase64 } from '../../protocol/bytes';
import { ErrorCode, isCode, localError } from '../../protocol/errors';
import { ActionError } from '../../state/contract';
import type { GroupRecord, PersonKeysRecord } from '../../storage/records';
import type { Core } from '../core';
import type { KeyAlarms } from './alarms';
import { evidenceOf, isLogged, isSameLeaf } from './chainKeys';
import { type KeyLogFollower, restoreChain } from './follower';

/** Chains of people are looked at once a day, and when something about them changed. */
const checkAgainMs = 24 * 3600_000;
/** When their conversation is opened, what is older than this is looked at again. */
const lookAgainMs = 10 * 60_000;
/** In a larger group, opening it asks for nobody: the daily look does. */
const mostLookedAt = 20;
/** So many devices that a chain has not are kept of one person: more make it no worse. */
const mostUnlogged = 64;
/** The least number of looks in vain for an alarm: a browser that was closed for a day has not asked for a day. */
const triesInVain = 3;
/** Whoever has shown a certificate is in the log: a server with nothing to hide shows the chain within less. */
const shownMs = 24 * 3600_000;
/** A browser may stay connected for days: a chain that was not shown is asked for again this much later. */
const askAgainMs = 3600_000;
const prefix = 'of/';

/**
 * Whose identity key is whose, as far as this device knows. The first one that somebody shows is accepted; another one
 * later stops what is sent and paid to them until it is accepted too.
 */
export class PeopleKeys {
  readonly #people = new Map<string, PersonKeysRecord>();
  readonly #chains = new Map<string, { entries: Uint8Array[]; chain: KeyChain }>();
  readonly #due = new Set<string>();
  #checking = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Whose strangers are in a group, as of a change of what is known of people: it is asked at every turn. */
  readonly #strangers = new WeakMap<readonly ShownLeaf[], { asOf: number; accounts: string[] }>();
  #changes = 0;
  /** Told of a device that says it is of the own account, and that the account's chain does not have so. */
  onStranger: (leaf: ShownLeaf) => void = () => undefined;
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

  /**
   * Whether a leaf is its account's, or not known not to be: its chain has the device so, or there is no chain here yet. A leaf
   * without a certificate is from before there was a chain.
   */
  isOf(leaf: ShownLeaf): boolean {
    const chain = this.chainOf(leaf.account);
    return !leaf.identityKey || !chain || isLogged(chain, leaf);
  }

  /**
   * The accounts in whose name there is a device in a group that their chain has not. To accept what they show lets nobody
   * in who is not theirs: nothing is said beside it until it is gone. A device of theirs may put it out, anybody may once the
   * server takes it for leaving, and the owner of a group may put their whole account out.
   */
  strangersIn(leaves: readonly ShownLeaf[]): string[] {
    const known = this.#strangers.get(leaves);
    if (known?.asOf === this.#changes) {
      return known.accounts;
    }
    const accounts = [...new Set(leaves.filter((leaf) => !this.isOf(leaf)).map((leaf) => leaf.account))];
    this.#strangers.set(leaves, { asOf: this.#changes, accounts });
    return accounts;
  }

  /** Those of the leaves that their accounts' chains have not so as far as they are known here, and that nobody looked for yet. */
  unknown(leaves: readonly ShownLeaf[]): ShownLeaf[] {
    return leaves.filter((leaf) => !this.isOf(leaf) && !this.#isNoted(leaf));
  }

  #isNoted(leaf: ShownLeaf): boolean {
    const { unlogged = [] } = this.find(leaf.account);
    const isOwn = leaf.account === this.core.deviceOrNull?.account;
    return !isOwn && (unlogged.length >= mostUnlogged || unlogged.some((one) => isSameLeaf(one, leaf)));
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

  /** Whether somebody has a device in their name that their chain has not. */
  hasUnlogged(account: string): boolean {
    return hasUnlogged(this.find(account));
  }

  /** Looks at the devices of a group that was written: each shows the identity key that vouches for it. */
  see({ leaves }: GroupRecord): void {
    const changed = new Set<string>();
    const me = this.core.deviceOrNull?.account;
    for (const leaf of leaves) {
      if (leaf.account === me) {
        if (!this.isOf(leaf)) {
          this.onStranger(leaf);
        }
      } else if (this.#see(leaf)) {
        changed.add(leaf.account);
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
   * key than the one that was accepted, nor where the log has not this device, or has seen it go.
   */
  mayAdd(leaf: ShownLeaf): boolean {
    const { account, device } = leaf;
    const chain = this.chainOf(account);
    if (chain?.isRevoked(device)) {
      return false;
    }
    if (account === this.core.deviceOrNull?.account) {
      return chain !== null && isLogged(chain, leaf);
    }
    if (this.#see(leaf)) {
      void this.#keep(account).catch(() => undefined);
      this.#checkDue();
    }
    return !this.isChanged(account);
  }

  /** Notes somebody else's device that is not logged, with the key it shows. Returns whether that is news. */
  #see(leaf: ShownLeaf): boolean {
    const { account, device, signatureKey, identityKey } = leaf;
    const chain = this.chainOf(account);
    if (!identityKey || (chain && isLogged(chain, leaf))) {
      // Or under an earlier key of a chain that goes on: the device has not shown its new certificate yet.
      return false;
    }
    const person = this.find(account);
    let next = person;
    const isSeen = person.seenKey !== null && equalBytes(person.seenKey, identityKey);
    if (!isSeen && !chain?.hasIdentityKey(identityKey)) {
      next = { ...next, seenKey: identityKey, acceptedKey: person.acceptedKey ?? identityKey };
      // Whoever has shown a certificate once has no devices without, whatever the log is said to know.
      void this.core.mls.requireCertificates([account]).catch(() => undefined);
    }
    if (!this.#isNoted(leaf)) {
      next = { ...next, unlogged: [...(person.unlogged ?? []), { account, device, signatureKey, identityKey }] };
    }
    if (next === person) {
      return false;
    }
    this.#hold(next);
    this.#due.add(account);
    return true;
  }

  /**
   * Leaves of somebody else whose chain has them not, as far as it is known here: it is looked at, and what it has not either
   * stops what goes to them. Where it cannot be looked at now, that does too, until it can.
   * @param check looks at the chain; false where it could not
   */
  async lookAt(account: string, leaves: readonly ShownLeaf[], check: () => Promise<boolean>): Promise<void> {
    const isSeen = await check();
    if (leaves.filter((leaf) => this.#see(leaf)).length > 0) {
      await this.#keep(account);
    }
    if (isSeen) {
      await this.#alarm(account);
    }
  }

  /** Devices that the chain has not, under a key that it has: for another key there is an alarm already. */
  async #alarm(account: string): Promise<void> {
    const chain = this.chainOf(account);
    for (const leaf of this.find(account).unlogged ?? []) {
      if (leaf.identityKey && chain?.hasIdentityKey(leaf.identityKey)) {
        await this.alarms.raise('identityUnlogged', account, evidenceOf(leaf));
      }
    }
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
      if (chain.identityKey && (!seenKey || chain.hasIdentityKey(seenKey) || this.#isReplaced(person, chain))) {
        seenKey = chain.identityKey;
      }
      const acceptedKey = person.acceptedKey ?? seenKey;
      const unlogged = (person.unlogged ?? []).filter((leaf) => !isLogged(chain, leaf));
      await this.#write({ ...person, entries, seenKey, acceptedKey, unlogged, withheld: null, checkedAt: Date.now() });
    });
  }

  /**
   * Whether the log, rather than a leaf, says that somebody has another key: what it has of a leaf's key explains nothing but
   * that, for a key that no entry has brought stays unexplained by entries about other things.
   */
  #isReplaced({ account, acceptedKey }: PersonKeysRecord, { identityKey }: KeyChain): boolean {
    const before = this.chainOf(account)?.identityKey;
    const isNew = !before || !identityKey || !equalBytes(before, identityKey);
    return isNew && !(acceptedKey && identityKey && equalBytes(acceptedKey, identityKey));
  }

  /**
   * Accepts the identity key that somebody shows now. One that their chain has not is nobody's to accept unseen: what is
   * accepted then is the chain's, and the next leaf under the other key stops everything again. Where a device that their
   * chain has not is in a group, nothing goes there all the same (`strangersIn`).
   * @param isVerified whether safety numbers were compared
   * @param shown the key that was compared, where it is known: another one that came meanwhile is not accepted for it
   */
  accept(account: string, isVerified: boolean, shown: Uint8Array | null = null): Promise<void> {
    return this.core.queue.run(prefix + account, async () => {
      const person = this.find(account);
      if (!person.seenKey || (shown && !equalBytes(person.seenKey, shown))) {
        throw localError('not_ready', false);
      }
      const chain = this.chainOf(account);
      const isChains = chain?.hasIdentityKey(person.seenKey) ?? true;
      const seenKey = shown || isChains ? person.seenKey : (chain?.identityKey ?? person.seenKey);
      const isSame = person.acceptedKey !== null && equalBytes(person.acceptedKey, seenKey);
      const verified = isVerified || (person.verified && isSame);
      // The numbers that were compared say nothing of a device.
      const unlogged = shown ? (person.unlogged ?? []) : [];
      await this.#write({ ...person, seenKey, acceptedKey: seenKey, verified, unlogged });
    });
  }

  /** Takes the mark away; the key stays the accepted one. */
  unverify(account: string): Promise<void> {
    return this.core.queue.run(prefix + account, () => this.#write({ ...this.find(account), verified: false }));
  }

  /**
   * Brings somebody's chain up to date with the log.
   * @throws ActionError where the server cannot be reached, or does not show that person's keys
   */
  async check(account: string): Promise<void> {
    const { entries, seenKey } = this.find(account);
    const before = this.chainOf(account);
    const followed = await this.log.follow(account, entries);
    if (!followed) {
      return;
    }
    await this.put(followed.chain, followed.entries);
    // One that a reset has just taken the place of is no lie; one that was never in the chain is.
    if (seenKey && !followed.chain.hasIdentityKey(seenKey) && !before?.hasIdentityKey(seenKey)) {
      await this.alarms.raise('identityUnlogged', account, [toBase64(seenKey)]);
    }
    await this.#alarm(account);
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
    for (const person of this.#people.values()) {
      const isDue = Date.now() - person.checkedAt > checkAgainMs || (person.unlogged ?? []).length > 0;
      if ((isDue || isUnseen(person)) && person.account !== this.core.deviceOrNull?.account) {
        this.#due.add(person.account);
      }
    }
    this.#checkDue();
  }

  stop(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
    }
  }

  #checkDue(): void {
    if (this.#due.size > 0 && !this.#checking && !this.core.stopped) {
      this.#checking = true;
      void this.#run()
        .catch(() => undefined)
        .finally(() => {
          this.#checking = false;
        });
    }
  }

  async #run(): Promise<void> {
    let isRefused = false;
    for (const account of this.#due) {
      if (this.core.stopped) {
        return;
      }
      if (isRefused && !isUnseen(this.find(account))) {
        // With the next look. Who is not shown at all is asked for in any case, or others could be refused for it.
        continue;
      }
      this.#due.delete(account);
      try {
        await this.check(account);
      } catch (thrown) {
        if (!(thrown instanceof ActionError) || !this.core.online) {
          // There is no connection: the next greeting looks again.
          return;
        }
        // Where no conversation is shared any more, a chain is shown to nobody.
        isRefused ||= !isCode(thrown, ErrorCode.accountUnknown);
        await this.#noteUnseen(account);
      }
    }
  }

  /**
   * Counts a look in vain, and tells of it when that has gone on for a day. An empty chain behind a key that was seen raises an
   * alarm at once. So a server that vouches for a device of its own at first contact has something to win by showing none at
   * all, with which the key could be compared. Nothing stops for it, as one that is overloaded shows none for a while either.
   * Told once it begins again, for whoever dismisses the alarm.
   */
  async #noteUnseen(account: string): Promise<void> {
    const overdue = await this.core.queue.run(prefix + account, async () => {
      const person = this.find(account);
      if (isUnseen(person)) {
        this.#askLater();
      }
      const isWithheld = isUnseen(person) && this.#isShared(account);
      if (!isWithheld && !person.withheld) {
        return null;
      }
      const { since, tries } = person.withheld ?? { since: Date.now(), tries: 0 };
      const isOverdue = isWithheld && tries + 1 >= triesInVain && Date.now() - since >= shownMs;
      const withheld = isWithheld && !isOverdue ? { since, tries: tries + 1 } : null;
      await this.#write({ ...person, withheld });
      return isOverdue ? person.seenKey : null;
    });
    if (overdue) {
      await this.alarms.raiseOnce('chainWithheld', account, [toBase64(overdue)]);
    }
  }

  #isShared(account: string): boolean {
    return [...this.core.conversations.values()].some(
      ({ active, members }) => active && members.some((member) => member.account === account),
    );
  }

  #askLater(): void {
    if (!this.core.stopped && this.#timer === null) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.checkDue();
      }, askAgainMs);
    }
  }

  #hold(value: PersonKeysRecord): void {
    this.#people.set(value.account, value);
    this.#changes++;
  }

  async #write(value: PersonKeysRecord): Promise<void> {
    await this.core.write([{ put: 'keys', id: prefix + value.account, value }]);
    this.#hold(value);
    this.onChange(value.account);
  }
}

/** Another identity key than the accepted one, or a device that their chain has not. */
function isChanged(person: PersonKeysRecord): boolean {
  const { seenKey, acceptedKey } = person;
  return hasUnlogged(person) || (seenKey !== null && acceptedKey !== null && !equalBytes(seenKey, acceptedKey));
}

function hasUnlogged({ entries, unlogged = [] }: PersonKeysRecord): boolean {
  return entries.length > 0 && unlogged.length > 0;
}

/** Whether somebody has shown a key, and the server nothing that it could be compared with. */
function isUnseen({ seenKey, entries }: PersonKeysRecord): boolean {
  return seenKey !== null && entries.length === 0;
}
