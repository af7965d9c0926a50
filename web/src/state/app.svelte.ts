import { SvelteMap } from 'svelte/reactivity';
import type { Engine, EngineOptions } from '../engine/engine';
import { vaultOverview } from '../engine/keys/vaultTold';
import type { Sink } from '../engine/sink';
import type {
  AccountSecurity,
  Asset,
  Card,
  ChatApp,
  ConnectionState,
  Conversation,
  Me,
  PayCode,
  Phase,
  Presence,
  Statement,
  StatementFilter,
  Thread,
  ThreadItem,
  Wallet,
} from './contract';
import { ActionError, statementKey } from './contract';
import { deviceName } from './deviceName';
import { createTabLock, type TabLock } from './tabLock';

/** Tests bring their own way to a server, database and lock. */
export type AppOptions = { engine?: Partial<EngineOptions>; lock?: TabLock };

/**
 * The client's state as screens read it. It is small on purpose: the engine, the connection and the cryptography are
 * loaded when it starts, after the first paint.
 */
export function createChatApp(options: AppOptions = {}): ChatApp {
  return new App(options);
}

const unknownSecurity: AccountSecurity = {
  standing: 'pending',
  isBehind: false,
  pin: 'none',
  pinLoss: null,
  isElsewhere: false,
  knowsPin: false,
  payPin: { state: 'off', until: null, limits: {}, triesLeft: 0, waitUntil: 0 },
  identityKey: null,
  devices: 0,
  log: null,
  codes: 0,
  vaultNews: 0,
  alarms: [],
  renewal: null,
  archive: {
    state: 'unknown',
    isKept: false,
    bytes: 0,
    maximumBytes: 0,
    isFull: false,
    waiting: 0,
    isFilling: false,
    restore: null,
  },
};

class OpenedThread implements Thread {
  items = $state.raw<ThreadItem[]>([]);
  loading = $state(true);
  hasEarlier = $state(false);
  firstUnreadKey = $state<string | null>(null);

  constructor(
    readonly app: App,
    readonly id: string,
    /** Shown while the list does not have it any more. */
    readonly last: Conversation,
  ) {}

  get conversation(): Conversation {
    return this.app.byId.get(this.id) ?? this.last;
  }
}

class App implements ChatApp {
  phase = $state<Phase>('starting');
  connection = $state<ConnectionState>('offline');
  retryInMs = $state<number | null>(null);
  updateReady = $state(false);
  me = $state.raw<Me | null>(null);
  assets = $state.raw<Asset[]>([]);
  conversations = $state.raw<Conversation[]>([]);
  conversationsLoading = $state(true);
  security = $state.raw<AccountSecurity>(unknownSecurity);
  wallet = $state.raw<Wallet>({ balances: [], loading: true, error: null });
  payCodes = $state.raw<PayCode[]>([]);
  readonly byId = new SvelteMap<string, Conversation>();
  readonly #cards = new SvelteMap<string, Card>();
  readonly #statements = new SvelteMap<string, Statement>();
  readonly #presence = new SvelteMap<string, Presence>();
  readonly #threads = new Map<string, OpenedThread>();
  /** Cards that were asked for; one that the server does not know is not asked for at every redraw. */
  readonly #asked = new Set<string>();
  readonly #options: AppOptions;
  readonly #lock: TabLock;
  #engine: Engine | null = null;
  #starting: Promise<void> | null = null;
  #countdown: ReturnType<typeof setInterval> | null = null;

  constructor(options: AppOptions) {
    this.#options = options;
    this.#lock = options.lock ?? createTabLock();
    this.#lock.onLost = () => this.#handOver();
  }

  start(): Promise<void> {
    this.#starting ??= this.#begin(false);
    return this.#starting;
  }

  async takeOver(): Promise<void> {
    this.phase = 'starting';
    await this.#begin(true);
  }

  async #begin(steal: boolean): Promise<void> {
    if (globalThis.crypto?.subtle === undefined) {
      this.phase = 'insecure';
      return;
    }
    if (!(await this.#lock.acquire(steal))) {
      this.phase = 'otherTab';
      return;
    }
    try {
      const { openEngine } = await import('../engine/open');
      this.#engine = await openEngine(this.#sink, deviceName(), this.#options.engine);
      await this.#engine.start();
    } catch {
      this.#engine = null;
      this.#lock.release();
      this.phase = 'failed';
    }
  }

  #handOver(): void {
    this.#engine?.stop();
    this.#engine = null;
    // The next engine here knows of no statement, and would not keep these up to date.
    this.#statements.clear();
    this.#asked.clear();
    this.#presence.clear();
    this.#stopCountdown();
    this.connection = 'offline';
    this.phase = 'otherTab';
  }

  /** For tests: as closing the tab. */
  close(): void {
    this.#engine?.stop();
    this.#stopCountdown();
    this.#lock.release();
  }

  readonly #sink: Sink = {
    phase: (phase) => {
      this.phase = phase;
    },
    update: () => {
      this.updateReady = true;
    },
    connection: (state, retryInMs) => this.#showConnection(state, retryInMs),
    me: (me) => {
      this.me = me;
      if (me === null) {
        this.#forget();
      }
    },
    security: (security) => {
      this.security = security;
    },
    assets: (assets) => {
      this.assets = assets;
    },
    conversations: (list, loading) => {
      const gone = new Set(this.byId.keys());
      for (const conversation of list) {
        gone.delete(conversation.id);
        this.byId.set(conversation.id, conversation);
      }
      for (const id of gone) {
        this.byId.delete(id);
      }
      this.conversations = list;
      this.conversationsLoading = loading;
    },
    thread: (id, snapshot) => {
      const thread = this.#threads.get(id);
      if (thread) {
        thread.items = snapshot.items;
        thread.loading = snapshot.loading;
        thread.hasEarlier = snapshot.hasEarlier;
        thread.firstUnreadKey = snapshot.firstUnreadKey;
      }
    },
    card: (card) => void this.#cards.set(card.id, card),
    presence: (changes) => {
      for (const [account, presence] of changes) {
        if (presence) {
          this.#presence.set(account, presence);
        } else {
          this.#presence.delete(account);
        }
      }
    },
    wallet: (wallet) => {
      this.wallet = wallet;
    },
    payCodes: (codes) => {
      this.payCodes = codes;
    },
    statement: (key, statement) => {
      if (statement) {
        this.#statements.set(key, statement);
      } else {
        this.#statements.delete(key);
      }
    },
  };

  #forget(): void {
    this.security = unknownSecurity;
    this.payCodes = [];
    this.#cards.clear();
    this.#statements.clear();
    this.#threads.clear();
    this.#asked.clear();
    this.#presence.clear();
    this.wallet = { balances: [], loading: true, error: null };
  }

  /** The banner counts down by the second. */
  #showConnection(state: ConnectionState, retryInMs: number | null): void {
    this.connection = state;
    this.retryInMs = retryInMs;
    this.#stopCountdown();
    if (retryInMs !== null) {
      const until = Date.now() + retryInMs;
      this.#countdown = setInterval(() => {
        this.retryInMs = Math.max(0, until - Date.now());
      }, 1000);
    }
  }

  #stopCountdown(): void {
    if (this.#countdown !== null) {
      clearInterval(this.#countdown);
      this.#countdown = null;
    }
  }

  /** @throws ActionError `not_ready`, also while another tab is in charge. */
  get #ready(): Engine {
    if (!this.#engine) {
      throw new ActionError({ code: 0, name: 'not_ready', retryable: false });
    }
    return this.#engine;
  }

  /** Whatever goes wrong, screens get an `ActionError`. */
  async #act<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    const engine = this.#ready;
    try {
      return await work(engine);
    } catch (thrown) {
      if (thrown instanceof ActionError) {
        throw thrown;
      }
      throw new ActionError({ code: 0, name: 'unexpected', retryable: false });
    }
  }

  /** For what screens do not wait for; the item itself shows what went wrong. */
  #background(work: (engine: Engine) => Promise<unknown>): void {
    void this.#act(work).catch(() => undefined);
  }

  signUp: ChatApp['signUp'] = (form) => this.#act((engine) => engine.signUp(form));
  signIn: ChatApp['signIn'] = (form) => this.#act((engine) => engine.signIn(form));
  signOut: ChatApp['signOut'] = () => this.#act((engine) => engine.signOut());
  reconnectNow: ChatApp['reconnectNow'] = () => this.#engine?.reconnectNow();

  findPerson: ChatApp['findPerson'] = (handle) => this.#act((engine) => engine.findPerson(handle));
  startDirect: ChatApp['startDirect'] = (person) => this.#act((engine) => engine.services.chats.startDirect(person));
  createGroup: ChatApp['createGroup'] = (name, people) =>
    this.#act((engine) => engine.services.chats.createGroup(name, people));
  renameGroup: ChatApp['renameGroup'] = (id, name) => this.#act((engine) => engine.services.chats.rename(id, name));
  addMembers: ChatApp['addMembers'] = (id, people) =>
    this.#act((engine) => engine.services.chats.addMembers(id, people));
  removeMember: ChatApp['removeMember'] = (id, account) =>
    this.#act((engine) => engine.services.chats.removeMember(id, account));
  setRole: ChatApp['setRole'] = (id, account, role) =>
    this.#act((engine) => engine.services.chats.setRole(id, account, role));
  leave: ChatApp['leave'] = (id) => this.#act((engine) => engine.services.chats.leave(id));

  openThread(id: string): Thread | null {
    const conversation = this.byId.get(id);
    if (!conversation || !this.#engine) {
      return null;
    }
    const thread = this.#threads.get(id) ?? new OpenedThread(this, id, conversation);
    this.#threads.set(id, thread);
    this.#engine.openThread(id);
    return thread;
  }

  closeThread(id: string): void {
    this.#engine?.services.threads.close(id);
    if (!this.#engine?.services.threads.isOpen(id)) {
      this.#threads.delete(id);
    }
  }

  loadEarlier: ChatApp['loadEarlier'] = (id) => this.#act((engine) => engine.services.threads.loadEarlier(id));
  markRead: ChatApp['markRead'] = (id) => this.#background((engine) => engine.services.receipts.markRead(id));
  setDraft: ChatApp['setDraft'] = (id, text) => this.#background((engine) => engine.setDraft(id, text));
  typing: ChatApp['typing'] = (id) => this.#engine?.services.typing.mine(id);
  sendText: ChatApp['sendText'] = (id, text) => this.#background((engine) => engine.sendText(id, text));
  retry: ChatApp['retry'] = (id, key) => this.#background((engine) => engine.services.outbox.retry(id, key));
  discard: ChatApp['discard'] = (id, key) => this.#background((engine) => engine.services.outbox.discard(id, key));

  postCard: ChatApp['postCard'] = (card, consent) => this.#act((engine) => engine.postCard(card, consent));
  actOnCard: ChatApp['actOnCard'] = (card, action, consent, amountMinor) =>
    this.#act((engine) => engine.actOnCard(card, action, consent, amountMinor));
  loadCardParts: ChatApp['loadCardParts'] = (card) => this.#act((engine) => engine.loadCardParts(card));

  card(id: string): Card | null {
    const known = this.#cards.get(id);
    if (!known && this.#engine && !this.#asked.has(id)) {
      this.#asked.add(id);
      this.#background((engine) => engine.fetchCard(id));
    }
    return known ?? null;
  }

  refreshWallet: ChatApp['refreshWallet'] = () => this.#act((engine) => engine.services.wallet.refresh());

  statement(asset: string, filter?: StatementFilter): Statement {
    const known = this.#statements.get(statementKey(asset, filter));
    return known ?? { entries: [], loading: false, hasMore: true, error: null };
  }

  loadMoreStatement: ChatApp['loadMoreStatement'] = (asset, filter) =>
    this.#act((engine) => engine.services.wallet.loadMore(asset, filter));
  walletActivity: ChatApp['walletActivity'] = (asset) =>
    this.#act((engine) => engine.services.walletBook.activity(asset));
  walletHolds: ChatApp['walletHolds'] = () => this.#act((engine) => engine.services.walletBook.holds());
  walletLimits: ChatApp['walletLimits'] = () => this.#act((engine) => engine.services.walletBook.limits());
  exportStatement: ChatApp['exportStatement'] = (asset, format, from, to) =>
    this.#act((engine) => engine.services.walletBook.export(asset, format, from, to));
  receipt: ChatApp['receipt'] = (transfer) => this.#act((engine) => engine.services.paymentReceipts.one(transfer));
  receiptsOfCard: ChatApp['receiptsOfCard'] = (card) =>
    this.#act((engine) => engine.services.paymentReceipts.ofCard(card));

  ownPayCode: ChatApp['ownPayCode'] = () => this.#act(async (engine) => engine.services.payCodes.ownText());
  makePayCode: ChatApp['makePayCode'] = (wanted) => this.#act((engine) => engine.services.payCodes.make(wanted));
  removePayCode: ChatApp['removePayCode'] = (code) => this.#act((engine) => engine.services.payCodes.remove(code));
  askByPayCode: ChatApp['askByPayCode'] = (code) => this.#act((engine) => engine.services.payCodes.ask(code));
  scanPayCode: ChatApp['scanPayCode'] = (text) => this.#act((engine) => engine.services.payCodes.scan(text));

  presence: ChatApp['presence'] = (account) => this.#presence.get(account) ?? null;
  changePresence: ChatApp['changePresence'] = (presence) => this.#act((engine) => engine.changePresence(presence));

  listDevices: ChatApp['listDevices'] = () => this.#act((engine) => engine.services.devices.list());
  unlistedDevices: ChatApp['unlistedDevices'] = (listed) =>
    this.#act((engine) => engine.services.devices.unlisted(listed));
  revokeDevice: ChatApp['revokeDevice'] = (id) => this.#act((engine) => engine.services.devices.revoke(id));
  revokeUnlistedDevice: ChatApp['revokeUnlistedDevice'] = (id) =>
    this.#act((engine) => engine.services.devices.revokeUnlisted(id));
  changePassword: ChatApp['changePassword'] = (current, next) =>
    this.#act((engine) => engine.options.api.changePassword(current, next));
  changeDisplayName: ChatApp['changeDisplayName'] = (name) => this.#act((engine) => engine.changeDisplayName(name));
  fingerprints: ChatApp['fingerprints'] = (id, account) =>
    this.#act((engine) => engine.services.chats.fingerprints(id, account));

  approvalCode: ChatApp['approvalCode'] = () => this.#act((engine) => engine.services.keys.approvalCode());
  readApprovalCode: ChatApp['readApprovalCode'] = (code) => this.#act((engine) => engine.readApprovalCode(code));
  approveDevice: ChatApp['approveDevice'] = (code) => this.#act((engine) => engine.approveDevice(code));
  renewIdentity: ChatApp['renewIdentity'] = () => this.#act((engine) => engine.services.keys.own.rotate());
  resetIdentity: ChatApp['resetIdentity'] = () => this.#act((engine) => engine.services.keys.own.reset());
  refusePin: ChatApp['refusePin'] = (pin) => this.#act(async (engine) => engine.services.keys.pins.refuse(pin));
  setPin: ChatApp['setPin'] = (pin, tell, at) => this.#act((engine) => engine.services.payPin.set(pin, tell, at));
  removePin: ChatApp['removePin'] = () => this.#act((engine) => engine.services.payPin.remove());
  changePinLimit: ChatApp['changePinLimit'] = (asset, limitMinor, consent) =>
    this.#act((engine) => engine.services.payPin.changeLimit(asset, limitMinor, consent));
  recoverWithPin: ChatApp['recoverWithPin'] = (pin, tell) =>
    this.#act((engine) => engine.services.payPin.recover(pin, tell));
  lookAtPin: ChatApp['lookAtPin'] = () => this.#act((engine) => engine.services.keys.vault.lookAtPin());
  vaultOverview: ChatApp['vaultOverview'] = () => this.#act((engine) => vaultOverview(engine.services.core.api));
  beginPinWait: ChatApp['beginPinWait'] = () => this.#act((engine) => engine.services.keys.pins.waits.begin());
  cancelPinWait: ChatApp['cancelPinWait'] = () => this.#act((engine) => engine.services.keys.pins.waits.cancel());
  clearPinFailures: ChatApp['clearPinFailures'] = () =>
    this.#act((engine) => engine.services.keys.pins.guesses.giveBack());
  turnArchiveOn: ChatApp['turnArchiveOn'] = () => this.#act((engine) => engine.services.archive.turnOn());
  turnArchiveOff: ChatApp['turnArchiveOff'] = () => this.#act((engine) => engine.services.archive.turnOff());
  lookAtArchive: ChatApp['lookAtArchive'] = () => this.#act((engine) => engine.services.archive.look());
  flushArchive: ChatApp['flushArchive'] = () => this.#background((engine) => engine.services.archive.flush());
  personKeys: ChatApp['personKeys'] = (account) => this.#act((engine) => engine.services.keys.personKeys(account));
  scanSafety: ChatApp['scanSafety'] = (account, scanned) =>
    this.#act((engine) => engine.services.keys.scanSafety(account, scanned));
  verifySafety: ChatApp['verifySafety'] = (account, shown) =>
    this.#act((engine) => engine.services.keys.verifySafety(account, shown));
  unverify: ChatApp['unverify'] = (account) => this.#act((engine) => engine.services.keys.people.unverify(account));
  acceptIdentity: ChatApp['acceptIdentity'] = (account) =>
    this.#act((engine) => engine.services.keys.people.accept(account, false));
  dismissKeyAlarm: ChatApp['dismissKeyAlarm'] = (number) =>
    this.#act((engine) => engine.services.keys.alarms.dismiss(number));
}
