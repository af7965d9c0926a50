import { readCredential } from '../../crypto/config';
import { decode } from '../../crypto/receive';
import type { Hub, HubListener, OpenHub, ServerApi } from '../../net/api';
import { fromBase64, toBase64 } from '../../protocol/bytes';
import { fromBody, localError } from '../../protocol/errors';
import { uuidv7 } from '../../protocol/ids';
import type * as wire from '../../protocol/wire';

type Account = wire.AccountView & { password: string };
type FakeDevice = {
  id: string;
  account: string;
  key: string;
  revoked: boolean;
  packages: string[];
  lastResort: string | null;
};
type FakeConversation = {
  id: string;
  kind: wire.ConversationKind;
  epoch: number;
  events: wire.Event[];
  members: Map<string, wire.MemberView>;
  /** Device per leaf, as public commits made it. */
  leaves: ({ device: string; account: string } | null)[];
  removals: Set<string>;
  receipts: Map<string, wire.Receipt>;
  groupInfo: string;
  acks: Map<string, wire.CommitReply | wire.SendReply>;
};

const fail = (code: number, name: string, details?: Record<string, unknown>): never => {
  throw fromBody({ code, name, message: '', retryable: false, ...(details ? { details } : {}) });
};

/**
 * A server of the protocol in memory, for tests that need its misbehaviour: lost answers, dropped and reordered pushes,
 * lies about events, a restored backup. Tests of the real rules run against the real server.
 */
export class FakeServer {
  lineage = uuidv7();
  readonly accounts = new Map<string, Account>();
  readonly devices = new Map<string, FakeDevice>();
  readonly conversations = new Map<string, FakeConversation>();
  readonly cards = new Map<string, wire.CardView>();
  readonly queues = new Map<string, wire.DeviceMessage[]>();
  readonly connections = new Set<FakeClient>();
  /** Called for every event on its way to a device, pushed or fetched. */
  tamper: (event: wire.Event, device: string) => wire.Event = (event) => event;

  client(): FakeClient {
    return new FakeClient(this);
  }

  view(conversation: FakeConversation, account: string): wire.ConversationView {
    return {
      id: conversation.id,
      kind: conversation.kind,
      head: conversation.events.length,
      epoch: conversation.epoch,
      joinedSeq: conversation.members.get(account)?.joinedSeq ?? 1,
      createdAt: conversation.events[0]?.at ?? new Date().toISOString(),
      members: [...conversation.members.values()],
      pendingRemovals: conversation.leaves.flatMap((leaf, index) =>
        leaf && conversation.removals.has(leaf.device) ? [{ leaf: index, ...leaf }] : [],
      ),
      receipts: [...conversation.receipts.values()],
    };
  }

  /** Appends and pushes. Only fields that the event's kind has are given. */
  append(conversation: FakeConversation, event: Omit<wire.Event, 'seq' | 'conversation' | 'at'>): wire.Event {
    const seq = conversation.events.length + 1;
    const full = { ...event, conversation: conversation.id, seq, at: new Date().toISOString() };
    conversation.events.push(full);
    for (const client of this.connections) {
      const account = client.device?.account ?? '';
      // Also to whom it removes: it is the last thing they see.
      const concerned = event.members?.removed.includes(account) || event.members?.left.includes(account);
      if (conversation.members.has(account) || concerned) {
        client.push(full, event.kind === 'commit' || event.kind === 'members' ? conversation : null);
      }
    }
    return full;
  }

  applyCommit(
    conversation: FakeConversation,
    device: FakeDevice,
    request: Omit<wire.CommitRequest, 'conversation'>,
  ): wire.CommitReply {
    const duplicate = conversation.acks.get(`${device.id}:${request.clientId}`);
    if (duplicate) {
      return duplicate as wire.CommitReply;
    }
    if (request.epoch !== conversation.epoch) {
      const winner = conversation.events.find((event) => event.kind === 'commit' && event.epoch === request.epoch);
      fail(3006, 'stale_epoch', { epoch: request.epoch, seq: winner?.seq, commit: winner?.body });
    }
    const message = decode(fromBase64(request.commit));
    if (message.wireformat !== 'mls_public_message' || message.publicMessage.content.contentType !== 'commit') {
      return fail(3009, 'commit_invalid');
    }
    const { commit, sender } = message.publicMessage.content;
    const change: wire.MembersChange = {
      added: [],
      removed: [],
      left: [],
      roles: [],
      devicesAdded: [],
      devicesRemoved: [],
      devicesRevoked: [],
    };
    const seq = conversation.events.length + 1;
    const enter = (owner: { account: string; device: string } | null) => {
      const free = conversation.leaves.indexOf(null);
      conversation.leaves[free < 0 ? conversation.leaves.length : free] = owner;
      change.devicesAdded.push(owner?.device ?? '');
    };
    for (const entry of commit.proposals) {
      const proposal = entry.proposalOrRefType === 'proposal' ? entry.proposal : null;
      if (proposal?.proposalType === 'remove') {
        const gone = conversation.leaves[proposal.remove.removed];
        conversation.leaves[proposal.remove.removed] = null;
        change.devicesRemoved.push(gone?.device ?? '');
        conversation.removals.delete(gone?.device ?? '');
        const still = conversation.leaves.some((leaf) => leaf?.account === gone?.account);
        if (gone && !still && sender.senderType === 'member' && conversation.members.delete(gone.account)) {
          change.removed.push(gone.account);
        }
      }
    }
    for (const entry of commit.proposals) {
      const proposal = entry.proposalOrRefType === 'proposal' ? entry.proposal : null;
      if (proposal?.proposalType === 'add') {
        const owner = readCredential(proposal.add.keyPackage.leafNode.credential);
        enter(owner);
        const account = this.accounts.get(owner?.account ?? '');
        if (account && !conversation.members.has(account.id)) {
          const { id, handle, displayName } = account;
          const member: wire.MemberView = { account: id, handle, displayName, role: 'member', joinedSeq: seq };
          conversation.members.set(id, member);
          change.added.push(member);
        }
      }
    }
    if (sender.senderType === 'new_member_commit') {
      enter({ account: device.account, device: device.id });
    }
    const { epoch } = conversation;
    conversation.epoch++;
    conversation.groupInfo = request.groupInfo;
    if (request.welcome) {
      this.#queueWelcome(conversation.id, seq, request.welcome, change.devicesAdded);
    }
    const event = this.append(conversation, {
      kind: 'commit',
      account: device.account,
      device: device.id,
      clientId: request.clientId,
      epoch,
      body: request.commit,
      members: change,
    });
    const reply = { seq, epoch: epoch + 1, at: event.at };
    conversation.acks.set(`${device.id}:${request.clientId}`, reply);
    return reply;
  }

  #queueWelcome(conversation: string, seq: number, body: string, devices: string[]): void {
    for (const device of devices) {
      const message = { id: uuidv7(), kind: 'welcome' as const, conversation, seq, body, at: new Date().toISOString() };
      this.queues.set(device, [...(this.queues.get(device) ?? []), message]);
      for (const client of this.connections) {
        if (client.device?.id === device) {
          client.deliver((listener) => listener.deviceMessages([message]));
        }
      }
    }
  }

  revoke(id: string): void {
    const device = this.devices.get(id);
    if (!device) {
      return;
    }
    device.revoked = true;
    for (const conversation of this.conversations.values()) {
      if (conversation.leaves.some((leaf) => leaf?.device === id)) {
        conversation.removals.add(id);
        const none = { added: [], removed: [], left: [], roles: [], devicesAdded: [], devicesRemoved: [] };
        const members = { ...none, devicesRevoked: [id] };
        this.append(conversation, { kind: 'members', account: device.account, epoch: conversation.epoch, members });
      }
    }
    for (const client of [...this.connections]) {
      if (client.device?.id === id) {
        client.drop();
      }
    }
  }
}

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
    const at = new Date().toISOString();
    const view = {
      id: device.id,
      name: 'fake',
      signatureKey,
      fingerprint: '',
      createdAt: at,
      lastSeenAt: at,
      current: true,
    };
    return { account, device: view, token: null, expiresAt: at };
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
        return { account, device: {} as wire.DeviceView, sandbox: true, assets: [{ code: 'EUR', exponent: 2 }] };
      }),
    changeDisplayName: () => this.#call('changeDisplayName', () => fail(1005, 'not_found')),
    changePassword: () => this.#call('changePassword', () => fail(1005, 'not_found')),
    devices: () => this.#call('devices', () => []),
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
    leave: (id) =>
      this.#call('leave', () => {
        const conversation = this.#conversation(id);
        const { account } = this.#me();
        const none = { added: [], removed: [], roles: [], devicesAdded: [], devicesRemoved: [], devicesRevoked: [] };
        conversation.members.delete(account);
        for (const leaf of conversation.leaves.filter((entry) => entry?.account === account)) {
          conversation.removals.add(leaf?.device ?? '');
        }
        const members = { ...none, left: [account] };
        this.server.append(conversation, { kind: 'members', account, epoch: conversation.epoch, members });
      }),
    setRole: () => this.#call('setRole', () => undefined),
    wallet: () => this.#call('wallet', () => ({ balances: [], sandbox: true })),
    statement: () => this.#call('statement', () => ({ entries: [], before: null })),
    card: (id) => this.#call('card', () => this.server.cards.get(id) ?? fail(5001, 'card_unknown')),
  };

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
    return {
      lineage: this.server.lineage,
      serverTime: new Date().toISOString(),
      account,
      changed: mine
        .filter((entry) => known.get(entry.id) !== entry.events.length)
        .map((entry) => this.server.view(entry, account)),
      gone: request.cursors
        .map((cursor) => cursor.conversation)
        .filter((gone) => !mine.some((entry) => entry.id === gone)),
      deviceMessagesWaiting: (this.server.queues.get(id) ?? []).length,
      keyPackagesLeft: packages.length,
    };
  }

  #page(cursor: wire.Cursor): wire.SyncPage {
    const conversation = this.#conversation(cursor.conversation);
    const view = this.server.view(conversation, this.#me().account);
    const visible = conversation.events.filter((event) => event.seq > cursor.seq && event.seq >= view.joinedSeq);
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
      return { card, ...reply };
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

/** Bytes of a base64 text with one bit turned. */
export function flipped(body: string): string {
  const bytes = fromBase64(body);
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  return toBase64(bytes);
}
