import type { ServerApi } from '../../net/api';
import { uuidv7 } from '../../protocol/ids';
import type * as wire from '../../protocol/wire';
import type { FakeClient } from './fakeClient';
import { type Account, type FakeConversation, type FakeDevice, fail, noChange } from './fakeServer';

/** What a device asks the fake server over REST. */
export class FakeApi {
  constructor(readonly client: FakeClient) {}

  readonly routes: ServerApi = {
    signUp: (request) =>
      this.client.call('signUp', () => {
        const { handle, displayName, password, device } = request;
        const account = { id: uuidv7(), handle, displayName, password };
        this.client.server.accounts.set(account.id, account);
        return this.#session(account, device.signatureKey, null);
      }),
    signIn: (request) =>
      this.client.call('signIn', () => {
        const account = [...this.client.server.accounts.values()].find((entry) => entry.handle === request.handle);
        return account
          ? this.#session(account, request.device.signatureKey, request.deviceId ?? null)
          : fail(2002, 'bad_credentials');
      }),
    endSession: () => this.client.call('endSession', () => undefined),
    me: () =>
      this.client.call('me', () => {
        const device = this.client.me();
        const account = this.client.server.accounts.get(device.account) as Account;
        return {
          account,
          device: {} as wire.DeviceView,
          sandbox: true,
          assets: [{ code: 'EUR', exponent: 2 }],
          presence: this.client.server.hidden.has(account.id) ? 'nobody' : 'contacts',
        };
      }),
    changeDisplayName: () => this.client.call('changeDisplayName', () => fail(1005, 'not_found')),
    changePassword: () => this.client.call('changePassword', () => fail(1005, 'not_found')),
    devices: () =>
      this.client.call('devices', () =>
        [...this.client.server.devices.values()]
          .filter((device) => device.account === this.client.me().account && !device.revoked)
          .map((device) => this.#deviceView(device)),
      ),
    revokeDevice: (id) => this.client.call('revokeDevice', () => this.client.server.revoke(id)),
    accountByHandle: (handle) =>
      this.client.call(
        'accountByHandle',
        () =>
          [...this.client.server.accounts.values()].find((entry) => entry.handle === handle) ??
          fail(2014, 'account_unknown'),
      ),
    uploadKeyPackages: (keyPackages, lastResort) =>
      this.client.call('uploadKeyPackages', () => {
        const device = this.client.me();
        if (!this.client.server.keys.isApproved(device)) {
          fail(7003, 'device_not_approved');
        }
        device.packages.push(...keyPackages);
        device.lastResort = lastResort ?? device.lastResort;
        return { oneTime: device.packages.length, hasLastResort: device.lastResort !== null };
      }),
    claimKeyPackages: (accounts) =>
      this.client.call('claimKeyPackages', () => {
        const live = [...this.client.server.devices.values()].filter((entry) => !entry.revoked);
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
    createConversation: (request) => this.client.call('createConversation', () => this.#create(request)),
    conversations: () => this.client.call('conversations', () => []),
    conversation: (id) =>
      this.client.call('conversation', () =>
        this.client.server.view(this.client.conversation(id), this.client.me().account),
      ),
    groupInfo: (id) =>
      this.client.call('groupInfo', () => {
        const { epoch, groupInfo, events } = this.client.conversation(id);
        return { epoch, seq: events.length, groupInfo };
      }),
    commit: (request) =>
      this.client.call('commit', () =>
        this.client.server.applyCommit(this.client.conversation(request.conversation), this.client.me(), request),
      ),
    changePresence: (presence) =>
      this.client.call('changePresence', () => {
        const { account } = this.client.me();
        if (presence === 'nobody') {
          this.client.server.hidden.add(account);
        } else {
          this.client.server.hidden.delete(account);
        }
      }),
    leave: (id) => this.client.call('leave', () => this.#depart(id, this.client.me().account, 'left')),
    removeMember: (id, account) => this.client.call('removeMember', () => this.#depart(id, account, 'removed')),
    setRole: () => this.client.call('setRole', () => undefined),
    wallet: () => this.client.call('wallet', () => ({ balances: [], sandbox: true })),
    createPayCode: (code) =>
      this.client.call('createPayCode', () => this.client.server.payCodes.create(this.client.me().account, code)),
    payCode: (code) =>
      this.client.call('payCode', () => this.client.server.payCodes.read(this.client.me().account, code)),
    scanPayCode: (code) =>
      this.client.call('scanPayCode', () => this.client.server.payCodes.scan(this.client.me().account, code)),
    removePayCode: (code) =>
      this.client.call('removePayCode', () => this.client.server.payCodes.remove(this.client.me().account, code)),
    statement: (_, before, limit, query) =>
      this.client.call('statement', () => this.client.server.book.statement(before, limit, query)),
    walletActivity: () => this.client.call('walletActivity', () => this.client.server.book.activity),
    walletHolds: () => this.client.call('walletHolds', () => this.client.server.book.holds),
    walletLimits: () => this.client.call('walletLimits', () => this.client.server.book.limits),
    exportStatement: (asset, format, { from }) =>
      this.client.call('exportStatement', () => ({ name: `${asset}.${format}`, type: 'text/csv', text: from ?? '' })),
    receipt: (transfer) =>
      this.client.call('receipt', () => {
        const { book } = this.client.server;
        return { value: book.receipt(transfer), retryAfterMs: book.retryAfterMs };
      }),
    cardReceipts: (card, after) =>
      this.client.call('cardReceipts', () => {
        const { book } = this.client.server;
        return { value: book.receiptsOf(card, after), retryAfterMs: book.retryAfterMs };
      }),
    ledgerLog: () => this.client.call('ledgerLog', () => this.client.server.book.view()),
    ledgerConsistency: (from, to) =>
      this.client.call('ledgerConsistency', () => this.client.server.book.consistency(from, to)),
    keyLog: () => this.client.call('keyLog', () => this.client.server.keys.view()),
    appendKeys: (entries) =>
      this.client.call('appendKeys', () => this.client.server.keys.append(this.client.me(), entries)),
    keyChain: (account, from, size) =>
      this.client.call('keyChain', () => {
        const me = this.client.me().account;
        const isShared = [...this.client.server.conversations.values()].some(
          ({ members }) => members.has(me) && members.has(account),
        );
        return account === me || isShared
          ? this.client.server.keys.reply(account, from, size)
          : fail(2014, 'account_unknown');
      }),
    keyConsistency: (from, to) =>
      this.client.call('keyConsistency', () => this.client.server.keys.consistency(from, to)),
    wrappedKeys: () =>
      this.client.call('wrappedKeys', () => this.client.server.keys.wrappedOf(this.client.me().account)),
    storeWrappedKeys: (revision, wrapped) =>
      this.client.call('storeWrappedKeys', () =>
        this.client.server.keys.store(this.client.me().account, revision, wrapped),
      ),
    archive: () => this.client.call('archive', () => this.client.server.archive.view(this.client.me().account)),
    turnArchiveOn: (archive) =>
      this.client.call('turnArchiveOn', () => this.client.server.archive.turnOn(this.client.me().account, archive)),
    deleteArchive: (archive) =>
      this.client.call('deleteArchive', () => this.client.server.archive.delete(this.client.me().account, archive)),
    storeArchiveChunk: (archive, number, sealed) =>
      this.client.call('storeArchiveChunk', () => {
        const { account, id } = this.client.me();
        this.client.server.archive.store(account, id, archive, number, sealed);
      }),
    archiveChunks: (archive, device, from) =>
      this.client.call('archiveChunks', () =>
        this.client.server.archive.page(this.client.me().account, archive, device, from),
      ),
    vault: () => this.client.call('vault', () => this.client.server.keys.vault()),
    askRealm: (realm, message) =>
      this.client.call('askRealm', () => this.client.server.keys.ask(this.client.me(), realm, message)),
    realmToken: (realm) =>
      this.client.call('realmToken', () =>
        this.client.server.keys.vault().hosts?.some((one) => one.realm === realm)
          ? { token: `for ${realm}`, expiresAt: '2100-01-01T00:00:00Z' }
          : fail(6001, 'realm_unknown'),
      ),
    realmAt: () => this.routes,
    vaultAttempts: (realm) =>
      this.client.call('vaultAttempts', () => this.client.server.keys.attempts(this.client.me().account, realm)),
    card: (id) => this.client.call('card', () => this.client.server.cards.get(id) ?? fail(5001, 'card_unknown')),
    cardParts: (id, after, limit) =>
      this.client.call('cardParts', () => {
        const all = this.client.server.cardRules.parts.get(id) ?? fail(5001, 'card_unknown');
        const rest = [...all].sort((a, b) => a.place - b.place).filter((part) => part.place > (after ?? -1));
        const parts = rest.slice(0, Math.min(limit, 2));
        return { parts, after: rest.length > parts.length ? (parts.at(-1)?.place ?? null) : null };
      }),
  };

  #session(account: Account, signatureKey: string, deviceId: string | null): wire.SessionReply {
    const known = deviceId ? this.client.server.devices.get(deviceId) : null;
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
    this.client.server.devices.set(device.id, device);
    this.client.device = device;
    return { account, device: this.#deviceView(device), token: null, expiresAt: new Date().toISOString() };
  }

  #deviceView({ id, key }: FakeDevice): wire.DeviceView {
    const at = new Date().toISOString();
    const current = id === this.client.device?.id;
    return { id, name: 'fake', signatureKey: key, fingerprint: '', createdAt: at, lastSeenAt: at, current };
  }

  #depart(id: string, gone: string, how: 'left' | 'removed'): void {
    const conversation = this.client.conversation(id);
    const { account } = this.client.me();
    conversation.members.delete(gone);
    for (const leaf of conversation.leaves.filter((entry) => entry?.account === gone)) {
      conversation.removals.add(leaf?.device ?? '');
    }
    this.client.server.append(conversation, {
      kind: 'members',
      account,
      epoch: conversation.epoch,
      members: { ...noChange(), [how]: [gone] },
    });
  }

  #create(request: wire.CreateConversationRequest): wire.ConversationView {
    const device = this.client.me();
    const account = this.client.server.accounts.get(device.account) as Account;
    if (this.client.server.conversations.has(request.id)) {
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
    this.client.server.conversations.set(request.id, conversation);
    this.client.server.applyCommit(conversation, device, { ...request, epoch: 0 });
    return this.client.server.view(conversation, account.id);
  }
}
