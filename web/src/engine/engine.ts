import type { MlsPort } from '../crypto/port';
import type { OpenHub, ServerApi } from '../net/api';
import { toBase64, wellFormed } from '../protocol/bytes';
import { nobody } from '../protocol/cardTerms';
import { ErrorCode, isCode, localError } from '../protocol/errors';
import type { PresenceVisibility, SessionMode, SessionReply } from '../protocol/wire';
import {
  type CardAction,
  type Device,
  debitOf,
  mayLeave,
  type NewCard,
  type Person,
  type PinConsent,
  type SignIn,
  type SignUp,
} from '../state/contract';
import { Database, type DatabaseOptions } from '../storage/database';
import type { DeviceRecord } from '../storage/records';
import { checkCard, checkText } from './checks';
import { defaultTiming, type Timing } from './core';
import { debitedBy } from './debits';
import { newTerms } from './entries';
import { firstSight } from './items';
import type { PinOptions } from './keys/pins';
import { Link } from './link';
import { Presenter } from './presenter';
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
  pins?: PinOptions;
};

/** The client below the screens: one signed-in device, its conversations, keys and wallet. */
export class Engine {
  #services: Services;
  #db: Database;
  #presenter: Presenter;
  readonly #link: Link;
  #startingOver: Promise<void> | null = null;

  private constructor(
    readonly options: EngineOptions,
    readonly sink: Sink,
    db: Database,
  ) {
    this.#db = db;
    this.#presenter = new Presenter(sink, () => this.#services);
    this.#link = new Link({
      services: () => this.#services,
      presenter: this.#presenter,
      sink,
      refreshMe: () => this.#refreshMe(),
      checkSession: () => this.#checkSession(),
      sessionError: (thrown) => this.#sessionError(thrown),
    });
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
    const { api, openHub, mls, sessionMode, stock, timing, pins } = this.options;
    const parts = {
      db: this.#db,
      mls,
      api,
      openHub,
      sessionMode,
      stock: stock ?? 50,
      timing: { ...defaultTiming, ...timing },
      pins: pins ?? {},
    };
    const services = new Services(parts, this.#presenter, this.#link.listener());
    services.payCodes.post = (card) => this.postCard(card);
    return services;
  }

  /** Shows what is stored, then connects. */
  async start(): Promise<void> {
    const { core, keys, archive, payPin, payCodes } = this.#services;
    await core.load();
    await Promise.all([keys.load(), payPin.load()]);
    await Promise.all([archive.load(), payCodes.load()]);
    this.#presenter.loaded = core.deviceOrNull?.lineage != null;
    if (!core.deviceOrNull) {
      this.sink.phase('signedOut');
      return;
    }
    this.#showMe();
    this.#presenter.flush(true);
    this.sink.phase('ready');
    this.#services.connection.start();
  }

  /** Nothing is written any more after this; the database may be opened elsewhere. */
  stop(): void {
    this.#services.stop();
    this.#db.close();
    this.options.mls.stop?.();
  }

  // Sessions.

  async signUp(form: SignUp): Promise<void> {
    const { mls, api, sessionMode, deviceName } = this.options;
    const keys = await mls.generateKeyPair();
    const device = { name: deviceName, signatureKey: toBase64(keys.publicKey) };
    const reply = await api.signUp({ ...form, device, session: sessionMode });
    await this.#startOver();
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

  async #signedIn(reply: SessionReply, pair: { publicKey: Uint8Array; privateKey: Uint8Array }): Promise<void> {
    const { core, keys } = this.#services;
    const earlier = core.deviceOrNull;
    const device: DeviceRecord = {
      account: reply.account.id,
      handle: reply.account.handle,
      displayName: reply.account.displayName,
      device: reply.device.id,
      publicKey: pair.publicKey,
      privateKey: pair.privateKey,
      credential: earlier?.credential ?? null,
      sandbox: earlier?.sandbox ?? false,
      presence: earlier?.presence ?? 'contacts',
      assets: earlier?.assets ?? [],
      lineage: earlier?.lineage ?? null,
      lastResortUntilMs: earlier?.lastResortUntilMs ?? 0,
    };
    await core.write([{ put: 'device', value: device }], 'strict');
    core.learn(reply.account);
    await this.#refreshMe().catch(() => undefined);
    // What this device is to its account is known before anything is shown, where the server can be asked.
    await keys.own.ensure().catch(() => undefined);
    this.#presenter.loaded = device.lineage !== null;
    this.#showMe();
    this.#presenter.flush(true);
    this.sink.phase('ready');
    this.#services.connection.start();
  }

  async signOut(): Promise<void> {
    const { core, connection, keys, archive } = this.#services;
    const { device } = core.device;
    await archive.flush();
    // The last one of a chain cannot go from it: only a new identity follows then.
    await keys.revokeInChain(device).catch(() => undefined);
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
    await this.#startOver('signedOut');
  }

  /** Deletes everything and begins anew with an empty database; once, however many notice that it is time. */
  #startOver(phase?: 'signedOut' | 'revoked'): Promise<void> {
    this.#startingOver ??= this.#wipeAndBegin(phase).finally(() => {
      this.#startingOver = null;
    });
    return this.#startingOver;
  }

  async #wipeAndBegin(phase: 'signedOut' | 'revoked' | undefined): Promise<void> {
    this.#services.stop();
    await this.#db.wipe();
    this.#db.close();
    this.#db = await Database.open(this.options.database);
    await this.#db.own();
    this.#services = this.#assemble();
    this.#link.forget();
    this.#presenter.loaded = false;
    this.sink.me(null);
    this.sink.conversations([], true);
    if (phase) {
      this.sink.phase(phase);
    }
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
    if (!this.#services.core.deviceOrNull) {
      // A revocation is heard of by its signal and by the closed connection; the first has seen to it.
      return;
    }
    if (isCode(thrown, ErrorCode.upgradeRequired)) {
      this.sink.update();
    } else if (isCode(thrown, ErrorCode.deviceRevoked) || isCode(thrown, ErrorCode.deviceUnknown)) {
      await this.#startOver('revoked');
    } else if (isCode(thrown, ErrorCode.unauthenticated)) {
      // The device lives on: what it holds is shown again once its owner has signed in.
      this.#services.connection.stop();
      this.sink.phase('signedOut');
    }
  }

  reconnectNow(): void {
    this.#services.connection.reconnectNow();
  }

  async #refreshMe(): Promise<void> {
    const { core } = this.#services;
    const { account, sandbox, assets, presence } = await this.options.api.me();
    const { handle, displayName } = core.learn(account);
    await core.updateDevice({ handle, displayName, sandbox, assets, presence: presence ?? 'contacts' });
    this.#showMe();
  }

  #showMe(): void {
    const { account, handle, displayName, device, sandbox, assets, presence } = this.#services.core.device;
    this.sink.me({ id: account, handle, displayName, device, sandbox, presence: presence ?? 'contacts' });
    this.sink.assets(assets);
    this.sink.security(this.#services.security);
  }

  // What people do.

  async findPerson(handle: string): Promise<Person> {
    const account = await this.options.api.accountByHandle(handle.trim().replace(/^@/, '').toLowerCase());
    return this.#services.core.learn(account);
  }

  async sendText(conversation: string, text: string): Promise<void> {
    checkText(text);
    await this.#services.keys.requireAccepted(conversation);
    await this.#services.outbox.sendText(conversation, wellFormed(text));
    this.#services.typing.sent(conversation);
  }

  async postCard(card: NewCard, consent: PinConsent | null = null): Promise<void> {
    const { core, outbox, keys, sync, payPin } = this.#services;
    await keys.requireAccepted(card.conversation);
    checkCard(card, core.device, core.conversation(card.conversation));
    if (card.plan?.delivery === 'atOnce' && !keys.people.isVerified(card.other ?? '')) {
      // Nothing brings it back from somebody who only has the name.
      throw localError('not_verified', false);
    }
    const debited = debitedBy(newTerms(core.device.account, card, nobody));
    const debit = debitOf(debited, 'post');
    if (debit) {
      // No PIN is asked for, and no try used up, for what cannot be sent.
      sync.requireOnline();
      const leaves = debit.amountOf(debited, core.device.account, null) ?? 0n;
      const most = mayLeave(leaves, card.plan?.period, card.lifetimeSeconds ?? 0);
      await payPin.require(card.asset, most, consent);
    }
    await outbox.postCard({ ...card, memo: wellFormed(card.memo.trim()) });
  }

  actOnCard(
    card: string,
    action: CardAction,
    consent: PinConsent | null = null,
    amountMinor: bigint | null = null,
  ): Promise<void> {
    return this.#services.cards.act(card, action, consent, amountMinor);
  }

  loadCardParts(card: string): Promise<void> {
    return this.#services.cards.loadParts(card);
  }

  /** Brings a card into view: from local data, or its state alone from the server. */
  async fetchCard(id: string): Promise<void> {
    const { core } = this.#services;
    if (!(await core.card(id))) {
      const view = await this.options.api.card(id);
      core.cards.set(id, firstSight(view));
    }
    this.#presenter.card(id);
  }

  setDraft(conversation: string, draft: string): Promise<void> {
    return this.#services.core.update(conversation, (record) => (record.draft === draft ? null : { ...record, draft }));
  }

  async readApprovalCode(code: string): Promise<Device> {
    const { keys, devices } = this.#services;
    return devices.view(await keys.readCode(code));
  }

  async approveDevice(code: string): Promise<Device> {
    const { keys, devices } = this.#services;
    return devices.view(await keys.approve(code));
  }

  async changeDisplayName(displayName: string): Promise<void> {
    const { core } = this.#services;
    const account = await this.options.api.changeDisplayName(displayName.trim());
    core.learn(account);
    await core.updateDevice({ displayName: account.displayName });
    this.#showMe();
  }

  async changePresence(presence: PresenceVisibility): Promise<void> {
    const { core } = this.#services;
    await this.options.api.changePresence(presence);
    await core.updateDevice({ presence });
    this.#showMe();
    // Who hides does not see others, and who shows itself again does.
    this.#services.presence.refresh();
  }

  openThread(id: string): boolean {
    if (!this.#services.core.conversations.has(id)) {
      return false;
    }
    this.#services.threads.open(id);
    this.#services.keys.people.look(this.#services.core.conversation(id).members.map((member) => member.account));
    this.#services.sync.look(id);
    return true;
  }
}
