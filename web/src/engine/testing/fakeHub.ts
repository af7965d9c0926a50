import type { Hub } from '../../net/api';
import { uuidv7 } from '../../protocol/ids';
import type * as wire from '../../protocol/wire';
import { eventFor } from './fakeCards';
import type { FakeClient } from './fakeClient';
import { type FakeConversation, fail } from './fakeServer';

/** What a device says to the fake server over its connection. */
export class FakeHub {
  constructor(readonly client: FakeClient) {}

  readonly calls: Hub = {
    hello: (request) => this.client.call('hello', () => this.#hello(request)),
    sync: (request) => this.client.call('sync', () => ({ pages: request.after.map((cursor) => this.#page(cursor)) })),
    send: (request) => this.client.call('send', () => this.#send(request)),
    submitCommit: (request) =>
      this.client.call('submitCommit', () =>
        this.client.server.applyCommit(this.client.conversation(request.conversation), this.client.me(), request),
      ),
    sendToDevices: (request) =>
      this.client.call('sendToDevices', () => {
        const { account, id } = this.client.me();
        for (const { device, body } of request.envelopes) {
          const at = new Date().toISOString();
          const from = { fromAccount: account, fromDevice: id, clientId: request.clientId };
          this.client.server.queue(device, { id: uuidv7(), kind: 'pairwise', seq: 0, body, at, ...from });
        }
      }),
    ackDevice: (ids) =>
      this.client.call('ackDevice', () => {
        const { id } = this.client.me();
        this.client.server.queues.set(
          id,
          (this.client.server.queues.get(id) ?? []).filter((message) => !ids.includes(message.id)),
        );
      }),
    pullDevice: () =>
      this.client.call('pullDevice', () => ({
        messages: this.client.server.queues.get(this.client.me().id) ?? [],
        more: false,
      })),
    mark: (marks) => this.client.call('mark', () => this.#mark(marks)),
    typing: () => this.client.call('typing', () => undefined),
    watchPresence: (accounts) => this.client.call('watchPresence', () => this.#watchPresence(accounts)),
    cardAct: (request) => this.client.call('cardAct', () => this.#cardAct(request)),
    close: () => this.client.drop(),
  };

  #hello(request: wire.HelloRequest): wire.HelloReply {
    const { account, id, packages } = this.client.me();
    const mine = [...this.client.server.conversations.values()].filter((entry) => entry.members.has(account));
    const known = new Map(
      request.lineage === this.client.server.lineage
        ? request.cursors.map((cursor) => [cursor.conversation, cursor.seq])
        : [],
    );
    const changed = mine.filter((entry) => known.get(entry.id) !== entry.events.length);
    const views = Math.min(request.views ?? changed.length, this.client.server.viewsPerHello);
    return {
      lineage: this.client.server.lineage,
      serverTime: new Date(this.client.server.debits.nowMs()).toISOString(),
      account,
      changed: changed.slice(0, views).map((entry) => this.client.server.view(entry, account)),
      heads: changed.slice(views).map((entry) => ({ conversation: entry.id, seq: entry.events.length })),
      gone: request.cursors
        .map((cursor) => cursor.conversation)
        .filter((gone) => !mine.some((entry) => entry.id === gone)),
      readElsewhere: mine.flatMap((entry) => {
        const own = [...entry.receipts.values()].filter((receipt) => receipt.account === account);
        const read = Math.max(0, ...own.map((receipt) => receipt.read));
        return read > (entry.receipts.get(id)?.read ?? 0) ? [{ conversation: entry.id, seq: read }] : [];
      }),
      deviceMessagesWaiting: (this.client.server.queues.get(id) ?? []).length,
      keyPackagesLeft: packages.length,
    };
  }

  #watchPresence(accounts: string[]): wire.PresenceReply {
    const hides = this.client.server.hidden.has(this.client.me().account);
    const connected = new Set([...this.client.server.connections].map((client) => client.device?.account ?? ''));
    return {
      accounts: accounts.map((account) => ({
        account,
        online: !hides && !this.client.server.hidden.has(account) && connected.has(account),
      })),
    };
  }

  #page(cursor: wire.Cursor): wire.SyncPage {
    const conversation = this.client.conversation(cursor.conversation);
    const view = this.client.server.view(conversation, this.client.me().account);
    const start = Math.max(cursor.seq + 1, view.joinedSeq, conversation.firstSeq ?? 1);
    const visible = conversation.events.filter((event) => event.seq >= start);
    const events = visible
      .slice(0, 20)
      .map((event) => this.client.server.tamper(eventFor(event, this.client.me().account), this.client.me().id));
    return { conversation: view, events, more: visible.length > events.length };
  }

  #send(request: wire.SendRequest): wire.SendReply {
    const conversation = this.client.conversation(request.conversation);
    return this.#appendMessage(conversation, request.clientId, request.epoch, request.body, null);
  }

  #appendMessage(
    conversation: FakeConversation,
    clientId: string,
    epoch: number,
    body: string,
    card: wire.CardView | null,
  ): wire.SendReply {
    const device = this.client.me();
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
    const event = this.client.server.append(conversation, { kind, account, device: id, clientId, epoch, body, card });
    const reply = { seq: event.seq, at: event.at };
    conversation.acks.set(`${device.id}:${clientId}`, reply);
    return reply;
  }

  #mark(marks: wire.ReceiptMark[]): void {
    const { account, id } = this.client.me();
    for (const { conversation, delivered, read } of marks) {
      const receipt = { conversation, account, device: id, delivered, read };
      this.client.server.conversations.get(conversation)?.receipts.set(id, receipt);
      for (const client of this.client.server.connections) {
        client.deliver((listener) => listener.receipts([receipt]));
      }
    }
  }

  #cardAct(request: wire.CardActRequest): wire.CardActReply {
    if (request.post) {
      const { clientId, epoch, body, ...terms } = request.post;
      const known = this.client.server.cards.get(request.card);
      const { cardRules } = this.client.server;
      const card = known ?? cardRules.post(request.card, this.client.me().account, terms);
      const conversation = this.client.conversation(terms.conversation);
      if (!known) {
        this.client.server.debits.check(this.client.me(), request, card);
      }
      const reply = this.#appendMessage(conversation, clientId, epoch, body, card);
      this.client.server.cards.set(card.id, card);
      return { card: this.client.server.tamperReply(card), ...reply };
    }
    const card = this.client.server.cards.get(request.card) ?? fail(5001, 'card_unknown');
    // What people do for themselves is not compared with the version that they saw.
    const isShared = card.kind === 'split' ? request.action !== 'cancel' : ['claim', 'draw'].includes(request.action);
    if (!isShared && card.version !== request.version) {
      fail(card.version > 1 ? 5002 : 5003, 'card_terminal', { card: this.client.server.tamperReply(card) });
    }
    this.client.server.debits.check(this.client.me(), request, card);
    const next = this.client.server.cardRules.act(card, this.client.me().account, request);
    this.client.server.cards.set(card.id, next);
    const conversation = this.client.conversation(card.conversation);
    const event = this.client.server.append(conversation, {
      kind: 'cardChanged',
      account: this.client.me().account,
      epoch: conversation.epoch,
      card: next,
    });
    return { card: this.client.server.tamperReply(next), seq: event.seq, at: event.at };
  }
}
