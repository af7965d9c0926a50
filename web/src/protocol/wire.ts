/**
 * The records of `ChatPay.Core/Protocol` as they travel: ids are UUID strings, bytes base64, times ISO 8601, amounts
 * decimal strings of minor units.
 */

export type Uuid = string;
export type Base64 = string;
export type IsoTime = string;
export type AmountText = string;

export type ErrorBody = {
  code: number;
  name: string;
  message: string;
  retryable: boolean;
  details?: Record<string, unknown> | null;
};

export type HubReply<T> = { ok?: T | null; error?: ErrorBody | null };

export type NewDevice = { name: string; signatureKey: Base64 };
export type SessionMode = 'cookie' | 'token';
export type SignUpRequest = {
  handle: string;
  displayName: string;
  password: string;
  device: NewDevice;
  session: SessionMode;
};
export type SignInRequest = {
  handle: string;
  password: string;
  device: NewDevice;
  deviceId?: Uuid | null;
  session: SessionMode;
};
export type AccountView = { id: Uuid; handle: string; displayName: string };
export type DeviceView = {
  id: Uuid;
  name: string;
  signatureKey: Base64;
  fingerprint: string;
  createdAt: IsoTime;
  lastSeenAt: IsoTime;
  current: boolean;
};
export type SessionReply = { account: AccountView; device: DeviceView; token?: string | null; expiresAt: IsoTime };
export type AssetView = { code: string; exponent: number };
export type PresenceVisibility = 'contacts' | 'nobody';
export type MeReply = {
  account: AccountView;
  device: DeviceView;
  sandbox: boolean;
  assets: AssetView[];
  presence: PresenceVisibility;
};
/** Who hides is neither online nor was seen. `lastSeen` is rounded down to five minutes. */
export type PresenceView = { account: Uuid; online: boolean; lastSeen?: IsoTime | null };
export type PresenceReply = { accounts: PresenceView[] };

export type KeyPackageCount = { oneTime: number; hasLastResort: boolean };
export type ClaimedKeyPackage = { account: Uuid; device: Uuid; keyPackage: Base64 };
export type ClaimKeyPackagesReply = { keyPackages: ClaimedKeyPackage[]; missing: Uuid[] };

export type ConversationKind = 'direct' | 'group';
export type MemberRole = 'member' | 'owner';
export type MemberView = { account: Uuid; handle: string; displayName: string; role: MemberRole; joinedSeq: number };
export type PendingRemoval = { leaf: number; device: Uuid; account: Uuid };
export type Receipt = { conversation: Uuid; account: Uuid; device: Uuid; delivered: number; read: number };
export type ConversationView = {
  id: Uuid;
  kind: ConversationKind;
  head: number;
  epoch: number;
  joinedSeq: number;
  createdAt: IsoTime;
  members: MemberView[];
  pendingRemovals: PendingRemoval[];
  receipts: Receipt[];
  /** The log begins here; older servers do not say. */
  firstSeq?: number;
  /** For how long the server keeps events; null for good. */
  retentionDays?: number | null;
};
export type CreateConversationRequest = {
  id: Uuid;
  kind: ConversationKind;
  clientId: Uuid;
  commit: Base64;
  welcome: Base64 | null;
  groupInfo: Base64;
};
export type GroupInfoReply = { epoch: number; seq: number; groupInfo: Base64 };

export type Cursor = { conversation: Uuid; seq: number };
export type HelloRequest = {
  device: Uuid;
  protocol: number;
  capabilities: string[];
  lineage: Uuid | null;
  cursors: Cursor[];
  /** About so many in `changed`, the rest in `heads`. */
  views?: number;
};
export type HelloReply = {
  lineage: Uuid;
  serverTime: IsoTime;
  account: Uuid;
  changed: ConversationView[];
  gone: Uuid[];
  deviceMessagesWaiting: number;
  keyPackagesLeft: number;
  /** Where another own device has read further than this one. */
  readElsewhere?: Cursor[] | null;
  /** The rest of what differs, with the seq of the newest event: Sync tells what they are. */
  heads?: Cursor[] | null;
};
export type SyncRequest = { after: Cursor[] };
export type SyncReply = { pages: SyncPage[] };
export type SyncPage = { conversation: ConversationView; events: Event[]; more: boolean };
export type SendRequest = { conversation: Uuid; clientId: Uuid; epoch: number; body: Base64 };
export type SendReply = { seq: number; at: IsoTime };
export type CommitRequest = {
  conversation: Uuid;
  clientId: Uuid;
  epoch: number;
  commit: Base64;
  welcome: Base64 | null;
  groupInfo: Base64;
};
export type CommitReply = { seq: number; epoch: number; at: IsoTime };

export type EventKind = 'message' | 'commit' | 'card' | 'cardChanged' | 'members';
export type RoleChange = { account: Uuid; role: MemberRole };
export type MembersChange = {
  added: MemberView[];
  removed: Uuid[];
  left: Uuid[];
  roles: RoleChange[];
  devicesAdded: Uuid[];
  devicesRemoved: Uuid[];
  devicesRevoked: Uuid[];
  retention?: RetentionChange | null;
};
/** Null stands for the server's default. */
export type RetentionChange = { days?: number | null };
export type Event = {
  conversation: Uuid;
  seq: number;
  kind: EventKind;
  account?: Uuid | null;
  device?: Uuid | null;
  clientId?: Uuid | null;
  epoch: number;
  at: IsoTime;
  body?: Base64 | null;
  card?: CardView | null;
  members?: MembersChange | null;
};
export type DeviceMessage = {
  id: Uuid;
  kind: 'welcome' | 'pairwise';
  /** Of a Welcome. */
  conversation?: Uuid | null;
  seq: number;
  body: Base64;
  at: IsoTime;
  /** The sender of a pairwise message, and its id for it. */
  fromAccount?: Uuid | null;
  fromDevice?: Uuid | null;
  clientId?: Uuid | null;
};
export type DeviceEnvelope = { device: Uuid; body: Base64 };
export type SendToDevicesRequest = { envelopes: DeviceEnvelope[]; clientId: Uuid };
export type DeviceMessagesPage = { messages: DeviceMessage[]; more: boolean };
export type ReceiptMark = { conversation: Uuid; delivered: number; read: number };
export type EphemeralSignal = {
  kind: 'typing';
  conversation: Uuid;
  account: Uuid;
  active: boolean;
  ttlMs: number;
};
export type ControlSignal = {
  kind: 'resync' | 'revoked' | 'reconnect' | 'upgrade' | 'keyPackagesLow';
  conversation?: Uuid | null;
  reconnectAfterMs?: number | null;
};

export type CardKind = 'transfer' | 'request' | 'split' | 'packet' | 'mandate';
export type CardState =
  | 'held'
  | 'accepted'
  | 'declined'
  | 'cancelled'
  | 'expired'
  | 'open'
  | 'paid'
  | 'exhausted'
  | 'active'
  | 'settled';
export type CardActionKind = 'post' | 'accept' | 'decline' | 'cancel' | 'pay' | 'claim' | 'refund' | 'draw' | 'remind';
export type CardDelivery = 'atOnce' | 'delayed';
export type PacketMode = 'fixed' | 'random';
export type MandatePeriod = 'day' | 'week' | 'month';
export type CardShare = { account: Uuid; amountMinor: AmountText };
/** What the terms of a kind have beside parties and amount; members of other kinds are absent or null. */
export type CardPlan = {
  delivery?: CardDelivery | null;
  shares?: CardShare[] | null;
  ownMinor?: AmountText | null;
  packet?: PacketMode | null;
  count?: number | null;
  period?: MandatePeriod | null;
};
/** One person's part of a split, or one taken share of a packet; `place` counts from 0. */
export type CardPart = { account: Uuid; place: number; amountMinor: AmountText; state: CardState; at: IsoTime };
export type CardProgress = {
  answered?: number | null;
  paidMinor?: AmountText | null;
  /** Of an event those that it changed; elsewhere all, up to a page of them. */
  parts?: CardPart[] | null;
  refundedMinor?: AmountText | null;
  remindedAt?: IsoTime | null;
  periodMinor?: AmountText | null;
  periodStart?: IsoTime | null;
  /** Of a draw's event: what it took. */
  drawnMinor?: AmountText | null;
  seedCommit?: Base64 | null;
  seed?: Base64 | null;
};
export type CardPartsPage = { parts: CardPart[]; after?: number | null };
export type CardView = {
  id: Uuid;
  kind: CardKind;
  conversation: Uuid;
  author: Uuid;
  payer: Uuid;
  payee: Uuid;
  amountMinor: AmountText;
  asset: string;
  lifetimeSeconds: number;
  detailCommit: Base64;
  state: CardState;
  version: number;
  createdAt: IsoTime;
  expiresAt: IsoTime;
  closedAt?: IsoTime | null;
  plan?: CardPlan | null;
  progress?: CardProgress | null;
  /** Not this account's business: parties are zeros, amount 0, asset and commitment empty. */
  hidden?: boolean | null;
};
export type CardPost = {
  kind: CardKind;
  conversation: Uuid;
  payer: Uuid;
  payee: Uuid;
  amountMinor: AmountText;
  asset: string;
  lifetimeSeconds: number;
  detailCommit: Base64;
  clientId: Uuid;
  epoch: number;
  body: Base64;
  plan?: CardPlan | null;
};
export type CardActRequest = {
  card: Uuid;
  version: number;
  action: CardActionKind;
  idempotencyKey: Uuid;
  post: CardPost | null;
  /** With every action that takes the actor's money, and with no other. */
  authorisation: CardAuthorisation | null;
  /** With refund and draw, and with no other. */
  amountMinor?: AmountText | null;
};
/** Ed25519 by the calling device, 64 bytes, over the statement of `debitStatement.ts`; seconds since the Unix epoch. */
export type CardAuthorisation = { expiresAt: number; signature: Base64 };
export type CardActReply = { card: CardView; seq: number; at: IsoTime };

export type WalletBalance = { asset: string; exponent: number; balanceMinor: AmountText; heldMinor: AmountText };
export type WalletReply = { balances: WalletBalance[]; sandbox: boolean };
/** `payMe`: its owner is to be paid. `payer`: its owner pays. */
export type PayCodeKind = 'payMe' | 'payer';
export type NewPayCode = {
  kind: PayCodeKind;
  amountMinor: AmountText | null;
  asset: string | null;
  lifetimeSeconds: number;
};
export type PayCodeView = {
  /** 32 bytes in base64url. */
  code: string;
  kind: PayCodeKind;
  owner: AccountView;
  amountMinor?: AmountText | null;
  asset?: string | null;
  expiresAt: IsoTime;
  scannedBy?: AccountView | null;
};

export type StatementEntry = {
  version: number;
  transfer: Uuid;
  kind: string;
  postedMinor: AmountText;
  heldMinor: AmountText;
  balanceAfterMinor: AmountText;
  heldAfterMinor: AmountText;
  counterparty?: AccountView | null;
  card?: Uuid | null;
  conversation?: Uuid | null;
  at: IsoTime;
};
export type StatementPage = { entries: StatementEntry[]; before?: number | null };

/** Which entries of a statement are wanted; instants are ISO 8601. */
export type StatementQuery = {
  from?: IsoTime | null;
  to?: IsoTime | null;
  with?: Uuid | null;
  side?: 'in' | 'out' | 'held' | null;
};
export type PersonActivity = {
  person: AccountView;
  inMinor: AmountText;
  outMinor: AmountText;
  count: number;
  lastAt: IsoTime;
};
/** As `2026-11`, in UTC. */
export type MonthActivity = { month: string; inMinor: AmountText; outMinor: AmountText };
/** `from` is later than asked for where there would be more than the server looks through. */
export type WalletActivity = {
  asset: string;
  exponent: number;
  from?: IsoTime | null;
  people: PersonActivity[];
  months: MonthActivity[];
};
export type WalletHold = {
  card: Uuid;
  kind: CardKind;
  delivery?: CardDelivery | null;
  conversation: Uuid;
  payee?: AccountView | null;
  asset: string;
  amountMinor: AmountText;
  /** When it returns; of a delayed transfer when it arrives. */
  returnsAt: IsoTime;
};
export type WalletLimits = {
  openCards: number;
  openCardsMax: number;
  requestsPerMinute: number;
  requestBurst: number;
  amountMaxMinor: AmountText;
  cardLifetimeMaxSeconds: number;
  mandateMaxSeconds: number;
};
export type ExportFormat = 'csv' | 'json' | 'ofx' | 'camt053';

export type TransferKind =
  | 'transfer'
  | 'hold'
  | 'capture'
  | 'release'
  | 'expire'
  | 'refund'
  | 'balancing'
  | 'captureAll';
/** The ledger's word that money of a card moved; what `receipt` encodes is what its key signed. */
export type ReceiptView = {
  transfer: Uuid;
  kind: TransferKind;
  card: Uuid;
  cardKind: CardKind;
  conversation: Uuid;
  payer: Uuid;
  payee: Uuid;
  amountMinor: AmountText;
  asset: string;
  exponent: number;
  at: IsoTime;
  detailCommit: Base64;
  authorisation?: ReceiptAuthorisation | null;
  origin: string;
  receipt: Base64;
  verifierKey: string;
  signature: Base64;
  seal?: ReceiptSeal | null;
};
export type ReceiptAuthorisation = {
  device: Uuid;
  deviceKey: Base64;
  action: CardActionKind;
  amountMinor: AmountText;
  expiresAt: IsoTime;
};
/** Where the transfer is in the ledger log, with what proves it. */
export type ReceiptSeal = { salt: Base64; index: number; proof: Base64[]; checkpoint: string };
export type ReceiptsPage = { receipts: ReceiptView[]; after?: Uuid | null };

/** Which log, of keys or of the ledger, the server keeps. */
export type KeyLogView = { origin: string; verifierKey: string };
/** An entry of a chain, with what shows its place in the log. */
export type LoggedKeyEntry = { entry: Base64; salt: Base64; index: number; proof: Base64[] };
export type KeyChainReply = {
  account: Uuid;
  from: number;
  entries: LoggedKeyEntry[];
  /** Of the chain. */
  length: number;
  checkpoint: string;
  consistency: Base64[];
};
export type ConsistencyReply = { from: number; to: number; proof: Base64[]; checkpoint?: string | null };
export type WrappedKeysView = { revision: number; wrapped?: Base64 | null };

/** The realms of the PIN vault, in the order of their shares; `hosts` names those that are processes of their own. */
export type VaultView = { operators: number; threshold: number; realms: Uuid[]; hosts?: RealmHostView[] | null };
export type RealmHostView = { realm: Uuid; address: string; operator: string };
export type RealmTokenReply = { token: string; expiresAt: IsoTime };
export type VaultExchange = { message: Base64 };
export type VaultAttemptOutcome = 'open' | 'succeeded' | 'failed';
export type VaultAttempt = { at: IsoTime; device: Uuid; outcome: VaultAttemptOutcome; realm?: Uuid };
/** Somebody signed in wants the PIN overwritten or deleted without the identity key. */
export type VaultWait = {
  realm: Uuid;
  id: Uuid;
  device: Uuid;
  until: IsoTime;
  state: 'begun' | 'cancelled' | 'carriedOut';
};
export type VaultAttempts = { attempts: VaultAttempt[]; wait?: VaultWait | null };

/** A hint: the own chain grew (its length, else 0), or something happened to the PIN at a realm in the server. */
export type KeysSignal = { account: Uuid; length: number; attempt?: VaultAttempt | null; wait?: VaultWait | null };

/** The account's archive: which one is on, if any, and how far each device's stream goes. */
export type ArchiveView = {
  archive?: Uuid | null;
  bytes: number;
  maximumBytes: number;
  streams: { device: Uuid; chunks: number }[];
};
export type ArchivePage = { chunks: Base64[]; next?: number | null };
