import { encodeApprovalCode, readApprovalCode, refuseApproval } from '../../identity/approvalCode';
import { compareSafetyCode, safetyCode, safetyNumber } from '../../identity/safetyNumber';
import { EntryType, makeDeviceRevoked, readEntry } from '../../keylog/entry';
import { equalBytes, fromBase64, sha256, toBase64, toHex } from '../../protocol/bytes';
import { localError } from '../../protocol/errors';
import { uuidv7 } from '../../protocol/ids';
import type { DeviceView, KeysSignal } from '../../protocol/wire';
import type { AccountSecurity, KeyAlarm, KeyChange, PersonKeys, SafetyScan } from '../../state/contract';
import type { KeyAlarmRecord } from '../../storage/records';
import type { Core } from '../core';
import { KeyAlarms } from './alarms';
import { KeyLogFollower } from './follower';
import { Gossip } from './gossip';
import { OwnKeys } from './ownKeys';
import { PeopleKeys } from './peopleKeys';
import { type PinOptions, Pins } from './pins';
import { VaultWatch } from './vaultWatch';

/** Everything that a device knows of identity keys: its account's own, other people's, and the log. */
export class DeviceKeys {
  readonly alarms: KeyAlarms;
  readonly log: KeyLogFollower;
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
    this.people = new PeopleKeys(core, this.log, this.alarms);
    this.own = new OwnKeys(core, this.log, this.people, this.alarms);
    this.gossip = new Gossip(core, this.log);
    this.pins = new Pins(core, this.own, pinOptions);
    this.vault = new VaultWatch(core, this.pins, this.alarms);
    core.groupSeen = (group) => this.people.see(group);
    this.people.onStranger = (key) => void this.#lookAt(key).catch(() => undefined);
  }

  async load(): Promise<void> {
    await Promise.all([this.alarms.load(), this.log.load(), this.own.load(), this.people.load(), this.vault.load()]);
  }

  stop(): void {
    this.own.stop();
    this.pins.stop();
  }

  /** Whether the account's identity key vouches for this device, so that others let it in. */
  get isApproved(): boolean {
    return this.core.deviceOrNull?.credential != null;
  }

  /** Looks at the own chain, and at those of people who are due. @throws ActionError where there is no connection */
  async watch(): Promise<void> {
    await this.own.ensure();
    this.people.checkDue();
    if (this.isApproved) {
      await this.vault.look();
    }
  }

  /** A hint of the server's: the own chain grew, or something happened to the PIN. */
  async heard(signal: KeysSignal): Promise<void> {
    if (signal.length > 0) {
      await this.own.ensure();
    }
    await this.vault.heard(signal);
  }

  /** A device says that it is of the own account: the chain may have gone on, or it is not. */
  async #lookAt(key: Uint8Array): Promise<void> {
    const { account } = this.core.device;
    await this.own.ensure();
    if (!this.people.isInChain(account, key)) {
      await this.alarms.raise('identityUnlogged', account, [toBase64(key)]);
    }
  }

  /** @throws ActionError `identity_changed`: somebody has to be accepted first */
  requireAccepted(conversation: string): void {
    const members = this.core.conversations.get(conversation)?.members ?? [];
    const blocked = this.people.blocked(members.map((member) => member.account));
    if (blocked.length > 0) {
      throw localError('identity_changed', false, { accounts: blocked });
    }
  }

  /** @throws ActionError `identity_changed` where a device is not to be let into a group */
  requireAddable(account: string, device: string, identityKey: Uint8Array | null): void {
    // Whether it needs a certificate at all is the group's to ask.
    if (identityKey && !this.people.mayAdd(account, device, identityKey)) {
      throw localError('identity_changed', false, { accounts: [account] });
    }
  }

  get security(): Omit<AccountSecurity, 'renewal' | 'archive'> {
    const { chain, record } = this.own;
    const { log } = this.log;
    const isWaiting = chain !== null && !this.isApproved && record.approvalKey !== null;
    return {
      standing: this.isApproved ? 'approved' : isWaiting ? 'waiting' : 'pending',
      isBehind: this.own.isBehind,
      hasPin: this.pins.isSet,
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

  /** Revokes in the chain what the chain has, so that everybody sees it go. */
  async revokeInChain(device: string): Promise<void> {
    if (this.isApproved) {
      await this.own.change((chain, seed) =>
        chain.devices.has(device) ? [makeDeviceRevoked(chain.next, device, seed)] : [],
      );
    }
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
      isLogged: seenKey !== null && logged != null && equalBytes(logged, seenKey),
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
    const ownKey = this.own.chain?.identityKey;
    const { seenKey } = this.people.find(account);
    if (!ownKey || !seenKey) {
      throw localError('not_ready', false);
    }
    const own = { account: this.core.device.account, identityKey: ownKey };
    const found = compareSafetyCode(scanned.trim(), own, { account, identityKey: seenKey });
    if (found === 'match') {
      await this.people.accept(account, true, seenKey);
    }
    return found;
  }

  async fingerprint(): Promise<string | null> {
    const key = this.own.chain?.identityKey;
    return key ? toHex(await sha256(key)) : null;
  }
}

function describeAlarm({ number, kind, at, account, evidence }: KeyAlarmRecord): KeyAlarm {
  const changes = kind === 'ownKeysChanged' ? evidence.map(changeOf).filter((change) => change !== null) : [];
  const device = kind === 'pinGuessed' || kind === 'pinWait' ? (evidence[0] ?? null) : null;
  return { number, kind, at, account, device, changes };
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
