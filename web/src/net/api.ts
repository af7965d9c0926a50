import type {
  AccountView,
  ArchivePage,
  ArchiveView,
  CardActReply,
  CardActRequest,
  CardPartsPage,
  CardView,
  ClaimKeyPackagesReply,
  CommitReply,
  CommitRequest,
  ConsistencyReply,
  ControlSignal,
  ConversationView,
  CreateConversationRequest,
  DeviceMessage,
  DeviceMessagesPage,
  DeviceView,
  EphemeralSignal,
  Event,
  ExportFormat,
  GroupInfoReply,
  HelloReply,
  HelloRequest,
  KeyChainReply,
  KeyLogView,
  KeyPackageCount,
  KeysSignal,
  MemberRole,
  MeReply,
  NewPayCode,
  PayCodeView,
  PresenceReply,
  PresenceView,
  PresenceVisibility,
  RealmTokenReply,
  Receipt,
  ReceiptMark,
  ReceiptsPage,
  ReceiptView,
  SendReply,
  SendRequest,
  SendToDevicesRequest,
  SessionReply,
  SignInRequest,
  SignUpRequest,
  StatementPage,
  StatementQuery,
  SyncReply,
  SyncRequest,
  VaultAttempts,
  VaultExchange,
  VaultView,
  WalletActivity,
  WalletBalance,
  WalletHold,
  WalletLimits,
  WalletReply,
  WrappedKeysView,
} from '../protocol/wire';

/** How realms of the PIN vault are asked, whether they are in the server or elsewhere. */
export interface RealmApi {
  /** Sent once and never again by itself: a repeated guess would be another one. */
  askRealm(realm: string, message: string): Promise<VaultExchange>;
  vaultAttempts(realm: string): Promise<VaultAttempts>;
}

/** An answer that may be another one soon, and when the server says to ask again. */
export type Timed<T> = { value: T; retryAfterMs: number | null };

/** A file as the server names it. */
export type ServerFile = { name: string; type: string; text: string };

/** The REST side of a server. Every method throws `ActionError` and nothing else. */
export interface ServerApi extends RealmApi {
  signUp(request: SignUpRequest): Promise<SessionReply>;
  signIn(request: SignInRequest): Promise<SessionReply>;
  endSession(): Promise<void>;
  me(): Promise<MeReply>;
  changeDisplayName(displayName: string): Promise<AccountView>;
  changePassword(currentPassword: string, newPassword: string): Promise<void>;
  changePresence(presence: PresenceVisibility): Promise<void>;
  devices(): Promise<DeviceView[]>;
  revokeDevice(id: string): Promise<void>;
  accountByHandle(handle: string): Promise<AccountView>;
  uploadKeyPackages(keyPackages: string[], lastResort: string | null): Promise<KeyPackageCount>;
  claimKeyPackages(accounts: string[]): Promise<ClaimKeyPackagesReply>;
  createConversation(request: CreateConversationRequest): Promise<ConversationView>;
  conversations(): Promise<ConversationView[]>;
  conversation(id: string): Promise<ConversationView>;
  groupInfo(conversation: string): Promise<GroupInfoReply>;
  commit(request: CommitRequest): Promise<CommitReply>;
  leave(conversation: string): Promise<void>;
  removeMember(conversation: string, account: string): Promise<void>;
  setRole(conversation: string, account: string, role: MemberRole): Promise<void>;
  wallet(): Promise<WalletReply>;
  statement(asset: string, before: number | null, limit: number, query?: StatementQuery): Promise<StatementPage>;
  walletActivity(asset: string): Promise<WalletActivity>;
  walletHolds(): Promise<WalletHold[]>;
  walletLimits(): Promise<WalletLimits>;
  exportStatement(asset: string, format: ExportFormat, query: Pick<StatementQuery, 'from' | 'to'>): Promise<ServerFile>;
  receipt(transfer: string): Promise<Timed<ReceiptView>>;
  /** By transfer. @param after the cursor of the page before; null for the first one */
  cardReceipts(card: string, after: string | null): Promise<Timed<ReceiptsPage>>;
  ledgerLog(): Promise<KeyLogView>;
  ledgerConsistency(from: number, to: number): Promise<ConsistencyReply>;
  card(id: string): Promise<CardView>;
  /** By place. @param after the cursor of the page before; null for the first one */
  cardParts(id: string, after: number | null, limit: number): Promise<CardPartsPage>;
  createPayCode(code: NewPayCode): Promise<PayCodeView>;
  /** Of one's own. */
  payCode(code: string): Promise<PayCodeView>;
  /** It serves the first who does, as often as they ask. */
  scanPayCode(code: string): Promise<PayCodeView>;
  removePayCode(code: string): Promise<void>;
  keyLog(): Promise<KeyLogView>;
  /** Entries in base64; all are taken or none, and what is there already is answered alike. */
  appendKeys(entries: string[]): Promise<KeyChainReply>;
  /** @param size of the newest checkpoint that was checked; 0 for none */
  keyChain(account: string, from: number, size: number): Promise<KeyChainReply>;
  keyConsistency(from: number, to: number): Promise<ConsistencyReply>;
  wrappedKeys(): Promise<WrappedKeysView>;
  /** @param revision the one that this replaces */
  storeWrappedKeys(revision: number, wrapped: string): Promise<WrappedKeysView>;
  archive(): Promise<ArchiveView>;
  turnArchiveOn(archive: string): Promise<ArchiveView>;
  deleteArchive(archive: string): Promise<void>;
  /** Into this device's own stream; the same bytes may come twice. */
  storeArchiveChunk(archive: string, number: number, sealed: string): Promise<void>;
  archiveChunks(archive: string, device: string, from: number): Promise<ArchivePage>;
  vault(): Promise<VaultView>;
  /** What a realm that is a process of its own lets this device in with. */
  realmToken(realm: string): Promise<RealmTokenReply>;
  /** Such a realm, at its own address. */
  realmAt(address: string, token: string): RealmApi;
}

/** One open hub connection. Every method throws `ActionError` and nothing else; a lost connection is `offline`. */
export interface Hub {
  hello(request: HelloRequest): Promise<HelloReply>;
  sync(request: SyncRequest): Promise<SyncReply>;
  send(request: SendRequest): Promise<SendReply>;
  submitCommit(request: CommitRequest): Promise<CommitReply>;
  sendToDevices(request: SendToDevicesRequest): Promise<void>;
  ackDevice(ids: string[]): Promise<void>;
  pullDevice(): Promise<DeviceMessagesPage>;
  mark(marks: ReceiptMark[]): Promise<void>;
  typing(conversation: string, active: boolean): Promise<void>;
  watchPresence(accounts: string[]): Promise<PresenceReply>;
  cardAct(request: CardActRequest): Promise<CardActReply>;
  close(): void;
}

/** What a hub connection tells its owner; after `closed` nothing more comes. */
export type HubListener = {
  events(events: Event[]): void;
  heads(conversations: ConversationView[]): void;
  deviceMessages(messages: DeviceMessage[]): void;
  receipts(receipts: Receipt[]): void;
  ephemeral(signals: EphemeralSignal[]): void;
  presence(accounts: PresenceView[]): void;
  walletChanged(balances: WalletBalance[]): void;
  control(signal: ControlSignal): void;
  keys(signal: KeysSignal): void;
  closed(): void;
};

/** Opens a connection; resolves once it stands. */
export type OpenHub = (listener: HubListener) => Promise<Hub>;
