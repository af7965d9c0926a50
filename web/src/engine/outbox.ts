import { fullJitterMs } from '../net/jitter';
import { encodeAuthenticatedData } from '../protocol/authenticatedData';
import { toBase64, utf8 } from '../protocol/bytes';
import { ErrorCode, isCode, isTransient, localError, toActionError } from '../protocol/errors';
import { uuidv7 } from '../protocol/ids';
import type { CardView } from '../protocol/wire';
import { ActionError, type ErrorInfo, type NewCard } from '../state/contract';
import { type ItemRecord, type OutboxRecord, unsentOrder } from '../storage/records';
import { Batch } from './batch';
import type { Core } from './core';
import { type Debits, postedWord } from './debits';
import { newCardEntry, newEntry } from './entries';
import type { Groups } from './groups';
import { ItemBuilder, messageKey } from './items';
import type { DeviceKeys } from './keys/deviceKeys';
import type { Sync } from './sync';

const staleAttempts = 8;
/** A card whose outcome is unknown is not sent any more after this long; if it got through, the log shows it. */
const cardRetryMs = 3600_000;

type Waiter = { resolve: () => void; reject: (error: ActionError) => void };

/**
 * Messages on their way. An entry, its ciphertext and the ratchet that made it are written together before anything is
 * sent; retries send the same bytes under the same client id, so that nothing is lost, doubled or encrypted twice under
 * one key.
 */
export class Outbox {
  readonly #waiters = new Map<string, Waiter>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #attempt = 0;

  constructor(
    readonly core: Core,
    readonly groups: Groups,
    readonly sync: Sync,
    readonly keys: DeviceKeys,
    readonly debits: Debits,
  ) {}

  stop(): void {
    for (const timer of this.#timers) {
      clearTimeout(timer);
    }
  }

  /** Stores a text and its item, then sends when possible. */
  async sendText(conversation: string, text: string): Promise<void> {
    const { core } = this;
    const clientId = uuidv7();
    await core.queue.run(conversation, async () => {
      const order = core.nextUnsent(unsentOrder);
      const entry = newEntry(conversation, clientId, order, { v: 1, type: 'text', text }, 'text');
      const item: ItemRecord = {
        conversation,
        key: messageKey(core.device.device, clientId),
        order,
        seq: null,
        at: entry.createdAt,
        sender: core.person(core.device.account),
        mine: true,
        counts: false,
        body: { type: 'message', text, error: null },
      };
      const batch = new Batch(core, core.conversation(conversation), await core.group(conversation));
      batch.putItem(item);
      await batch.write([{ put: 'outbox', value: entry }]);
    });
    this.kick(conversation);
  }

  /** Stores the group's name as a message; resolves once it is stored. */
  async sendName(conversation: string, name: string, clientId = uuidv7()): Promise<void> {
    const entry = newEntry(
      conversation,
      clientId,
      this.core.nextUnsent(unsentOrder),
      { v: 1, type: 'group', name },
      'group',
    );
    await this.core.write([{ put: 'outbox', value: entry }]);
    this.kick(conversation);
  }

  /** Resolves when an entry was accepted, rejects when it was refused. */
  settledEntry(clientId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.set(clientId, { resolve, reject });
    });
  }

  /** Resolves when the ledger has said yes. */
  async postCard(card: NewCard): Promise<void> {
    const { core } = this;
    this.sync.requireOnline();
    const clientId = uuidv7();
    const entry = await newCardEntry(core.device.account, card, clientId, core.nextUnsent(unsentOrder));
    const answered = this.settledEntry(clientId);
    await core.write([{ put: 'outbox', value: entry }]);
    this.kick(card.conversation);
    return answered;
  }

  /** Sends what waits in a conversation, one after the other. */
  kick(conversation: string): void {
    void this.core.lane.run(conversation, () => this.#drain(conversation)).catch(() => undefined);
  }

  /** The connection went: cards that never left this device are given back instead of being sent some time later. */
  async lost(): Promise<void> {
    for (const entry of [...this.core.outbox.values()]) {
      const waiter = entry.card && entry.body === null ? this.#takeWaiter(entry.clientId) : null;
      if (waiter) {
        await this.core.write([{ remove: 'outbox', id: entry.clientId }]);
        waiter.reject(localError('offline'));
      }
    }
  }

  /** After a reconnect. */
  kickAll(): void {
    for (const conversation of new Set([...this.core.outbox.values()].map((entry) => entry.conversation))) {
      this.kick(conversation);
    }
  }

  async retry(conversation: string, key: string): Promise<void> {
    await this.#changeFailed(conversation, key, async (entry, item, batch) => {
      if (item.body.type === 'message') {
        batch.putItem({ ...item, body: { ...item.body, error: null } });
      }
      await batch.write([{ put: 'outbox', value: { ...entry, failed: false } }]);
    });
    this.kick(conversation);
  }

  async discard(conversation: string, key: string): Promise<void> {
    await this.#changeFailed(conversation, key, async (entry) => {
      await this.core.write([
        { remove: 'outbox', id: entry.clientId },
        { removeItem: key, conversation },
      ]);
    });
  }

  #changeFailed(
    conversation: string,
    key: string,
    change: (entry: OutboxRecord, item: ItemRecord, batch: Batch) => Promise<void>,
  ): Promise<void> {
    return this.core.queue.run(conversation, async () => {
      const batch = new Batch(this.core, this.core.conversation(conversation), null);
      const entry = this.core.outbox.get(key.slice(key.indexOf(':') + 1));
      const item = await batch.item(key);
      if (entry?.failed && item) {
        await change(entry, item, batch);
      }
    });
  }

  async #drain(conversation: string): Promise<void> {
    for (;;) {
      const entry = this.core.waiting(conversation).find((waiting) => !waiting.failed);
      if (!entry || !this.core.online) {
        return;
      }
      try {
        await this.#deliver(entry.clientId);
        this.#attempt = 0;
      } catch (thrown) {
        if (this.core.stopped) {
          return;
        }
        const error = toActionError(thrown);
        if (isTransient(error)) {
          await this.#transient(entry.clientId, error);
          return;
        }
        await this.#refused(entry.clientId, error);
      }
    }
  }

  /** The server is busy or the connection went: once more later, with the same bytes. */
  async #transient(clientId: string, error: ActionError): Promise<void> {
    const entry = this.core.outbox.get(clientId);
    if (entry?.card && error.info.code === 0) {
      const waiter = this.#takeWaiter(clientId);
      if (entry.body === null) {
        // It never left this device.
        await this.core.write([{ remove: 'outbox', id: clientId }]);
        waiter?.reject(error);
      } else {
        waiter?.reject(localError('outcome_unknown', false));
      }
    }
    if (this.core.online && entry) {
      const timer = setTimeout(
        () => {
          this.#timers.delete(timer);
          this.kick(entry.conversation);
        },
        200 + fullJitterMs(this.#attempt++, 500, 20_000),
      );
      this.#timers.add(timer);
    }
  }

  async #refused(clientId: string, error: ActionError): Promise<void> {
    const entry = this.core.outbox.get(clientId);
    if (!entry) {
      return;
    }
    if (entry.kind === 'text') {
      await this.core.queue.run(entry.conversation, () => this.#markFailed(entry, error.info));
    } else {
      await this.core.write([{ remove: 'outbox', id: clientId }]);
    }
    this.#takeWaiter(clientId)?.reject(error);
  }

  async #markFailed(entry: OutboxRecord, error: ErrorInfo): Promise<void> {
    const { core } = this;
    const batch = new Batch(core, core.conversation(entry.conversation), null);
    const item = await batch.item(messageKey(core.device.device, entry.clientId));
    if (item?.body.type === 'message') {
      batch.putItem({ ...item, body: { ...item.body, error } });
    }
    await batch.write([{ put: 'outbox', value: { ...entry, failed: true } }]);
  }

  async #deliver(clientId: string): Promise<void> {
    for (let attempt = 0; attempt < staleAttempts; attempt++) {
      const entry = this.core.outbox.get(clientId);
      if (!entry) {
        // The log told of it meanwhile.
        this.#takeWaiter(clientId)?.resolve();
        return;
      }
      if (entry.card && Date.now() - entry.createdAt > cardRetryMs) {
        await this.core.write([{ remove: 'outbox', id: clientId }]);
        return;
      }
      await this.groups.ensure(entry.conversation);
      if (entry.body === null && entry.kind !== 'group') {
        await this.keys.requireAccepted(entry.conversation);
      }
      await this.groups.removePending(entry.conversation);
      const sealed = await this.#encrypt(clientId);
      if (!sealed) {
        continue;
      }
      try {
        const { seq, at, card } = await this.#send(sealed);
        await this.#settle(sealed, seq, at, card);
        this.#takeWaiter(clientId)?.resolve();
        return;
      } catch (thrown) {
        if (!isCode(thrown, ErrorCode.staleEpoch)) {
          throw thrown;
        }
        await this.#forgetBody(sealed, Number(thrown.info.details?.seq ?? 0));
      }
    }
    throw new ActionError({ code: ErrorCode.staleEpoch, name: 'stale_epoch', retryable: true });
  }

  /** The new ratchet, the ciphertext and the entry that holds it, in one transaction. */
  #encrypt(clientId: string): Promise<OutboxRecord | null> {
    const { core } = this;
    const conversation = core.outbox.get(clientId)?.conversation ?? '';
    return core.queue.run(conversation, async () => {
      const entry = core.outbox.get(clientId);
      const group = entry && (await core.group(entry.conversation));
      if (!entry || entry.body) {
        return entry ?? null;
      }
      if (!group?.state) {
        return null;
      }
      // Somebody's key has changed, or a stranger has come, since it was given. A group's name goes to accounts that are in it.
      const refusal = this.keys.refusal(entry.conversation, group);
      if (refusal && (entry.kind !== 'group' || group.leaves.some((leaf) => !this.keys.people.isOf(leaf)))) {
        throw refusal;
      }
      const data = encodeAuthenticatedData(
        entry.card
          ? { kind: 'card', clientId, card: entry.card.id, detailCommit: entry.card.detailCommit }
          : { kind: 'message', clientId },
      );
      const made = await core.mls.encrypt(group.state, utf8(this.#withLog(entry)), data);
      const value: OutboxRecord = { ...entry, epoch: group.epoch, body: made.body };
      await core.write(
        [
          { put: 'groups', value: { ...group, state: made.state } },
          { put: 'outbox', value },
        ],
        'strict',
      );
      return value;
    });
  }

  /** The content, and with it what the key log has shown this device, where the conversation has not heard of it. */
  #withLog(entry: OutboxRecord): string {
    const log = this.keys.gossip.next(entry.conversation);
    return log ? JSON.stringify({ ...JSON.parse(entry.content), log }) : entry.content;
  }

  async #send(entry: OutboxRecord): Promise<{ seq: number; at: number; card: CardView | null }> {
    const { hub } = this.core;
    const { conversation, clientId, epoch } = entry;
    const body = toBase64(entry.body as Uint8Array);
    if (!entry.card) {
      const reply = await hub.send({ conversation, clientId, epoch, body });
      return { seq: reply.seq, at: Date.parse(reply.at), card: null };
    }
    const { id, idempotencyKey, kind, payer, payee, amountMinor, asset, lifetimeSeconds, plan } = entry.card;
    const post = {
      kind,
      conversation,
      payer,
      payee,
      amountMinor,
      asset,
      lifetimeSeconds,
      detailCommit: toBase64(entry.card.detailCommit),
      clientId,
      epoch,
      body,
      ...(plan ? { plan } : {}),
    };
    const reply = await this.debits.act(
      { card: id, version: 0, action: 'post', idempotencyKey, post },
      postedWord(entry.card, conversation),
    );
    return { seq: reply.seq, at: Date.parse(reply.at), card: reply.card };
  }

  #settle(entry: OutboxRecord, seq: number, at: number, card: CardView | null): Promise<void> {
    const { core } = this;
    return core.queue.run(entry.conversation, async () => {
      if (!core.outbox.has(entry.clientId)) {
        return;
      }
      const batch = new Batch(core, core.conversation(entry.conversation), null);
      await new ItemBuilder(core, batch).settled(entry.clientId, seq, at, card);
      await batch.write();
    });
  }

  /** `stale_epoch` proves that these bytes were not accepted: catch up, and encrypt anew under the same client id. */
  async #forgetBody(entry: OutboxRecord, seq: number): Promise<void> {
    await this.core.queue.run(entry.conversation, async () => {
      const now = this.core.outbox.get(entry.clientId);
      if (now) {
        // Other bytes are another request, so the ledger gets another key with them; the card's id stays its guard.
        const card = now.card && { ...now.card, idempotencyKey: uuidv7() };
        await this.core.write([{ put: 'outbox', value: { ...now, body: null, epoch: 0, card } }]);
      }
    });
    await this.sync.upTo(entry.conversation, seq);
  }

  #takeWaiter(clientId: string): Waiter | null {
    const waiter = this.#waiters.get(clientId) ?? null;
    this.#waiters.delete(clientId);
    return waiter;
  }
}
