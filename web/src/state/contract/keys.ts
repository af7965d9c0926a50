import type { PayPin, PinConsent } from './payPin';

/** `changed`: shows another identity key than the accepted one, and nothing is sent or paid until it is accepted. */
export type KeyTrust = 'accepted' | 'verified' | 'changed';

export type Device = {
  id: string;
  name: string;
  fingerprint: string;
  createdAt: number;
  lastSeenAt: number;
  current: boolean;
  /** Whether the account's identity key vouches for it. */
  approved: boolean;
};

/**
 * A device of the account that the server does not list. `vouched`: the account's keys vouch for it. `unknown`: they do not,
 * and it is in conversations in the account's name. `removed`: it was removed from the keys, and is in conversations still.
 */
export type UnlistedDevice = {
  id: string;
  fingerprint: string;
  standing: 'vouched' | 'unknown' | 'removed';
  /** In how many it is. */
  conversations: number;
};

/**
 * Whether the account's identity key vouches for this device. `pending`: not known yet. `waiting`: the account has keys
 * that this device does not have; it takes part in nothing until the PIN or another device brings them.
 */
export type DeviceStanding = 'pending' | 'waiting' | 'approved';

export type KeyAlarmKind =
  /** The log has told this device, or somebody who wrote to it, another history than this one. */
  | 'logForked'
  | 'logShrunk'
  /** The server began another log: what the earlier one proved is not proved by this one. */
  | 'logReplaced'
  /** An entry is not in the log, or does not go on from the chain that was seen before. */
  | 'chainInvalid'
  /** The own account's keys were changed by something other than this device. */
  | 'ownKeysChanged'
  /** A device showed an identity key that the log does not know for its account. */
  | 'identityUnlogged'
  /** Somebody says to have seen a log that this one's key did not sign. */
  | 'logOther'
  /** The ledger log has told this device two histories by its receipts. */
  | 'ledgerForked'
  /** The server began another ledger log. */
  | 'ledgerReplaced'
  /** For a day the server has not shown whether what somebody was shown of the log goes with what this device was. */
  | 'logUnproven'
  /** For a day the server has not shown the keys of somebody whose devices show that they have some. */
  | 'chainWithheld'
  /** The PIN was guessed wrongly on another device. */
  | 'pinGuessed'
  /** Another device wants the PIN overwritten or deleted without the identity key, and waits. */
  | 'pinWait'
  /** The vault was opened with the PIN by a device that the own account's keys do not vouch for. */
  | 'pinOpened'
  /** The realms have no PIN any more that could be opened. */
  | 'pinLost'
  /** The server names other realms for the vault, or the same ones elsewhere, than those that the PIN was set at. */
  | 'realmsOther'
  /** A realm lied while others did what was asked. */
  | 'realmLied';

/** What somebody else did to the own account's keys. */
export type KeyChange = {
  kind: 'identity' | 'identityReset' | 'deviceAdded' | 'deviceRevoked' | 'pin';
  device: string | null;
};

export type KeyAlarm = {
  number: number;
  kind: KeyAlarmKind;
  at: number;
  /** Whose keys it is about; null for the log itself. */
  account: string | null;
  /** The device that did it, where one did. */
  device: string | null;
  changes: KeyChange[];
  /** The parts of the vault that did it, where they did. */
  realms?: LyingRealm[];
};

/**
 * `void`: this device was cut off while it set one, and what the realms have now brings nothing back. `lost`: too few realms have
 * it any more. Both have to be set again.
 */
export type PinState = 'none' | 'set' | 'void' | 'lost';

/**
 * Why no PIN opens the vault. `exhausted`: all guesses were used up, and what the realms kept is destroyed. `locked`: the realms
 * were restored from a backup, and do not open what might have been guessed at since. `missing`: nothing is registered there.
 * `realms_other`: the server names other realms than those that the PIN was set at, or other addresses for them, so it is not known
 * to be lost, and `set`.
 */
export type PinLoss = 'exhausted' | 'locked' | 'missing' | 'realms_other';

/** Whether what the realms say means that no PIN opens the vault any more; other realms than the PIN's own cannot say so. */
export function isLost(loss: PinLoss | null): boolean {
  return loss !== null && loss !== 'realms_other';
}

/** The error that says so to whoever has no PIN to enter any more. */
export const errorOfLoss = {
  exhausted: 'vault_exhausted',
  locked: 'vault_locked',
  missing: 'vault_not_registered',
  realms_other: 'vault_realms_other',
} as const satisfies Record<PinLoss, string>;

/** What the realms tell without a guess. */
export type PinLook = {
  /** Null where they do not tell. */
  guessesLeft: number | null;
  loss: PinLoss | null;
  /** Whether as many of them as are needed would take a guess. Where there is no loss either, too few have answered. */
  isUsable: boolean;
  /** Which realms the server names, and where, in one name; null where they make no vault. */
  realms: string | null;
  /** No guess is left, and the last one may turn out right still. Absent where it is not so. */
  isLastOpen?: boolean;
};

/** A realm of the vault that gave an answer which no honest one gives, as errors of the vault have it in `realms`. */
export type LyingRealm = {
  realm: string;
  /** Which part of the vault, from 1. */
  part: number;
  /** Null where this server runs it itself. */
  operator: string | null;
  address: string | null;
};

export type AccountSecurity = {
  standing: DeviceStanding;
  /** The identity key was renewed on another device: this one goes on, but must be given the new key. */
  isBehind: boolean;
  pin: PinState;
  /** Where the PIN is `lost`, or `set` at other realms than those that the server names. */
  pinLoss: PinLoss | null;
  /** The server names other realms than those that the PIN was set at: another one goes there only by who was shown them. */
  isElsewhere: boolean;
  /** Whether this device has what the PIN opens. */
  knowsPin: boolean;
  /** When the PIN is asked for before money leaves. */
  payPin: PayPin;
  /** Grows whenever this device makes another code to be approved by: what shows one reads it again. */
  codes: number;
  /** Hex of the account's identity key, 32 bytes; null while there is none. */
  identityKey: string | null;
  /** Approved ones. */
  devices: number;
  /** The newest state of the key log that was checked. */
  log: { origin: string; size: number; checkedAt: number } | null;
  /** Grows whenever something new is known of guesses and waits: what shows them reads them again. */
  vaultNews: number;
  alarms: KeyAlarm[];
  /** How many conversations have been shown what certifies this device now; null where there is nothing to show. */
  renewal: { done: number; total: number } | null;
  archive: ArchiveStatus;
};

/** The account's history on the server, sealed, where somebody has asked for it. */
export type ArchiveStatus = {
  /** `unavailable`: this server keeps none. `locked`: it is on, and this device does not have its key. */
  state: 'unknown' | 'unavailable' | 'off' | 'on' | 'locked';
  /** This device has the key of an archive: what the server keeps of it can be deleted, also where it is `unavailable`. */
  isKept: boolean;
  bytes: number;
  maximumBytes: number;
  /** Nothing more is archived. */
  isFull: boolean;
  /** Messages that are not archived yet. */
  waiting: number;
  /** The history from before it was turned on is on its way. */
  isFilling: boolean;
  /** What is brought to this device, in parts; null where nothing is. `isPaused`: something here is in the way. */
  restore: { done: number; total: number; isDone: boolean; damaged: number; isPaused: boolean } | null;
};

export type VaultAttempt = { at: number; device: string; outcome: 'open' | 'succeeded' | 'failed' };

/** Somebody who is signed in wants the PIN replaced or removed without the identity key, and may from then on. */
export type VaultWait = { device: string; until: number };

export type VaultOverview = {
  /** How many parties run the realms, as the server says. */
  operators: number;
  /** How few of them have a threshold of realms between them, and could try PINs without a limit. */
  together: number;
  /** Who runs which, where not all are this server's. */
  hosts: { operator: string; address: string }[];
  threshold: number;
  realms: number;
  /** Which realms these are, where, and whose, in one name; null where they make no vault. */
  name: string | null;
  answering: number;
  attempts: VaultAttempt[];
  wait: VaultWait | null;
};

export type PersonKeys = {
  account: string;
  /** `unknown`: no device of theirs has shown a key yet. */
  state: 'unknown' | KeyTrust;
  /** Whether the key log has it. */
  isLogged: boolean;
  /** Twelve groups of five digits; null while one side has no key. */
  safetyNumber: string[] | null;
  /** What a QR code shows of it. */
  safetyCode: string | null;
};

/**
 * What came of a scanned safety code. `mismatch`: of these two people, with another key on one side. `otherPerson`: between
 * other people.
 */
export type SafetyScan = 'match' | 'mismatch' | 'otherPerson' | 'notACode';

/** Devices, identity keys, the PIN and the archive. */
export interface KeysApp {
  readonly security: AccountSecurity;

  listDevices(): Promise<Device[]>;
  revokeDevice(id: string): Promise<void>;
  /** Devices of the account that are not among those that the server lists. */
  unlistedDevices(listed: readonly Device[]): Promise<UnlistedDevice[]>;
  /** Removes one of those from the account's keys and from every conversation. */
  revokeUnlistedDevice(id: string): Promise<void>;

  /** What another device approves this one by, as text; null once it is approved. */
  approvalCode(): Promise<string | null>;
  /** The device that a code is of. @throws ActionError `code_invalid` */
  readApprovalCode(code: string): Promise<Device>;
  /** Gives that device the account's keys. */
  approveDevice(code: string): Promise<Device>;
  /**
   * Gives the account a new identity key; its other devices stay, and contacts have to accept the new one.
   * @throws ActionError `pin_needed`
   */
  renewIdentity(): Promise<void>;
  /** Begins the account's identity anew here: all other devices are revoked, and contacts have to accept the new key. */
  resetIdentity(): Promise<void>;

  /** Why a new PIN may not be this one (a number of `PinRefusal`); null where it may. */
  refusePin(pin: string): Promise<number | null>;
  /**
   * @param tell how far it is, from 0 to 1
   * @param at the overview's name of the realms that it is to go to where they are not those that the PIN before was set at
   * @throws ActionError `pin_needed`, `archive_key_missing`, where an archive would be left without its key; `vault_realms_other`, where the server names
   * realms that are neither
   */
  setPin(pin: string, tell: (share: number) => void, at?: string | null): Promise<void>;
  removePin(): Promise<void>;
  /**
   * Above which amount of an asset the PIN is asked for, in minor units.
   * @param consent where it is raised
   * @throws ActionError `pay_pin_wrong`, among others
   */
  changePinLimit(asset: string, limitMinor: bigint, consent: PinConsent | null): Promise<void>;
  recoverWithPin(pin: string, tell: (share: number) => void): Promise<void>;
  /** Asks the realms whether there is a PIN, and how many guesses are left. */
  lookAtPin(): Promise<PinLook>;
  vaultOverview(): Promise<VaultOverview>;
  clearPinFailures(): Promise<void>;
  /** For a PIN that the realms keep under another key than this account's: how many milliseconds are left to wait. */
  beginPinWait(): Promise<number>;
  cancelPinWait(): Promise<void>;

  /** @throws ActionError `archive_needs_pin`, `pin_needed` */
  turnArchiveOn(): Promise<void>;
  /** Deletes all of it. */
  turnArchiveOff(): Promise<void>;
  /** Asks the server how the archive is, and goes on with whatever has stopped. */
  lookAtArchive(): Promise<void>;
  /** Archives what waits, while the page is still there. */
  flushArchive(): void;

  personKeys(account: string): Promise<PersonKeys>;
  /** Compares what was scanned from somebody's screen; a match marks them as verified. */
  scanSafety(account: string, scanned: string): Promise<SafetyScan>;
  /**
   * Marks somebody as verified whose number was shown and compared.
   * @param shown the code beside the number: a mismatch where other keys came meanwhile
   */
  verifySafety(account: string, shown: string): Promise<SafetyScan>;
  /** Takes the mark of somebody who was verified away. */
  unverify(account: string): Promise<void>;
  /** Goes on with the keys that somebody has now. */
  acceptIdentity(account: string): Promise<void>;
  dismissKeyAlarm(number: number): Promise<void>;
}
