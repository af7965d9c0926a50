import { fullJitterMs } from '../net/jitter';
import { ErrorCode, isCode, isTransient, localError } from '../protocol/errors';
import { Limits } from '../protocol/limits';
import type { ConversationView, DeviceMessage, Event, HelloReply, Receipt } from '../protocol/wire';
import { mergeReadElsewhere, mergeReceipts, mergeView, newConversation } from './conversations';
import type { Core } from './core';
import type { Groups } from './groups';
import type { Log } from './log';
import { KeyedQueue } from './queue';

/** Conversations asked for in one Sync: each may answer with a full page, and memory is to stay bounded. */
const conversationsPerCall = 20;
/** Rounds of catching up before a conversation is left to the next reconnect. */
const maxRounds = 10_000;

/** Keeps conversations at the head of their logs: hello, pushes, gaps, pages. */
export class Sync {
  #wanted = new Set<string>();
  /** Conversations that the server has shown since this connection was greeted. */
  readonly #looked = new Set<string>();
  /** Conversations that hello only named: what they are comes with their first page. */
  readonly #named = new Set<string>();
  /** Where other own devices have read further in conversations that this one does not know yet. */
  readonly #readElsewhere = new Map<string, number>();
  /** Who applies to a conversation's log: a push and a page that stop at the same leaf would each have the other look again. */
  readonly #appliers = new KeyedQueue();
  #running: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #attempt = 0;

  constructor(
    readonly core: Core,
    readonly log: Log,
    readonly groups: Groups,
  ) {}

  /** Takes in what hello said; catching up goes on in the background. */
  async greeted(reply: HelloReply): Promise<void> {
    const { core } = this;
    this.#looked.clear();
    this.#named.clear();
    this.#readElsewhere.clear();
    if (core.device.lineage !== reply.lineage) {
      await this.#changeLineage(reply.lineage);
    }
    for (const view of reply.changed) {
      await this.learn(view);
    }
    for (const id of reply.gone) {
      await core.update(id, (record) => (record.active ? { ...record, active: false, pendingRemovals: [] } : null));
    }
    for (const { conversation, seq } of reply.heads ?? []) {
      const known = core.conversations.get(conversation);
      if (!known?.active || known.cursor < seq) {
        this.#named.add(conversation);
      }
    }
    for (const { conversation, seq } of reply.readElsewhere ?? []) {
      this.#readElsewhere.set(conversation, seq);
      await this.#followRead(conversation);
    }
    if (reply.deviceMessagesWaiting > 0) {
      await this.groups.pullWelcomes();
    }
    this.want([...reply.changed.map((view) => view.id), ...this.#named]);
  }

  /** What was read on other devices is read here too, once the conversation is known. */
  async #followRead(id: string): Promise<void> {
    const { core } = this;
    const seq = this.#readElsewhere.get(id);
    if (seq !== undefined && core.conversations.has(id)) {
      this.#readElsewhere.delete(id);
      await core.update(id, (record) => mergeReadElsewhere(record, core.device.account, seq));
      await this.onReadElsewhere(id);
    }
  }

  /**
   * The server was restored from a backup: its log may have lost its end and gone on differently. All logs are read
   * again from where this account joined; what is known locally stays and is not doubled.
   */
  async #changeLineage(lineage: string): Promise<void> {
    const { core } = this;
    const first = core.device.lineage === null;
    for (const id of first ? [] : [...core.conversations.keys()]) {
      await core.update(id, (record) => ({
        ...record,
        cursor: record.joinedSeq - 1,
        head: 0,
        viewSeq: 0,
        epoch: 0,
        marks: {},
      }));
    }
    await core.updateDevice({ lineage });
  }

  /** Creates or refreshes the record of a conversation. */
  learn(view: ConversationView): Promise<void> {
    const { core } = this;
    this.#looked.add(view.id);
    return core.queue.run(view.id, async () => {
      const known = core.conversations.get(view.id);
      const next = known ? mergeView(known, view) : newConversation(view);
      if (next !== known) {
        await core.write([{ put: 'conversations', value: next }]);
      }
      await this.log.skipRemoved(view.id, view);
      this.groups.removalsSeen(next);
    });
  }

  /**
   * Somebody looks at a conversation. Hello names those whose logs have moved; what others have read meanwhile of a log
   * that has not is asked for once per connection, and only where it shows.
   */
  look(id: string): void {
    if (this.core.online && this.core.conversations.get(id)?.active && !this.#looked.has(id)) {
      this.#looked.add(id);
      this.want([id]);
    }
  }

  /** Catches these conversations up in the background. */
  want(ids: string[]): void {
    for (const id of ids) {
      this.#wanted.add(id);
    }
    void this.#run().then(
      () => {
        this.#attempt = 0;
      },
      (thrown) => this.#again(thrown),
    );
  }

  /** The server is busy: what is wanted stays wanted, and is asked for again a little later. */
  #again(thrown: unknown): void {
    if (isTransient(thrown) && this.core.online && this.#timer === null) {
      this.#timer = setTimeout(
        () => {
          this.#timer = null;
          this.want([]);
        },
        100 + fullJitterMs(this.#attempt++, 500, 20_000),
      );
    }
  }

  stop(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
    }
  }

  /** Resolves once the conversation's cursor has reached a seq. @throws ActionError where the connection is lost. */
  async upTo(id: string, seq: number): Promise<void> {
    for (let round = 0; round < maxRounds; round++) {
      const conversation = this.core.conversations.get(id);
      if (!conversation || conversation.cursor >= seq) {
        return;
      }
      const before = conversation.cursor;
      this.#wanted.add(id);
      await this.#run();
      await this.core.queue.run(id, async () => undefined);
      if (this.core.conversations.get(id)?.cursor === before) {
        // Nothing moved: the group is broken or missing, and the caller mends it first.
        return;
      }
    }
  }

  /** Resolves once nothing is left to fetch. */
  async settled(): Promise<void> {
    while (this.#running) {
      await this.#running.catch(() => undefined);
    }
  }

  #run(): Promise<void> {
    this.#running ??= this.#loop().finally(() => {
      this.#running = null;
    });
    const running = this.#running;
    return running.then(() => (this.#wanted.size > 0 && this.core.online ? this.#run() : undefined));
  }

  async #loop(): Promise<void> {
    while (this.#wanted.size > 0) {
      const ids = [...this.#wanted].slice(0, conversationsPerCall);
      for (const id of ids) {
        this.#wanted.delete(id);
      }
      const known = ids.filter((id) => this.#named.has(id) || this.core.conversations.get(id)?.active);
      if (known.length === 0) {
        continue;
      }
      try {
        await this.#fetchOrSplit(known);
      } catch (thrown) {
        for (const id of isTransient(thrown) ? known : []) {
          this.#wanted.add(id);
        }
        throw thrown;
      }
    }
  }

  /** One conversation that this account has just been removed from must not keep the others waiting. */
  async #fetchOrSplit(ids: string[]): Promise<void> {
    try {
      await this.#fetch(ids);
    } catch (thrown) {
      if (!isCode(thrown, ErrorCode.conversationUnknown) && !isCode(thrown, ErrorCode.notMember)) {
        throw thrown;
      }
      const [only] = ids;
      if (ids.length === 1 && only) {
        this.#named.delete(only);
        await this.core.update(only, (record) => ({ ...record, active: false, pendingRemovals: [] }));
        return;
      }
      for (const id of ids) {
        await this.#fetchOrSplit([id]);
      }
    }
  }

  async #fetch(ids: string[]): Promise<void> {
    const after = ids.map((id) => ({ conversation: id, seq: this.core.conversations.get(id)?.cursor ?? 0 }));
    const reply = await this.core.hub.sync({ after: after.slice(0, Limits.conversationsPerSync) });
    await Promise.all(
      reply.pages.map(async (page) => {
        const { id } = page.conversation;
        if (this.#named.delete(id) && !(await this.#meet(page.conversation))) {
          return;
        }
        const moved = await this.#apply(id, page.conversation, page.events);
        if (page.more && moved) {
          this.#wanted.add(id);
        }
      }),
    );
  }

  /** A conversation that hello named. Returns whether this account is, or was, in it as far as this device knows. */
  async #meet(view: ConversationView): Promise<boolean> {
    // Without members it is one that the account has just gone from.
    if (view.members.length > 0) {
      await this.learn(view);
      await this.#followRead(view.id);
    }
    return this.core.conversations.has(view.id);
  }

  /** Returns whether the cursor moved on. One at a time, also while keys are looked at, which the queue does not wait for. */
  #apply(id: string, view: ConversationView | null, events: Event[]): Promise<boolean> {
    return this.#appliers.run(id, () => this.#applyInTurn(id, view, events));
  }

  async #applyInTurn(id: string, view: ConversationView | null, events: Event[]): Promise<boolean> {
    const before = this.core.conversations.get(id)?.cursor ?? 0;
    let applied = await this.core.queue.run(id, () => this.log.apply(id, view, events));
    while (applied === 'keysUnknown') {
      // Each look lets at least one event through.
      await this.log.lookAtKeys(id);
      applied = await this.core.queue.run(id, () => this.log.apply(id, null, events));
    }
    const after = this.core.conversations.get(id);
    if (applied === 'gap') {
      this.want([id]);
    } else if (applied === 'noGroup' || applied === 'broken') {
      this.groups.mend(id, applied === 'broken');
    } else if (view) {
      await this.#compareEpochs(id, view);
    }
    if (this.log.unreadable.has(id) && after?.active && events.some((event) => event.kind === 'commit')) {
      // What kept this device out may have gone by it.
      this.groups.mend(id, false);
    }
    if (after) {
      this.groups.removalsSeen(after);
      this.onApplied(id);
    }
    return (after?.cursor ?? 0) > before;
  }

  /** Told after events were applied, for delivery receipts. */
  onApplied: (conversation: string) => void = () => undefined;

  /** Told where another own device has read further. */
  onReadElsewhere: (conversation: string) => Promise<void> = async () => undefined;

  /** At the head of the log the group must stand where the server's does; after a restored backup it may not. */
  #compareEpochs(id: string, view: ConversationView): Promise<void> {
    return this.core.queue.run(id, async () => {
      const group = await this.core.group(id);
      const atHead = this.core.conversations.get(id)?.cursor === view.head;
      if (atHead && group?.state && view.epoch !== group.epoch) {
        this.groups.mend(id, true);
      }
    });
  }

  /** Pushed events: applied where they continue what is known, otherwise fetched. */
  pushed(events: Event[]): void {
    const byConversation = new Map<string, Event[]>();
    for (const event of events) {
      const list = byConversation.get(event.conversation) ?? [];
      list.push(event);
      byConversation.set(event.conversation, list);
    }
    for (const [id, list] of byConversation) {
      void this.#pushedTo(id, list).catch(() => undefined);
    }
  }

  async #pushedTo(id: string, events: Event[]): Promise<void> {
    if (!this.core.conversations.has(id)) {
      await this.discover(id);
      return;
    }
    const newest = Math.max(...events.map((event) => event.seq));
    await this.core.update(id, (record) => (newest > record.head ? { ...record, head: newest } : null));
    await this.#apply(id, null, events);
  }

  /** A conversation that this device hears of for the first time by something other than its view. */
  async discover(id: string): Promise<void> {
    try {
      await this.learn(await this.core.api.conversation(id));
    } catch (thrown) {
      if (isCode(thrown, ErrorCode.conversationUnknown) || isCode(thrown, ErrorCode.notMember)) {
        return;
      }
      throw thrown;
    }
    this.want([id]);
  }

  heads(views: ConversationView[]): void {
    for (const view of views) {
      void this.learn(view)
        .then(() => {
          if (view.head > this.core.conversation(view.id).cursor) {
            this.want([view.id]);
          }
        })
        .catch(() => undefined);
    }
  }

  receipts(receipts: Receipt[]): void {
    const ids = new Set(receipts.map((receipt) => receipt.conversation));
    for (const id of ids) {
      const own = receipts.filter((receipt) => receipt.conversation === id);
      void this.core.update(id, (record) => mergeReceipts(record, own)).catch(() => undefined);
    }
  }

  welcomes(messages: DeviceMessage[]): void {
    void this.groups.takeWelcomes(messages).catch(() => undefined);
  }

  /** @throws ActionError `offline` unless the hub is there. */
  requireOnline(): void {
    if (!this.core.online) {
      throw localError('offline');
    }
  }
}
