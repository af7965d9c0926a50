import type { MlsPort } from '../crypto/port';
import type { OpenHub, ServerApi } from '../net/api';
import type { ConnectionListener } from '../net/connection';
import { toBase64 } from '../protocol/bytes';
import { ErrorCode, isCode, localError, toActionError } from '../protocol/errors';
import { Limits } from '../protocol/limits';
import type { HelloReply, SessionMode, SessionReply } from '../protocol/wire';
import type { CardAction, ConnectionState, Device, NewCard, Person, SignIn, SignUp } from '../state/contract';
import { Database, type DatabaseOptions, FencedError } from '../storage/database';
import type { DeviceRecord, ItemRecord } from '../storage/records';
import { checkCard, checkText } from './checks';
import { defaultTiming, type Timing } from './core';
import { firstSight } from './items';
import { Services } from './services';
import type { Sink } from './sink';

export type EngineOptions = {
  database: DatabaseOptions;
  api: ServerApi;
  openHub: OpenHub;
  mls: MlsPort;
  sessionMode: SessionMode;
  deviceName: string;
  stock?: number;
  timing?: Partial<Timing>;
};

/** The client below the screens: one signed-in device, its conversations, keys and wallet. */
export class Engine {
  #services: Services;
  #db: Database;
  #hello: HelloReply | null = null;
  #loaded = false;
  readonly #dirty = { conversations: false, threads: new Set<string>(), cards: new Set<string>(), flushing: false };

  private constructor(
    readonly options: EngineOptions,
    readonly sink: Sink,
    db: Database,
  ) {
    this.#db = db;
    this.#services = this.#assemble();
  }

  /** Opens the database and takes it from any other instance. */
  static async open(options: EngineOptions, sink: Sink): Promise<Engine> {
    const db = await Database.open(options.database);
    await db.own();
    return new Engine(options, sink, db);
  }

  get services(): Services {
    return this.#services;
  }

  #assemble(): Services {
    const { api, openHub, mls, sessionMode, stock, timing } = this.options;
    const parts = {
      db: this.#db,
      mls,
      api,
      openHub,
      sessionMode,
      stock: stock ?? 50,
      timing: { ...defaultTiming, ...timing },
    };
    const changed = {
      conversation: (id: string) => this.#touchConversation(id),
      items: (id: string, put: ItemRecord[], removed: string[]) => this.#itemsChanged(id, put, removed),
      card: (id: string) => this.#touchCard(id),
      thread: (id: string) => this.#touchThread(id),
      wallet: (asset: string | null) => this.#walletChanged(asset),
    };
    return new Services(parts, changed, this.#listener());
  }

  #listener(): ConnectionListener {
    const services = () => this.#services;
    return {
      greet: (hub) => this.#greet(hub),
      changed: (state, retryInMs) => this.#connectionChanged(state, retryInMs),
      lost: () => void this.#lost().catch(() => undefined),
      events: (events) => services().sync.pushed(events),
      heads: (views) => services().sync.heads(views),
      deviceMessages: (messages) => services().sync.welcomes(messages),
      receipts: (receipts) => this.#receipts(receipts),
      ephemeral: (signals) => services().typing.heard(signals),
      walletChanged: (balances) => services().wallet.take(balances),
      control: (signal) => this.#control(signal),
    };
  }

  /** Shows what is stored, then connects. */
  async start(): Promise<void> {
    const { core } = this.#services;
    await core.load();
    this.#loaded = core.deviceOrNull?.lineage != null;
    if (!core.deviceOrNull) {
      this.sink.phase('signedOut');
      return;
    }
    this.#showMe();
    this.#flushNow(true);
    this.sink.phase('ready');
    this.#services.connection.start();
  }

  /** Nothing is written any more after this; the database may be opened elsewhere. */
  stop(): void {
    this.#services.stop();
    this.#db.close();
  }

  // Sessions.

  async signUp(form: SignUp): Promise<void> {
    await this.#startOver();
    const { mls, api, sessionMode, deviceName } = this.options;
    const keys = await mls.generateKeyPair();
    const device = { name: deviceName, signatureKey: toBase64(keys.publicKey) };
    const reply = await api.signUp({ ...form, device, session: sessionMode });
    await this.#signedIn(reply, keys);
  }

  /** As the device that is still stored here if it is of the same account, otherwise as a new one. */
  async signIn(form: SignIn): Promise<void> {
    const { mls, api, sessionMode, deviceName } = this.options;
    const known = this.#services.core.deviceOrNull;
    const handle = form.handle.replace(/^@/, '').toLowerCase();
    if (known && known.handle === handle) {
      try {
        const device = { name: deviceName, signatureKey: toBase64(known.publicKey) };
        const reply = await api.signIn({ ...form, device, deviceId: known.device, session: sessionMode });
        await this.#signedIn(reply, known);
        return;
      } catch (thrown) {
        const gone = [ErrorCode.deviceRevoked, ErrorCode.deviceUnknown, ErrorCode.deviceKeyMismatch];
        if (!gone.some((code) => isCode(thrown, code))) {
          throw thrown;
        }
      }
    }
    const keys = await mls.generateKeyPair();
    const device = { name: deviceName, signatureKey: toBase64(keys.publicKey) };
    const reply = await api.signIn({ ...form, device, session: sessionMode });
    await this.#startOver();
    await this.#signedIn(reply, keys);
  }

  async #signedIn(reply: SessionReply, keys: { publicKey: Uint8Array; privateKey: Uint8Array }): Promise<void> {
    const { core } = this.#services;
    const earlier = core.deviceOrNull;
    const device: DeviceRecord = {
      account: reply.account.id,
      handle: reply.account.handle,
      displayName: reply.account.displayName,
      device: reply.device.id,
      publicKey: keys.publicKey,
      privateKey: keys.privateKey,
      sandbox: earlier?.sandbox ?? false,
      assets: earlier?.assets ?? [],
      lineage: earlier?.lineage ?? null,
      lastResortUntilMs: earlier?.lastResortUntilMs ?? 0,
    };
    await core.write([{ put: 'device', value: device }], 'strict');
    core.learn(reply.account);
    await this.#refreshMe().catch(() => undefined);
    this.#loaded = device.lineage !== null;
    this.#showMe();
    this.#flushNow(true);
    this.sink.phase('ready');
    this.#services.connection.start();
  }

  async signOut(): Promise<void> {
    const { core, connection } = this.#services;
    const { device } = core.device;
    connection.stop();
    try {
      await this.options.api.revokeDevice(device);
    } catch (thrown) {
      const gone = [ErrorCode.unauthenticated, ErrorCode.deviceRevoked, ErrorCode.deviceUnknown];
      if (!gone.some((code) => isCode(thrown, code))) {
        connection.start();
        throw thrown;
      }
    }
    await this.options.api.endSession().catch(() => undefined);
    await this.#startOver();
    this.sink.phase('signedOut');
  }

  /** Deletes everything and begins anew with an empty database. */
  async #startOver(): Promise<void> {
    this.#services.stop();
    await this.#db.wipe();
    this.#db.close();
    this.#db = await Database.open(this.options.database);
    await this.#db.own();
    this.#services = this.#assemble();
    this.#hello = null;
    this.#loaded = false;
    this.sink.me(null);
    this.sink.conversations([], true);
  }

  /** The server says that this session is over: was the device revoked, or only the session ended? */
  async #checkSession(): Promise<void> {
    try {
      await this.options.api.me();
    } catch (thrown) {
      await this.#sessionError(thrown);
    }
  }

  async #sessionError(thrown: unknown): Promise<void> {
    if (isCode(thrown, ErrorCode.deviceRevoked) || isCode(thrown, ErrorCode.deviceUnknown)) {
      await this.#startOver();
      this.sink.phase('revoked');
    } else if (isCode(thrown, ErrorCode.unauthenticated)) {
      // The device lives on: what it holds is shown again once its owner has signed in.
      this.#services.connection.stop();
      this.sink.phase('signedOut');
    }
  }

  // The connection.

  async #greet(hub: Parameters<ConnectionListener['greet']>[0]): Promise<void> {
    const { core } = this.#services;
    const cursors = [...core.conversations.values()]
      .filter((conversation) => conversation.active)
      .slice(0, Limits.cursorsPerHello)
      .map((conversation) => ({ conversation: conversation.id, seq: conversation.cursor }));
    const { device, lineage } = core.device;
    const request = { device, protocol: Limits.protocolVersion, capabilities: [], lineage, cursors };
    try {
      this.#hello = await hub.hello(request);
    } catch (thrown) {
      await this.#sessionError(thrown);
      throw thrown;
    }
  }

  #connectionChanged(state: ConnectionState, retryInMs: number | null): void {
    this.sink.connection(state, retryInMs);
    if (state === 'online' && this.#hello) {
      void this.#online(this.#hello).catch(() => undefined);
    }
  }

  async #online(hello: HelloReply): Promise<void> {
    const { sync, stock, receipts, outbox, wallet } = this.#services;
    void stock.fill(hello.keyPackagesLeft).catch(() => undefined);
    void wallet.refresh().catch(() => undefined);
    void this.#refreshMe().catch(() => undefined);
    await sync.greeted(hello);
    this.#loaded = true;
    this.#touchConversations();
    receipts.touchedAll();
    outbox.kickAll();
  }

  async #lost(): Promise<void> {
    await this.#services.outbox.lost();
    if (!this.#services.core.online) {
      await this.#checkSession();
    }
  }

  #control(signal: Parameters<ConnectionListener['control']>[0]): void {
    switch (signal.kind) {
      case 'resync':
        this.#services.sync.resync(signal.conversation ?? null);
        break;
      case 'revoked':
        void this.#checkSession();
        break;
      case 'reconnect':
        this.#services.connection.reconnectAfter(signal.reconnectAfterMs ?? 1000);
        break;
      case 'keyPackagesLow':
        void this.#services.stock.fill(Limits.keyPackagesLowStock - 1).catch(() => undefined);
    }
  }

  #receipts(receipts: Parameters<ConnectionListener['receipts']>[0]): void {
    const { sync, receipts: own, core } = this.#services;
    sync.receipts(receipts);
    const mine = receipts.filter((receipt) => receipt.account === core.deviceOrNull?.account);
    for (const id of new Set(mine.map((receipt) => receipt.conversation))) {
      void own.followOwnDevices(id).catch(() => undefined);
    }
  }

  reconnectNow(): void {
    this.#services.connection.reconnectNow();
  }

  async #refreshMe(): Promise<void> {
    const { core } = this.#services;
    const { account, sandbox, assets } = await this.options.api.me();
    const { handle, displayName } = core.learn(account);
    await core.updateDevice({ handle, displayName, sandbox, assets });
    this.#showMe();
  }

  #showMe(): void {
    const { account, handle, displayName, device, sandbox, assets } = this.#services.core.device;
    this.sink.me({ id: account, handle, displayName, device, sandbox });
    this.sink.assets(assets);
  }

  // What people do.

  async findPerson(handle: string): Promise<Person> {
    const account = await this.options.api.accountByHandle(handle.trim().replace(/^@/, '').toLowerCase());
    return this.#services.core.learn(account);
  }

  async sendText(conversation: string, text: string): Promise<void> {
    checkText(text);
    await this.#services.outbox.sendText(conversation, text);
    this.#services.typing.sent(conversation);
  }

  async postCard(card: NewCard): Promise<void> {
    const { core, outbox } = this.#services;
    checkCard(card, core.device, core.conversation(card.conversation));
    await outbox.postCard({ ...card, memo: card.memo.trim() });
  }

  actOnCard(card: string, action: CardAction): Promise<void> {
    return this.#services.cards.act(card, action);
  }

  /** Brings a card into view: from local data, or its state alone from the server. */
  async fetchCard(id: string): Promise<void> {
    const { core } = this.#services;
    if (!(await core.card(id))) {
      const view = await this.options.api.card(id);
      core.cards.set(id, firstSight(view));
    }
    this.#touchCard(id);
  }

  setDraft(conversation: string, draft: string): Promise<void> {
    return this.#services.core.update(conversation, (record) => (record.draft === draft ? null : { ...record, draft }));
  }

  async listDevices(): Promise<Device[]> {
    const devices = await this.options.api.devices();
    return devices.map(({ id, name, fingerprint, createdAt, lastSeenAt, current }) => ({
      id,
      name,
      fingerprint,
      createdAt: Date.parse(createdAt),
      lastSeenAt: Date.parse(lastSeenAt),
      current,
    }));
  }

  async changeDisplayName(displayName: string): Promise<void> {
    const { core } = this.#services;
    const account = await this.options.api.changeDisplayName(displayName.trim());
    core.learn(account);
    await core.updateDevice({ displayName: account.displayName });
    this.#showMe();
  }

  openThread(id: string): boolean {
    if (!this.#services.core.conversations.has(id)) {
      return false;
    }
    this.#services.threads.open(id);
    return true;
  }

  // Showing.

  #itemsChanged(id: string, put: ItemRecord[], removed: string[]): void {
    const { threads, typing } = this.#services;
    threads.follow(id, put, removed);
    for (const item of put) {
      if (item.sender && !item.mine) {
        typing.spoke(id, item.sender.id);
      }
    }
  }

  #touchConversation(id: string): void {
    this.#touchThread(id);
    this.#touchConversations();
  }

  #touchConversations(): void {
    this.#dirty.conversations = true;
    this.#flushSoon();
  }

  #touchThread(id: string): void {
    if (this.#services?.threads.isOpen(id)) {
      this.#dirty.threads.add(id);
      this.#flushSoon();
    }
  }

  #touchCard(id: string): void {
    this.#dirty.cards.add(id);
    const conversation = this.#services.core.cards.get(id)?.view.conversation;
    if (conversation) {
      this.#touchConversation(conversation);
    }
    this.#flushSoon();
  }

  #walletChanged(asset: string | null): void {
    const { wallet } = this.#services;
    if (asset === null) {
      this.sink.wallet(wallet.wallet);
    } else {
      this.sink.statement(asset, wallet.statement(asset));
    }
  }

  /** Many changes of one moment are shown together. */
  #flushSoon(): void {
    if (!this.#dirty.flushing) {
      this.#dirty.flushing = true;
      queueMicrotask(() => this.#flushNow(false));
    }
  }

  #flushNow(everything: boolean): void {
    const { core, views, threads } = this.#services;
    const dirty = this.#dirty;
    dirty.flushing = false;
    for (const id of dirty.cards) {
      const card = views.cardById(id);
      if (card) {
        this.sink.card(card);
      }
    }
    for (const id of everything ? threads.openIds() : dirty.threads) {
      const snapshot = threads.snapshot(id);
      if (snapshot) {
        this.sink.thread(id, snapshot);
      }
    }
    if (dirty.conversations || everything) {
      const list = [...core.conversations.values()].sort((a, b) => b.lastActivityAt - a.lastActivityAt);
      this.sink.conversations(
        list.map((record) => views.conversation(record)),
        !this.#loaded && list.length === 0,
      );
    }
    dirty.conversations = false;
    dirty.threads.clear();
    dirty.cards.clear();
  }
}

/** Whether a failure means that another tab has taken over. */
export function isFenced(thrown: unknown): boolean {
  return thrown instanceof FencedError;
}

/** For callers that show errors: everything becomes an `ActionError`. */
export async function asAction<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    throw thrown instanceof FencedError ? localError('not_ready', false) : toActionError(thrown);
  }
}
