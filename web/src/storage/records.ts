import type { ArchiveItem } from '../archive/content';
import type { Leaf, MlsState, ShownLeaf } from '../crypto/port';
import type { PinVerifier } from '../engine/keys/pinVerifier';
import type { CardTerms } from '../protocol/cardTerms';
import type {
  CardKind,
  CardPlan,
  CardView,
  ConversationKind,
  MemberView,
  PayCodeKind,
  PendingRemoval,
  PresenceVisibility,
} from '../protocol/wire';
import type { CardState, ErrorInfo, KeyAlarmKind, Notice, Person, PinLoss } from '../state/contract';
import type { RealmSet } from '../vault/configuration';

/** Who this browser is. Exists from sign-up until the device is revoked or signs out. */
export type DeviceRecord = {
  account: string;
  handle: string;
  displayName: string;
  device: string;
  publicKey: Uint8Array;
  privateKey: Uint8Array;
  sandbox: boolean;
  /** Who may see whether this account is there; absent in records of earlier versions. */
  presence?: PresenceVisibility;
  assets: { code: string; exponent: number }[];
  lineage: string | null;
  /** What the device's leaves carry once the account's identity key vouches for it, 128 bytes; absent or null before. */
  credential?: Uint8Array | null;
  /** The credential that all groups have been shown, or were about to be when there was none to show it to. */
  renewed?: Uint8Array | null;
  /** The last-resort key package on the server ends at this time. */
  lastResortUntilMs: number;
};

/** Delivered and read marks of one device. */
export type Marks = { account: string; delivered: number; read: number };

export type ConversationRecord = {
  id: string;
  kind: ConversationKind;
  createdAt: number;
  joinedSeq: number;
  members: MemberView[];
  /** People who were members once, for the names in old items. */
  former: Person[];
  pendingRemovals: PendingRemoval[];
  head: number;
  /** Members and removals are known as of this seq, by a view of the server; later events change them. */
  viewSeq: number;
  /** The server's epoch as far as it told. */
  epoch: number;
  /** Last applied seq. */
  cursor: number;
  active: boolean;
  name: string | null;
  /** Seq of the last message that set or repeated the group's name. */
  nameSeq: number;
  /** That message, as it is archived; null where it is not to be kept for good, absent in records of earlier versions. */
  nameBy?: { at: number; account: string; device: string; id: string; archive?: string | undefined } | null;
  marks: Record<string, Marks>;
  /** Everything up to this seq was read on this device. */
  read: number;
  unread: number;
  lastActivityAt: number;
  previewKey: string | null;
  draft: string;
  /** For how long the server keeps messages; null for good, absent where nobody has told yet. */
  retentionDays?: number | null | undefined;
};

/** A commit that was made and perhaps sent: nothing of the group changes before the log says that it won. */
export type PendingCommit = {
  clientId: string;
  epoch: number;
  state: MlsState;
  ownLeaf: number;
  leaves: Leaf[];
  commit: Uint8Array;
  welcome: Uint8Array | null;
  groupInfo: Uint8Array;
  /** The commit is this device's own way into the group. */
  joining: boolean;
};

export type GroupRecord = {
  conversation: string;
  /** Null while the only thing known is a pending external join. */
  state: MlsState | null;
  epoch: number;
  ownLeaf: number;
  leaves: Leaf[];
  /** Events up to here are from before this device joined and cannot be read. */
  joinSeq: number;
  /** SHA-256 of the commit that led to this epoch; empty after a Welcome. */
  lastCommit: Uint8Array;
  pending: PendingCommit | null;
};

export type StoredItem =
  | { type: 'message'; text: string; error: ErrorInfo | null }
  | { type: 'card'; card: string; error: ErrorInfo | null }
  | { type: 'notice'; notice: Notice }
  | { type: 'undecryptable'; reason: 'beforeJoin' | 'failed' | 'newerVersion' | 'senderMismatch' };

export type ItemRecord = {
  conversation: string;
  /** `device:clientId` for messages and cards, `seq:n` for notices. */
  key: string;
  /** Seq once known; before that a number above every seq, in the order of sending. */
  order: number;
  seq: number | null;
  at: number;
  sender: Person | null;
  mine: boolean;
  /** Whether it counts as unread for me. */
  counts: boolean;
  body: StoredItem;
  /** It says itself that it is not to be kept for good. */
  expires?: boolean;
  /** The archive that it was brought back from, which has it already. */
  archive?: string;
};

export type OutboxRecord = {
  clientId: string;
  conversation: string;
  order: number;
  createdAt: number;
  /** The content as JSON text. */
  content: string;
  kind: 'text' | 'group' | 'card';
  /** The encrypted message and its epoch, once made: retries send exactly this. */
  epoch: number;
  body: Uint8Array | null;
  /** Gave up; waits for the person to retry or discard. */
  failed: boolean;
  card: {
    id: string;
    kind: CardKind;
    payer: string;
    payee: string;
    amountMinor: string;
    asset: string;
    lifetimeSeconds: number;
    /** Absent in records of earlier versions. */
    plan?: CardPlan | null;
    detailCommit: Uint8Array;
    idempotencyKey: string;
  } | null;
};

export type CardRecord = {
  id: string;
  view: CardView;
  /** Null while or where this device cannot read it. */
  memo: string | null;
  /** It is not to be acted on: it contradicts itself, or nothing that could be opened here says what its author wrote. */
  mismatch: boolean;
  /** The server has told of it what cannot be true: nothing makes it sound again. Absent where it has not. */
  contradicted?: boolean;
  /**
   * What its author committed to, as this device decrypted it: nothing is paid for a card without it. Absent where it was not
   * decrypted here, as from before the device joined or out of an archive, and in records of earlier versions.
   */
  checked?: { terms: Omit<CardTerms, 'amountMinor'> & { amountMinor: string }; salt: Uint8Array };
  timeline: {
    state: CardState;
    at: number;
    by: string | null;
    /** Something else than a change of state, with its amount in minor units. */
    what?: 'refund' | 'draw' | 'remind';
    minor?: string;
    version?: number;
  }[];
  /** Of a packet by chance: what its seed was committed to when it was first seen. */
  seedCommit?: string;
  /** What is known of a packet's shares is not what its seed gives. */
  unfair?: boolean;
};

export type KeyPackageRecord = { ref: string; lastResort: boolean; notAfterMs: number; secret: Uint8Array };

/** Orders of items that have no seq yet start here, far above any seq. */
export const unsentOrder = 2 ** 50;

/** The account's own keys, as this device holds them. */
export type OwnKeysRecord = {
  /** Ed25519, 32 bytes; null for a device that nobody has approved yet. */
  identitySeed: Uint8Array | null;
  /** The next one while it is being renewed, kept before it is posted. */
  nextSeed: Uint8Array | null;
  /** The identity key was renewed here, and what the root secret opens is still the one before. */
  wrapDue: boolean;
  /** 32 bytes; null where there is no PIN, or this device was never told. */
  rootSecret: Uint8Array | null;
  /** Whether it is still the PIN's, and what it opens what this device has, is to be looked at. Absent in earlier records. */
  rootDue: boolean;
  /** Registrations of the PIN that the realms may have or come to have, and the chain does not name, oldest first. */
  pending: PendingRegistration[];
  /** The realms' registration, by its version, is not the one that the chain named. Absent in earlier records. */
  mismatch?: { version: string; digest: Uint8Array } | null;
  /** Where the PIN is. Absent in earlier records, and where this device does not know. */
  home?: VaultHome | null;
  /** The realms have a PIN that this device registered, and it brings nothing back. Absent in earlier records. */
  isPinVoid?: boolean;
  /** 32 bytes; null where no archive is kept. */
  archiveKey: Uint8Array | null;
  /** The keys came to a new device, which has not looked yet whether an archive brings it history. */
  restoreDue: boolean;
  /** X25519, 32 bytes: what this device's code is made of, until it is approved. */
  approvalKey: Uint8Array | null;
  /** Hex of the SHA-256 of entries that this device posted last. */
  posted: string[];
  /** Devices that this one has approved, and when: that they add themselves soon is no surprise. */
  approved: GivenApproval[];
};

/** The keys were sealed for this device then. */
export type GivenApproval = { device: string; at: number };

/** The realms that the PIN with this digest in the chain, 32 bytes, was set at. */
export type VaultHome = RealmSet & { digest: Uint8Array };

/** A registration of the PIN, kept before a realm hears of it: its version, as the realms tell it, and 32 bytes for the chain. */
export type PendingRegistration = Partial<RealmSet> & {
  version: string;
  digest: Uint8Array;
  /** What its PIN brings back, 32 bytes. Absent in earlier records, as are the rest: then it is the device's own. */
  rootSecret?: Uint8Array;
  /** The versions that it takes the place of. */
  replaces?: string[];
  /** The digest that the chain named when it was begun; null for no PIN. */
  before?: Uint8Array | null;
  /** When it was begun. */
  at?: number;
  /** The PIN was removed since, or another one came to stand: where it still arrives it is deleted, and never named. */
  isUnwanted?: boolean;
};

/** The newest checkpoint of the key log that was checked. */
export type KeyLogRecord = {
  /** Of the log that this device first saw. */
  origin: string;
  verifierKey: string;
  size: number;
  /** 32 bytes; empty before the first checkpoint. */
  root: Uint8Array;
  /** The signed note, kept as evidence. */
  note: string;
  checkedAt: number;
  /**
   * It took another log's place, as after a restored backup: chains may have lost entries that this device knows. Absent in
   * records of earlier versions.
   */
  replaced?: boolean;
};

/** What people have seen of the key log, where the server has not shown yet that it goes with this device's view. */
export type UnprovenNotesRecord = {
  /** Of the log that has signed it. */
  verifierKey: string;
  /** One of each person, the oldest first. */
  notes: UnprovenNote[];
};

/** The newest checkpoint that somebody says to have been shown and that the server was asked about in vain. */
export type UnprovenNote = {
  from: string;
  note: string;
  /** When it was first asked about one of theirs in vain, with no answer ever since, and how often since then. */
  since: number;
  tries: number;
};

/** Somebody's chain as far as it was checked, and what this device's person makes of it. */
export type PersonKeysRecord = {
  account: string;
  /** From the first one on, all checked. */
  entries: Uint8Array[];
  /** The identity key that a device of theirs, or the log, showed last, 32 bytes; null before the first one. */
  seenKey: Uint8Array | null;
  /** The identity key that messages and money may go to; the first one seen is accepted. */
  acceptedKey: Uint8Array | null;
  /** Whether safety numbers were compared. */
  verified: boolean;
  checkedAt: number;
  /** Devices that somebody showed as theirs and the chain has not. Absent in records of earlier versions. */
  unlogged?: ShownLeaf[];
  /**
   * Where a key was seen and the server does not show the chain that has it: since when, and how often it was asked. Absent in
   * records of earlier versions.
   */
  withheld?: { since: number; tries: number } | null;
};

/** A guess of the PIN as one realm lists it: one that failed, where nothing else is said. */
export type SeenGuess = { realm: string; at: string; device: string; outcome?: 'succeeded' };

/**
 * What one device began at realms, until when in milliseconds, and what each of them calls it. Records of earlier versions do not
 * say where. `isEnded`: this realm has it no more; where none has, what begins after that is another one. `isOver`: the same, of
 * earlier versions, which said so once one realm had it no more.
 */
export type SeenWait = {
  device: string;
  until: number;
  at?: { realm: string; id: string; isEnded?: boolean }[];
  isOver?: boolean;
};

/**
 * Guesses and waits that this device knows of already: they alarm once. Before the first look at the realms' lists there may be
 * such as a hint told of; where that does not say of which realm, the guess has none until a list has it.
 */
export type VaultSeenRecord = {
  hasLooked: boolean;
  guesses: SeenGuess[];
  waits: SeenWait[];
  /** Whether guesses that succeeded were looked at too. Absent in records of earlier versions, as is what follows. */
  hasLookedAtOpened?: boolean;
  /** What was found out about the PIN with this digest, hex. */
  lost?: SeenLoss | null;
};

/** A registration, hex of its digest, that too few realms were found to have, or that the server names other realms for. */
export type SeenLoss = {
  digest: string;
  /** Null where it was there again at the last look, and before it is believed. Earlier versions have other realms here too. */
  loss: PinLoss | null;
  /** The server names other realms than the PIN's own, which say nothing of it. */
  isElsewhere?: boolean;
  /** It has alarmed. Absent in records of earlier versions, which had. */
  isTold?: boolean;
  /** Since when nothing was found registered, before that is believed. */
  since?: number;
  /** The sets of realms, by name, that have alarmed. */
  told?: string[];
};

/** What the PIN is checked by before money leaves, and how often it was wrong. */
export type PayPinRecord = {
  /** Null where this device has not seen the PIN. */
  current: PinVerifier | null;
  /** Of the PIN before one that was set without it, asked for until then; null inside where there is nothing to check it by. */
  earlier: { verifier: PinVerifier | null; until: number } | null;
  wrong: number;
  waitUntil: number;
  /** Minor units by asset. */
  limits: Record<string, string>;
};

/** Something about keys is not as it must be; kept until it is dismissed, with what shows it. */
export type KeyAlarmRecord = {
  number: number;
  kind: KeyAlarmKind;
  at: number;
  /** Whose chain it is about; null for the log itself. */
  account: string | null;
  evidence: string[];
};

/** A code for paying that was made here, until a day after its time. */
export type PayCodeRecord = {
  code: string;
  kind: PayCodeKind;
  owner: Person;
  /** Null for one that lets others ask. */
  amountMinor: string | null;
  asset: string | null;
  memo: string;
  lifetimeSeconds: number;
  /** By the server's clock, in milliseconds, as is all here. */
  madeAt: number;
  expiresAt: number;
  scannedBy: Person | null;
  /** It was looked at after its time, and nobody had scanned it. */
  isOver: boolean;
  /** The request has gone to be posted: it is not posted again by itself. */
  hasAsked: boolean;
  conversation: string | null;
  card: string | null;
};

export type KeysRecord =
  | OwnKeysRecord
  | KeyLogRecord
  | PersonKeysRecord
  | KeyAlarmRecord
  | VaultSeenRecord
  | UnprovenNotesRecord
  | PayPinRecord
  | PayCodeRecord;

/** A message that waits to be archived. Ids rise, so that what waits first goes first. */
export type ArchiveQueueRecord = {
  id: string;
  item: ArchiveItem;
  sender: Person;
};

/** What this device does for the account's archive. */
export type ArchiveStateRecord = {
  archive: string;
  /** Number of the next chunk of this device's stream, and the SHA-256 of the one before it. */
  next: number;
  previous: Uint8Array;
  /** The server takes no more bytes. */
  isFull: boolean;
  /** How far the local history has been queued; null when it is done. */
  backfill: ArchiveBackfillRecord | null;
  /**
   * More came than may wait: by conversation the seq up to which all was queued. What is behind it is looked up when there is
   * room. Null or absent while everything is queued as it comes.
   */
  behind?: Record<string, number> | null;
  /** What is brought back from the archive; null where nothing is to be. */
  restore: ArchiveRestore | null;
};

/** Conversations by id, each from its end. */
export type ArchiveBackfillRecord = {
  conversation: string;
  before: number;
  /** Only what is behind these seqs; absent for all. */
  floors?: Record<string, number> | undefined;
  /** Also what was brought back from this very archive. */
  isAll?: boolean | undefined;
};

export type ArchiveRestore = {
  /** All was read that was there once; what other devices archive later is read when it is seen. */
  isDone: boolean;
  /** By device: the next chunk to read, the SHA-256 of the one before it, and how many there are. */
  streams: Record<string, { next: number; previous: Uint8Array; chunks: number; isDamaged: boolean }>;
};

/** A sealed chunk on its way: sent again it is the same bytes. */
export type ArchivePendingRecord = { archive: string; number: number; sealed: Uint8Array };

export type ArchiveRecord = ArchiveStateRecord | ArchivePendingRecord;
