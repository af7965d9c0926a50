import type { ShownLeaf } from '../../crypto/port';
import { encodeApprovalCode, readApprovalCode, refuseApproval } from '../../identity/approvalCode';
import { compareSafetyCode, type SafetySide, safetyCode, safetyNumber } from '../../identity/safetyNumber';
import { EntryType, makeDeviceRevoked, readEntry } from '../../keylog/entry';
import { delay, fullJitterMs } from '../../net/jitter';
import { equalBytes, fromBase64, sha256, toBase64, toHex } from '../../protocol/bytes';
import { isTransient, localError } from '../../protocol/errors';
import { uuidv7 } from '../../protocol/ids';
import type { DeviceView, KeysSignal } from '../../protocol/wire';
import {
  type AccountSecurity,
  type ActionError,
  isLost,
  type KeyAlarm,
  type KeyAlarmKind,
  type KeyChange,
  type LyingRealm,
  type PersonKeys,
  type PinState,
  type SafetyScan,
} from '../../state/contract';
import type { GroupRecord, KeyAlarmRecord } from '../../storage/records';
import type { Core } from '../core';
import { KeyAlarms } from './alarms';
import { evidenceOf } from './chainKeys';
import { KeyLogFollower } from './follower';
import { Gossip } from './gossip';
import { LedgerFollower } from './ledgerFollower';
import { notApproved, OwnKeys } from './ownKeys';
import { PeopleKeys } from './peopleKeys';
import { type PinOptions, Pins } from './pins';
import { VaultWatch } from './vaultWatch';

/** So often a chain is asked for before a leaf is judged: whoever reads the log waits for it. */
const looks = 3;

/** Everything that a device knows of identity keys: its account's own, other people's, and the log. */
export class DeviceKeys {
  readonly alarms: KeyAlarms;
  readonly log: KeyLogFollower;
  readonly ledger: LedgerFollower;
  readonly own: OwnKeys;
  readonly people: PeopleKeys;
  readonly pins: Pins;
  readonly vault: VaultWatch;
  readonly gossip: Gossip;

  constructor(
    readonly core: Core,
    pinOptions: PinOptions = {},
  ) {
    this.alarms = new KeyAlarms(core);
    this.log = new KeyLogFollower(core, this.alarms);
    this.ledger = new LedgerFollower(core, this.alarms);
    this.people = new PeopleKeys(core, this.log, this.alarms);
    this.own = new OwnKeys(core, this.log, this.people, this.alarms);
    this.gossip = new Gossip(core, this.log, this.alarms);
    this.pins = new Pins(core, this.own, pinOptions);
    this.vault = new VaultWatch(core, this.pins, this.alarms);
    core.groupSeen = (group) => this.people.see(group);
    this.people.onStranger = (leaf) => void this.#lookAtOwn([leaf]).catch(() => undefined);
  }

  async load(): Promise<void> {
    await Promise.all([this.alarms.load(), this.log.load(), this.own.load(), this.people.load(), this.vault.load()]);
  }

  stop(): void {
    this.own.stop();
    this.pins.stop();
    this.vault.stop();
    this.gossip.stop();
    this.people.stop();
  }

  /** Whether the account's identity key vouches for this device, so that others let it in. */
  get isApproved(): boolean {
    return this.core.deviceOrNull?.credential != null;
  }

  /** Looks at the own chain, and at those of people who are due. @throws ActionError where there is no connection */
  async watch(): Promise<void> {
    await this.own.ensure();
    this.people.checkDue();
    void this.gossip.tryAgain().catch(() => undefined);
    if (this.isApproved) {
      // Where it cannot be done now, the next look tries again.
      await this.pins.settle().catch(() => undefined);
      await this.vault.look();
    }
  }

  /** A hint of the server's: the own chain grew, or something happened to the PIN. */
  async heard(signal: KeysSignal): Promise<void> {
    if (signal.length > 0) {
      await this.own.ensure();
      await this.pins.settle().catch(() => undefined);
    }
    await this.vault.heard(signal);
  }

  /**
   * Somebody shows a device that their chain has not, or another key, as far as it is known here: they may have added or
   * replaced it since. So the chain is looked at, and only what it has not either raises an alarm.
   */
  async lookAt(leaves: readonly ShownLeaf[]): Promise<void> {
    const unknown = this.people.unknown(leaves);
    for (const account of new Set(unknown.map((leaf) => leaf.account))) {
      const some = unknown.filter((leaf) => leaf.account === account);
      await (account === this.core.device.account
        ? this.#lookAtOwn(some)
        : this.people.lookAt(account, some, () => this.#look(() => this.people.check(account))));
    }
  }

  /** A device says that it is of the own account: the chain may have gone on, or it is not. */
  async #lookAtOwn(leaves: readonly ShownLeaf[]): Promise<void> {
    await this.#look(() => this.own.ensure());
    for (const leaf of leaves.filter((one) => !this.people.isOf(one))) {
      await this.alarms.raise('identityUnlogged', leaf.account, evidenceOf(leaf));
    }
  }

  /** Whether it could be looked at; where not, what is known by now decides. */
  async #look(ask: () => Promise<unknown>): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        await ask();
        return true;
      } catch (thrown) {
        if (!isTransient(thrown) || !this.core.online || attempt >= looks) {
          return false;
        }
        await delay(fullJitterMs(attempt, 100, 2000));
      }
    }
  }

  /** Whether somebody vouches for a device of this very account who is not its person. */
  hasStranger(leaves: readonly ShownLeaf[]): boolean {
    return this.people.strangersIn(leaves).some((account) => account === this.core.deviceOrNull?.account);
  }

  /** Why nothing may go to a conversation now; null where it may. */
  refusal(conversation: string, group: GroupRecord | null): ActionError | null {
    if (this.hasStranger(group?.leaves ?? [])) {
      return localError('own_device_unlogged', false);
    }
    const members = this.core.conversations.get(conversation)?.members ?? [];
    const accounts = this.people.blocked(members.map((member) => member.account));
    if (accounts.length > 0) {
      return localError('identity_changed', false, { accounts });
    }
    const strangers = this.people.strangersIn(group?.leaves ?? []);
    return strangers.length > 0 ? localError('device_unlogged', false, { accounts: strangers }) : null;
  }

  /** @throws ActionError `identity_changed`: somebody has to be accepted first; `device_unlogged`; `own_device_unlogged` */
  async requireAccepted(conversation: string): Promise<void> {
    const refusal = this.refusal(conversation, await this.core.group(conversation));
    if (refusal) {
      throw refusal;
    }
  }

  /**
   * Looks at the devices of key packages before they are added anywhere.
   * @param shown null for one that does not say whose it is: the group refuses it
   * @throws ActionError `identity_changed` where one is not to be let into a group
   */
  async requireAddable(shown: readonly (ShownLeaf | null)[]): Promise<void> {
    // Whether one needs a certificate at all is the group's to ask.
    const leaves = shown.filter((leaf) => leaf?.identityKey != null) as ShownLeaf[];
    await this.lookAt(leaves);
    for (const leaf of leaves) {
      if (!this.people.mayAdd(leaf)) {
        throw localError('identity_changed', false, { accounts: [leaf.account] });
      }
    }
  }

  get #pinState(): PinState {
    if (!this.pins.isSet) {
      return 'none';
    }
    // A device that waits for the PIN asks for it all the same: what it says then is what the realms say then.
    const hasLost = this.isApproved && isLost(this.vault.loss);
    return this.own.record.isPinVoid ? 'void' : hasLost ? 'lost' : 'set';
  }

  get security(): Omit<AccountSecurity, 'renewal' | 'archive' | 'payPin'> {
    const { chain, record } = this.own;
    const { log } = this.log;
    const isWaiting = chain !== null && !this.isApproved && record.approvalKey !== null;
    return {
      standing: this.isApproved ? 'approved' : isWaiting ? 'waiting' : 'pending',
      isBehind: this.own.isBehind,
      pin: this.#pinState,
      pinLoss: this.isApproved && this.#pinState !== 'void' ? this.vault.loss : null,
      isElsewhere: this.isApproved && this.vault.isElsewhere,
      knowsPin: record.rootSecret !== null && !record.rootDue,
      codes: this.own.codes,
      identityKey: chain?.identityKey ? toHex(chain.identityKey) : null,
      devices: chain?.devices.size ?? 0,
      log: log && log.size > 0 ? { origin: log.origin, size: log.size, checkedAt: log.checkedAt } : null,
      vaultNews: this.vault.news,
      alarms: this.alarms.list.map(describeAlarm),
    };
  }

  // Devices of the own account.

  /** What another device of the account approves this one by; null while it has the account's keys. */
  async approvalCode(): Promise<string | null> {
    if (this.own.holdsKey || (await this.own.ensure())) {
      return null;
    }
    const code = this.own.code();
    return code && encodeApprovalCode(code);
  }

  /** Which device a code is of, for the question that is asked. @throws ActionError `code_invalid` */
  async readCode(text: string): Promise<DeviceView> {
    const code = readApprovalCode(text);
    if (!code) {
      throw localError('code_invalid', false);
    }
    const devices = await this.core.api.devices();
    const listed = devices.map(({ id, signatureKey }) => ({
      id,
      signatureKey: fromBase64(signatureKey),
      revoked: false,
    }));
    const refusal = refuseApproval(code, this.core.device, listed);
    const device = devices.find(({ id }) => id === code.device);
    if (refusal || !device) {
      throw localError('code_invalid', false, { refusal });
    }
    return device;
  }

  /** Approves another device of this account: it gets the account's keys, sealed for it alone. */
  async approve(text: string): Promise<DeviceView> {
    const device = await this.readCode(text);
    const code = readApprovalCode(text);
    if (!code) {
      throw localError('code_invalid', false);
    }
    const body = toBase64(await this.own.approval(code));
    await this.core.hub.sendToDevices({ envelopes: [{ device: device.id, body }], clientId: uuidv7() });
    return device;
  }

  /**
   * Revokes in the chain what the chain has, so that everybody sees it go.
   * @returns whether it has, or had it: of one that was never approved there is nothing to take out
   * @throws ActionError `device_not_approved` where this device may not, and there is something to take out; among others
   */
  async revokeInChain(device: string): Promise<boolean> {
    let had = false;
    if (!this.isApproved) {
      if (this.own.chain?.devices.has(device)) {
        throw notApproved();
      }
      return false;
    }
    await this.own.change((chain, seed) => {
      had = chain.devices.has(device) || chain.isRevoked(device);
      return chain.devices.has(device) ? [makeDeviceRevoked(chain.next, device, seed)] : [];
    });
    return had;
  }

  // Other people.

  /** Everything that is known of somebody's identity key, after a look at the key log. */
  async personKeys(account: string): Promise<PersonKeys> {
    await this.people.check(account).catch(() => undefined);
    const person = this.people.find(account);
    const ownKey = this.own.chain?.identityKey;
    const { seenKey } = person;
    const logged = this.people.chainOf(account)?.identityKey;
    const own = ownKey ? { account: this.core.device.account, identityKey: ownKey } : null;
    const other = seenKey ? { account, identityKey: seenKey } : null;
    return {
      account,
      state: !seenKey
        ? 'unknown'
        : this.people.isChanged(account)
          ? 'changed'
          : this.people.isVerified(account)
            ? 'verified'
            : 'accepted',
      isLogged: seenKey !== null && logged != null && equalBytes(logged, seenKey) && !this.people.hasUnlogged(account),
      safetyNumber: own && other ? await safetyNumber(own, other) : null,
      safetyCode: own && other ? safetyCode(own, other) : null,
    };
  }

  /**
   * Compares what was scanned from somebody's screen with the keys that the log shows now, and marks them as verified where
   * they are the same; else nothing is changed.
   * @throws ActionError `not_ready` where one side has no key
   */
  async scanSafety(account: string, scanned: string): Promise<SafetyScan> {
    // Of two that disagree one may only be behind.
    await Promise.all([this.people.check(account), this.own.ensure()]).catch(() => undefined);
    const { own, other } = this.#sides(account);
    const found = compareSafetyCode(scanned.trim(), own, other);
    if (found === 'match') {
      await this.people.accept(account, true, other.identityKey);
    }
    return found;
  }

  /**
   * Marks somebody's keys as verified: those whose number was shown and compared. Where other ones came meanwhile nothing is
   * changed.
   * @param shown the code that stood beside the number
   * @throws ActionError `not_ready` where one side has no key
   */
  async verifySafety(account: string, shown: string): Promise<SafetyScan> {
    const { own, other } = this.#sides(account);
    if (safetyCode(own, other) !== shown) {
      return 'mismatch';
    }
    await this.people.accept(account, true, other.identityKey);
    return 'match';
  }

  #sides(account: string): { own: SafetySide; other: SafetySide } {
    const ownKey = this.own.chain?.identityKey;
    const { seenKey } = this.people.find(account);
    if (!ownKey || !seenKey) {
      throw localError('not_ready', false);
    }
    return {
      own: { account: this.core.device.account, identityKey: ownKey },
      other: { account, identityKey: seenKey },
    };
  }

  async fingerprint(): Promise<string | null> {
    const key = this.own.chain?.identityKey;
    return key ? toHex(await sha256(key)) : null;
  }
}

const ofDevice: ReadonlySet<KeyAlarmKind> = new Set<KeyAlarmKind>(['pinGuessed', 'pinWait', 'pinOpened']);

function describeAlarm({ number, kind, at, account, evidence }: KeyAlarmRecord): KeyAlarm {
  const changes = kind === 'ownKeysChanged' ? evidence.map(changeOf).filter((change) => change !== null) : [];
  const device = ofDevice.has(kind) ? (evidence[0] ?? null) : null;
  const realms = kind === 'realmLied' ? { realms: evidence.map((liar): LyingRealm => JSON.parse(liar)) } : {};
  return { number, kind, at, account, device, changes, ...realms };
}

const kinds = {
  [EntryType.identity]: 'identity',
  [EntryType.identityReset]: 'identityReset',
  [EntryType.deviceAdded]: 'deviceAdded',
  [EntryType.deviceRevoked]: 'deviceRevoked',
  [EntryType.vaultConfigured]: 'pin',
} as const;

function changeOf(evidence: string): KeyChange | null {
  const read = readEntry(fromBase64(evidence));
  return 'entry' in read ? { kind: kinds[read.entry.type], device: read.entry.device } : null;
}
