/**
 * What the screens know: view models that the engine keeps up to date, and the actions it offers. Screens import this
 * file and nothing below it (no network, storage or crypto). Everything readable here is reactive (Svelte runes).
 * Ids are UUID strings; amounts are bigint minor units; times are epoch milliseconds.
 */

export type ErrorInfo = {
  /** The catalogue's number; 0 for failures on this side, such as being offline. */
  code: number;
  /** The catalogue's snake_case name, the key of the sentence in the string catalogue. */
  name: string;
  retryable: boolean;
  details?: Record<string, unknown>;
};

/** Actions throw this and nothing else; screens show `t(`error.${name}`)`. */
export class ActionError extends Error {
  constructor(readonly info: ErrorInfo) {
    super(info.name);
  }
}

export type Phase =
  /** Reading local data. */
  | 'starting'
  /** Nobody is signed in here. */
  | 'signedOut'
  /** Local data is shown; the connection may still be coming. */
  | 'ready'
  /** Another tab of this browser holds the device's keys; `takeOver()` moves them here. */
  | 'otherTab'
  /** This device was revoked from another one; local data is gone. */
  | 'revoked'
  /** The page came over plain http from another machine: browsers give such pages no cryptography. */
  | 'insecure'
  /** The browser withholds its storage, as in some private windows, or the client could not be loaded. */
  | 'failed';

export type ConnectionState = 'online' | 'connecting' | 'offline';

export type Person = {
  id: string;
  handle: string;
  displayName: string;
};

export type Me = Person & {
  device: string;
  /** Play money is handed out by this server; say so wherever money is shown. */
  sandbox: boolean;
  /** Who may see whether I am there. */
  presence: PresenceVisibility;
};

export type PresenceVisibility = 'contacts' | 'nobody';

/** Whether somebody is there now, and else when about, if that is known. */
export type Presence = { online: boolean; lastSeen: number | null };

export type Asset = { code: string; exponent: number };

/** `changed`: shows another identity key than the accepted one, and nothing is sent or paid until it is accepted. */
export type KeyTrust = 'accepted' | 'verified' | 'changed';

export type Member = Person & { role: 'member' | 'owner'; isMe: boolean; trust: KeyTrust };

export type Conversation = {
  id: string;
  kind: 'direct' | 'group';
  /** Direct: the other's display name. Group: its decrypted name, or the members' names while it is unknown. */
  title: string;
  /** The other person of a direct conversation. */
  peer: Person | null;
  members: Member[];
  myRole: 'member' | 'owner';
  /** False once this account left or was removed: readable, not writable. */
  active: boolean;
  unread: number;
  /** Newest thing to show in the list, or null in an empty conversation. */
  preview: Preview | null;
  lastActivityAt: number;
  /** Display names of people typing now, without me. */
  typing: string[];
  draft: string;
};

export type Preview = {
  at: number;
  mine: boolean;
  /** Who, for groups; null for me and in direct conversations. */
  senderName: string | null;
  kind: 'text' | 'card' | 'notice' | 'undecryptable';
  text: string;
  card: Card | null;
  notice: Notice | null;
  send: SendState | null;
};

export type SendState = 'sending' | 'sent' | 'delivered' | 'read' | 'failed';

export type ThreadItem =
  | {
      type: 'message';
      key: string;
      at: number;
      mine: boolean;
      sender: Person;
      text: string;
      send: SendState | null;
      error: ErrorInfo | null;
      seq: number | null;
    }
  | {
      type: 'card';
      key: string;
      at: number;
      mine: boolean;
      sender: Person;
      card: Card;
      send: SendState | null;
      error: ErrorInfo | null;
      seq: number | null;
    }
  | { type: 'notice'; key: string; at: number; notice: Notice; seq: number | null }
  /** Something that could not be read: sent before this device joined, or failing its checks. */
  | {
      type: 'undecryptable';
      key: string;
      at: number;
      sender: Person;
      reason: 'beforeJoin' | 'failed' | 'newerVersion' | 'senderMismatch';
      seq: number | null;
    };

export type Notice =
  | { kind: 'created'; by: Person }
  | { kind: 'added'; by: Person; people: Person[] }
  | { kind: 'removed'; by: Person; people: Person[] }
  | { kind: 'left'; people: Person[] }
  | { kind: 'renamed'; by: Person; name: string }
  | { kind: 'role'; by: Person | null; person: Person; role: 'member' | 'owner' }
  | { kind: 'deviceAdded'; person: Person; fingerprint: string }
  | { kind: 'deviceRemoved'; person: Person }
  /** Null days: as the server's operator says. */
  | { kind: 'retention'; by: Person; days: number | null }
  /** The server had removed messages before this device came to fetch them. */
  | { kind: 'removedMeanwhile' }
  | { kind: 'historyStartsHere' };

export type CardKind = 'transfer' | 'request';
export type CardState = 'held' | 'accepted' | 'declined' | 'cancelled' | 'expired' | 'open' | 'paid';
export type CardAction = 'accept' | 'decline' | 'cancel' | 'pay';

export type Card = {
  id: string;
  conversation: string;
  kind: CardKind;
  state: CardState;
  version: number;
  author: Person;
  payer: Person;
  payee: Person;
  amountMinor: bigint;
  asset: Asset;
  /** Null when this device cannot read it (posted before it joined). */
  memo: string | null;
  createdAt: number;
  expiresAt: number;
  closedAt: number | null;
  /** What I may do now, at most two, main one first. */
  actions: CardAction[];
  /** An action of mine is on its way to the ledger. */
  busy: boolean;
  /** Decrypted details do not match the commitment: show a warning and no actions. */
  mismatch: boolean;
  timeline: { state: CardState; at: number; by: Person | null }[];
};

export type Thread = {
  conversation: Conversation;
  /** Oldest first. Changes in place; keys are stable from sending to sent. */
  items: ThreadItem[];
  /** Local data is being read. */
  loading: boolean;
  hasEarlier: boolean;
  /** First unread item when the thread was opened. */
  firstUnreadKey: string | null;
};

export type Balance = { asset: Asset; balanceMinor: bigint; heldMinor: bigint; availableMinor: bigint };

export type StatementEntry = {
  version: number;
  transfer: string;
  kind: 'transfer' | 'hold' | 'capture' | 'release' | 'expire' | 'funding' | 'refund';
  postedMinor: bigint;
  heldMinor: bigint;
  balanceAfterMinor: bigint;
  counterparty: Person | null;
  card: string | null;
  conversation: string | null;
  at: number;
};

export type Statement = { entries: StatementEntry[]; loading: boolean; hasMore: boolean; error: ErrorInfo | null };

export type Wallet = {
  balances: Balance[];
  loading: boolean;
  error: ErrorInfo | null;
};

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

export type SignUp = { handle: string; displayName: string; password: string };
export type SignIn = { handle: string; password: string };
export type NewCard = {
  conversation: string;
  kind: CardKind;
  other: string;
  amountMinor: bigint;
  asset: string;
  memo: string;
};

/**
 * Whether the account's identity key vouches for this device. `pending`: not known yet. `waiting`: the account has keys
 * that this device does not have; it takes part in nothing until the PIN or another device brings them.
 */
export type DeviceStanding = 'pending' | 'waiting' | 'approved';

export type KeyAlarmKind =
  | 'logForked'
  | 'logShrunk'
  | 'logReplaced'
  | 'chainInvalid'
  | 'ownKeysChanged'
  | 'identityUnlogged'
  | 'logOther'
  | 'pinGuessed'
  | 'pinWait';

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
};

export type AccountSecurity = {
  standing: DeviceStanding;
  /** The identity key was renewed on another device: this one goes on, but must be given the new key. */
  isBehind: boolean;
  hasPin: boolean;
  /** Whether this device has what the PIN opens. */
  knowsPin: boolean;
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
  /** How many parties run the realms. */
  operators: number;
  threshold: number;
  realms: number;
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

export interface ChatApp {
  readonly phase: Phase;
  readonly connection: ConnectionState;
  /** Milliseconds until the next connection attempt, or null; for the reconnect banner. */
  readonly retryInMs: number | null;
  /** The server asks for a newer client: reloading the page gets it. */
  readonly updateReady: boolean;
  readonly me: Me | null;
  readonly assets: Asset[];
  /** Newest activity first. */
  readonly conversations: Conversation[];
  /** True until the first list (local or remote) is known. */
  readonly conversationsLoading: boolean;
  readonly wallet: Wallet;

  readonly security: AccountSecurity;

  start(): Promise<void>;
  signUp(form: SignUp): Promise<void>;
  signIn(form: SignIn): Promise<void>;
  /** Revokes this device and deletes everything it holds in this browser. */
  signOut(): Promise<void>;
  takeOver(): Promise<void>;
  reconnectNow(): void;

  findPerson(handle: string): Promise<Person>;
  /** Opens the existing direct conversation or creates it; returns its id. */
  startDirect(person: Person): Promise<string>;
  createGroup(name: string, people: Person[]): Promise<string>;
  renameGroup(conversation: string, name: string): Promise<void>;
  addMembers(conversation: string, people: Person[]): Promise<void>;
  removeMember(conversation: string, account: string): Promise<void>;
  setRole(conversation: string, account: string, role: 'member' | 'owner'): Promise<void>;
  leave(conversation: string): Promise<void>;

  /** Reactive; call `closeThread` when the screen goes away. Unknown id: null. */
  openThread(conversation: string): Thread | null;
  closeThread(conversation: string): void;
  loadEarlier(conversation: string): Promise<void>;
  /** Marks everything up to the newest shown item as read. */
  markRead(conversation: string): void;
  setDraft(conversation: string, text: string): void;
  /** Throttled inside; call on every keystroke. */
  typing(conversation: string): void;
  /** Returns at once; the item appears with state `sending`. */
  sendText(conversation: string, text: string): void;
  retry(conversation: string, key: string): void;
  discard(conversation: string, key: string): void;

  /** Resolves when the ledger has said yes; money is never shown optimistically. */
  postCard(card: NewCard): Promise<void>;
  actOnCard(card: string, action: CardAction): Promise<void>;
  card(id: string): Card | null;

  refreshWallet(): Promise<void>;
  /** Reactive pages of one asset's statement, newest first. Whoever looks at it first loads the first page. */
  statement(asset: string): Statement;
  loadMoreStatement(asset: string): Promise<void>;

  /** Reactive; null where it is not known or not to be known. */
  presence(account: string): Presence | null;
  changePresence(presence: PresenceVisibility): Promise<void>;

  listDevices(): Promise<Device[]>;
  revokeDevice(id: string): Promise<void>;
  changePassword(current: string, next: string): Promise<void>;
  changeDisplayName(name: string): Promise<void>;
  /** Fingerprints of a person's devices as the conversation's MLS group has them. */
  fingerprints(conversation: string, account: string): Promise<{ device: string; fingerprint: string }[]>;

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
   * @throws ActionError `pin_needed`, where an archive would be left without its key
   */
  setPin(pin: string, tell: (share: number) => void): Promise<void>;
  removePin(): Promise<void>;
  recoverWithPin(pin: string, tell: (share: number) => void): Promise<void>;
  /** Null where the vault does not tell. */
  pinGuessesLeft(): Promise<number | null>;
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
  /** @param isVerified whether safety numbers were compared */
  acceptIdentity(account: string, isVerified: boolean): Promise<void>;
  dismissKeyAlarm(number: number): Promise<void>;
}
