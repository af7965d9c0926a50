import type { Hub, HubListener, OpenHub, ServerApi } from '../../net/api';
import { fromBody, localError } from '../../protocol/errors';
import { uuidv7 } from '../../protocol/ids';
import type * as wire from '../../protocol/wire';
import { type Account, type FakeConversation, type FakeDevice, type FakeServer, fail } from './fakeServer';

/** One device's way to the fake server, with a switch for everything that can go wrong on it. */
export class FakeClient {
  device: FakeDevice | null = null;
  up = true;
  /** How many of the next calls are carried out while their answer is lost. */
  loseReplies = 0;
  /** Of which call, where it matters. */
  loseOnly: string | null = null;
  /** Decides whether a pushed event reaches the device. */
  pushes: (event: wire.Event) => boolean = () => true;
  /** Calls that the server is too busy for just now. */
  readonly busy = new Set<string>();
  calls: string[] = [];
  /** Told of every call that the server has carried out, before its answer goes back. */
  onCall: (name: string) => void = () => undefined;
  #listener: HubListener | null = null;

  constructor(readonly server: FakeServer) {}

  /** The network goes away. */
  drop(): void {
    const listener = this.#listener;
    this.#listener = null;
    this.server.connections.delete(this);
    listener?.closed();
  }

  deliver(run: (listener: HubListener) => void): void {
    setTimeout(() => {
      if (this.#listener) {
        run(this.#listener);
      }
    }, 0);
  }

  push(event: wire.Event, conversation: FakeConversation | null): void {
    if (this.pushes(event)) {
      const seen = this.server.tamper(event, this.device?.id ?? '');
      this.deliver((listener) => listener.events([seen]));
    }
    if (conversation) {
      const view = this.server.view(conversation, this.device?.account ?? '');
      this.deliver((listener) => listener.heads([view]));
    }
  }

  async #call<T>(name: string, work: () => T): Promise<T> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (!this.up) {
      throw localError('offline');
    }
    if (this.device?.revoked) {
      return fail(2010, 'device_revoked');
    }
    this.calls.push(name);
    if (this.busy.has(name)) {
      throw fromBody({ code: 1007, name: 'overloaded', message: '', retryable: true });
    }
    const value = work();
    this.onCall(name);
    if (this.loseReplies > 0 && (this.loseOnly === null || this.loseOnly === name)) {
      this.loseReplies--;
      this.drop();
      throw localError('offline');
    }
    return structuredClone(value);
  }

  #me(): FakeDevice {
    return this.device ?? fail(2001, 'unauthenticated');
  }

  #conversation(id: string): FakeConversation {
    const found = this.server.conversations.get(id);
    return found?.members.has(this.#me().account) ? found : fail(3001, 'conversation_unknown');
  }

  #session(account: Account, signatureKey: string, deviceId: string | null): wire.SessionReply {
    const known = deviceId ? this.server.devices.get(deviceId) : null;
    if (known?.revoked) {
      fail(2010, 'device_revoked');
    }
    const made = {
      id: uuidv7(),
      account: account.id,
      key: signatureKey,
      revoked: false,
      packages: [],
      lastResort: null,
    };
    const device: FakeDevice = known ?? made;
    this.server.devices.set(device.id, device);
    this.device = device;
    return { account, device: this.#deviceView(device), token: null, expiresAt: new Date().toISOString() };
  }

  #deviceView({ id, key }: FakeDevice): wire.DeviceView {
    const at = new Date().toISOString();
    const current = id === this.device?.id;
    return { id, name: 'fake', signatureKey: key, fingerprint: '', createdAt: at, lastSeenAt: at, current };
  }

  api: ServerApi = {
    signUp: (request) =>
      this.#call('signUp', () => {
        const { handle, displayName, password, device } = request;
        const account = { id: uuidv7(), handle, displayName, password };
        this.server.accounts.set(account.id, account);
        return this.#session(account, device.signatureKey, null);
      }),
    signIn: (request) =>
      this.#call('signIn', () => {
        const account = [...this.server.accounts.values()].find((entry) => entry.handle === request.handle);
        return account
          ? this.#session(account, request.device.signatureKey, request.deviceId ?? null)
          : fail(2002, 'bad_credentials');
      }),
    endSession: () => this.#call('endSession', () => undefined),
    me: () =>
      this.#call('me', () => {
        const device = this.#me();
        const account = this.server.accounts.get(device.account) as Account;
        return {
          account,
          device: {} as wire.DeviceView,
          sandbox: true,
          assets: [{ code: 'EUR', exponent: 2 }],
          presence: this.server.hidden.has(account.id) ? 'nobody' : 'contacts',
        };
      }),
    changeDisplayName: () => this.#call('changeDisplayName', () => fail(1005, 'not_found')),
    changePassword: () => this.#call('changePassword', () => fail(1005, 'not_found')),
    devices: () =>
      this.#call('devices', () =>
        [...this.server.devices.values()]
          .filter((device) => device.account === this.#me().account && !device.revoked)
          .map((device) => this.#deviceView(device)),
      ),
    revokeDevice: (id) => this.#call('revokeDevice', () => this.server.revoke(id)),
    accountByHandle: (handle) =>
      this.#call(
        'accountByHandle',
        () =>
          [...this.server.accounts.values()].find((entry) => entry.handle === handle) ?? fail(2014, 'account_unknown'),
      ),
    uploadKeyPackages: (keyPackages, lastResort) =>
      this.#call('uploadKeyPackages', () => {
        const device = this.#me();
        if (!this.server.keys.isApproved(device)) {
          fail(7003, 'device_not_approved');
        }
        device.packages.push(...keyPackages);
        device.lastResort = lastResort ?? device.lastResort;
        return { oneTime: device.packages.length, hasLastResort: device.lastResort !== null };
      }),
    claimKeyPackages: (accounts) =>
      this.#call('claimKeyPackages', () => {
        const live = [...this.server.devices.values()].filter((entry) => !entry.revoked);
        const reply: wire.ClaimKeyPackagesReply = { keyPackages: [], missing: [] };
        for (const device of live.filter((entry) => accounts.includes(entry.account))) {
          const keyPackage = device.packages.shift() ?? device.lastResort;
          if (keyPackage) {
            reply.keyPackages.push({ account: device.account, device: device.id, keyPackage });
          } else {
            reply.missing.push(device.id);
          }
        }
        return reply;
      }),
    createConversation: (request) => this.#call('createConversation', () => this.#create(request)),
    conversations: () => this.#call('conversations', () => []),
    conversation: (id) =>
      this.#call('conversation', () => this.server.view(this.#conversation(id), this.#me().account)),
    groupInfo: (id) =>
      this.#call('groupInfo', () => {
        const { epoch, groupInfo, events } = this.#conversation(id);
        return { epoch, seq: events.length, groupInfo };
      }),
    commit: (request) =>
      this.#call('commit', () =>
        this.server.applyCommit(this.#conversation(request.conversation), this.#me(), request),
      ),
    changePresence: (presence) =>
      this.#call('changePresence', () => {
        const { account } = this.#me();
        if (presence === 'nobody') {
          this.server.hidden.add(account);
        } else {
          this.server.hidden.delete(account);
        }
      }),
    leave: (id) => this.#call('leave', () => this.#depart(id, this.#me().account, 'left')),
    removeMember: (id, account) => this.#call('removeMember', () => this.#depart(id, account, 'removed')),
    setRole: () => this.#call('setRole', () => undefined),
    wallet: () => this.#call('wallet', () => ({ balances: [], sandbox: true })),
    statement: () => this.#call('statement', () => ({ entries: [], before: null })),
    keyLog: () => this.#call('keyLog', () => this.server.keys.view()),
    appendKeys: (entries) => this.#call('appendKeys', () => this.server.keys.append(this.#me(), entries)),
    keyChain: (account, from, size) =>
      this.#call('keyChain', () => {
        const me = this.#me().account;
        const isShared = [...this.server.conversations.values()].some(
          ({ members }) => members.has(me) && members.has(account),
        );
        return account === me || isShared ? this.server.keys.reply(account, from, size) : fail(2014, 'account_unknown');
      }),
    keyConsistency: (from, to) => this.#call('keyConsistency', () => this.server.keys.consistency(from, to)),
    wrappedKeys: () => this.#call('wrappedKeys', () => this.server.keys.wrappedOf(this.#me().account)),
    storeWrappedKeys: (revision, wrapped) =>
      this.#call('storeWrappedKeys', () => this.server.keys.store(this.#me().account, revision, wrapped)),
    archive: () => this.#call('archive', () => this.server.archive.view(this.#me().account)),
    turnArchiveOn: (archive) =>
      this.#call('turnArchiveOn', () => this.server.archive.turnOn(this.#me().account, archive)),
    deleteArchive: (archive) =>
      this.#call('deleteArchive', () => this.server.archive.delete(this.#me().account, archive)),
    storeArchiveChunk: (archive, number, sealed) =>
      this.#call('storeArchiveChunk', () => {
        const { account, id } = this.#me();
        this.server.archive.store(account, id, archive, number, sealed);
      }),
    archiveChunks: (archive, device, from) =>
      this.#call('archiveChunks', () => this.server.archive.page(this.#me().account, archive, device, from)),
    vault: () => this.#call('vault', () => this.server.keys.vault()),
    askRealm: (realm, message) => this.#call('askRealm', () => this.server.keys.ask(this.#me(), realm, message)),
    realmToken: () => this.#call('realmToken', () => fail(6001, 'realm_unknown')),
    realmAt: () => this.api,
    vaultAttempts: (realm) => this.#call('vaultAttempts', () => this.server.keys.attempts(this.#me().account, realm)),
    card: (id) => this.#call('card', () => this.server.cards.get(id) ?? fail(5001, 'card_unknown')),
  };

  #depart(id: string, gone: string, how: 'left' | 'removed'): void {
    const conversation = this.#conversation(id);
    const { account } = this.#me();
    const none = {
      added: [],
      removed: [],
      left: [],
      roles: [],
      devicesAdded: [],
      devicesRemoved: [],
      devicesRevoked: [],
    };
    conversation.members.delete(gone);
    for (const leaf of conversation.leaves.filter((entry) => entry?.account === gone)) {
      conversation.removals.add(leaf?.device ?? '');
    }
    this.server.append(conversation, {
      kind: 'members',
      account,
      epoch: conversation.epoch,
      members: { ...none, [how]: [gone] },
    });
  }

  #create(request: wire.CreateConversationRequest): wire.ConversationView {
    const device = this.#me();
    const account = this.server.accounts.get(device.account) as Account;
    if (this.server.conversations.has(request.id)) {
      fail(3008, 'conversation_exists', { conversation: request.id });
    }
    const owner: wire.MemberView = {
      account: account.id,
      handle: account.handle,
      displayName: account.displayName,
      role: 'owner',
      joinedSeq: 1,
    };
    const conversation: FakeConversation = {
      id: request.id,
      kind: request.kind,
      epoch: 0,
      events: [],
      members: new Map([[account.id, owner]]),
      leaves: [{ device: device.id, account: account.id }],
      removals: new Set(),
      receipts: new Map(),
      groupInfo: '',
      acks: new Map(),
    };
    this.server.conversations.set(request.id, conversation);
    this.server.applyCommit(conversation, device, { ...request, epoch: 0 });
    return this.server.view(conversation, account.id);
  }

  openHub: OpenHub = async (listener) => {
    await this.#call('connect', () => undefined);
    this.#listener = listener;
    this.server.connections.add(this);
    const hub: Hub = {
      hello: (request) => this.#call('hello', () => this.#hello(request)),
      sync: (request) => this.#call('sync', () => ({ pages: request.after.map((cursor) => this.#page(cursor)) })),
      send: (request) => this.#call('send', () => this.#send(request)),
      submitCommit: (request) =>
        this.#call('submitCommit', () =>
          this.server.applyCommit(this.#conversation(request.conversation), this.#me(), request),
        ),
      sendToDevices: (request) =>
        this.#call('sendToDevices', () => {
          const { account, id } = this.#me();
          for (const { device, body } of request.envelopes) {
            const at = new Date().toISOString();
            const from = { fromAccount: account, fromDevice: id, clientId: request.clientId };
            this.server.queue(device, { id: uuidv7(), kind: 'pairwise', seq: 0, body, at, ...from });
          }
        }),
      ackDevice: (ids) =>
        this.#call('ackDevice', () => {
          const { id } = this.#me();
          this.server.queues.set(
            id,
            (this.server.queues.get(id) ?? []).filter((message) => !ids.includes(message.id)),
          );
        }),
      pullDevice: () =>
        this.#call('pullDevice', () => ({ messages: this.server.queues.get(this.#me().id) ?? [], more: false })),
      mark: (marks) => this.#call('mark', () => this.#mark(marks)),
      typing: () => this.#call('typing', () => undefined),
      watchPresence: (accounts) => this.#call('watchPresence', () => this.#watchPresence(accounts)),
      cardAct: (request) => this.#call('cardAct', () => this.#cardAct(request)),
      close: () => this.drop(),
    };
    return hub;
  };

  #hello(request: wire.HelloRequest): wire.HelloReply {
    const { account, id, packages } = this.#me();
    const mine = [...this.server.conversations.values()].filter((entry) => entry.members.has(account));
    const known = new Map(
      request.lineage === this.server.lineage ? request.cursors.map((cursor) => [cursor.conversation, cursor.seq]) : [],
    );
    const changed = mine.filter((entry) => known.get(entry.id) !== entry.events.length);
    const views = Math.min(request.views ?? changed.length, this.server.viewsPerHello);
    return {
      lineage: this.server.lineage,
      serverTime: new Date().toISOString(),
      account,
      changed: changed.slice(0, views).map((entry) => this.server.view(entry, account)),
      heads: changed.slice(views).map((entry) => ({ conversation: entry.id, seq: entry.events.length })),
      gone: request.cursors
        .map((cursor) => cursor.conversation)
        .filter((gone) => !mine.some((entry) => entry.id === gone)),
      readElsewhere: mine.flatMap((entry) => {
        const own = [...entry.receipts.values()].filter((receipt) => receipt.account === account);
        const read = Math.max(0, ...own.map((receipt) => receipt.read));
        return read > (entry.receipts.get(id)?.read ?? 0) ? [{ conversation: entry.id, seq: read }] : [];
      }),
      deviceMessagesWaiting: (this.server.queues.get(id) ?? []).length,
      keyPackagesLeft: packages.length,
    };
  }

  #watchPresence(accounts: string[]): wire.PresenceReply {
    const hides = this.server.hidden.has(this.#me().account);
    const connected = new Set([...this.server.connections].map((client) => client.device?.account ?? ''));
    return {
      accounts: accounts.map((account) => ({
        account,
        online: !hides && !this.server.hidden.has(account) && connected.has(account),
      })),
    };
  }

  #page(cursor: wire.Cursor): wire.SyncPage {
    const conversation = this.#conversation(cursor.conversation);
    const view = this.server.view(conversation, this.#me().account);
    const start = Math.max(cursor.seq + 1, view.joinedSeq, conversation.firstSeq ?? 1);
    const visible = conversation.events.filter((event) => event.seq >= start);
    const events = visible.slice(0, 20).map((event) => this.server.tamper(event, this.#me().id));
    return { conversation: view, events, more: visible.length > events.length };
  }

  #send(request: wire.SendRequest): wire.SendReply {
    const conversation = this.#conversation(request.conversation);
    return this.#appendMessage(conversation, request.clientId, request.epoch, request.body, null);
  }

  #appendMessage(
    conversation: FakeConversation,
    clientId: string,
    epoch: number,
    body: string,
    card: wire.CardView | null,
  ): wire.SendReply {
    const device = this.#me();
    const duplicate = conversation.acks.get(`${device.id}:${clientId}`);
    if (duplicate) {
      const same = conversation.events.find((event) => event.clientId === clientId)?.body === body;
      return same ? duplicate : fail(3007, 'client_id_reused');
    }
    if (epoch !== conversation.epoch) {
      const winner = conversation.events.find((event) => event.kind === 'commit' && event.epoch === epoch);
      fail(3006, 'stale_epoch', { epoch, seq: winner?.seq, commit: winner?.body });
    }
    const kind = card ? 'card' : 'message';
    const { account, id } = device;
    const event = this.server.append(conversation, { kind, account, device: id, clientId, epoch, body, card });
    const reply = { seq: event.seq, at: event.at };
    conversation.acks.set(`${device.id}:${clientId}`, reply);
    return reply;
  }

  #mark(marks: wire.ReceiptMark[]): void {
    const { account, id } = this.#me();
    for (const { conversation, delivered, read } of marks) {
      const receipt = { conversation, account, device: id, delivered, read };
      this.server.conversations.get(conversation)?.receipts.set(id, receipt);
      for (const client of this.server.connections) {
        client.deliver((listener) => listener.receipts([receipt]));
      }
    }
  }

  #cardAct(request: wire.CardActRequest): wire.CardActReply {
    if (request.post) {
      const { clientId, epoch, body, ...terms } = request.post;
      const known = this.server.cards.get(request.card);
      const at = new Date().toISOString();
      const card: wire.CardView = known ?? {
        ...terms,
        id: request.card,
        author: this.#me().account,
        state: terms.kind === 'transfer' ? 'held' : 'open',
        version: 1,
        createdAt: at,
        expiresAt: at,
      };
      const reply = this.#appendMessage(this.#conversation(terms.conversation), clientId, epoch, body, card);
      this.server.cards.set(card.id, card);
      return { card: this.server.tamperReply(card), ...reply };
    }
    const card = this.server.cards.get(request.card) ?? fail(5001, 'card_unknown');
    if (card.version !== request.version) {
      fail(card.version > 1 ? 5002 : 5003, 'card_terminal', { card });
    }
    const states = { accept: 'accepted', decline: 'declined', cancel: 'cancelled', pay: 'paid', post: 'held' } as const;
    const at = new Date().toISOString();
    const next: wire.CardView = { ...card, state: states[request.action], version: card.version + 1, closedAt: at };
    this.server.cards.set(card.id, next);
    const conversation = this.#conversation(card.conversation);
    const event = this.server.append(conversation, {
      kind: 'cardChanged',
      account: this.#me().account,
      epoch: conversation.epoch,
      card: next,
    });
    return { card: next, seq: event.seq, at: event.at };
  }
}
