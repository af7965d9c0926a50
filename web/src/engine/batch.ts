import type { Change } from '../storage/database';
import type { ArchiveQueueRecord, CardRecord, ConversationRecord, GroupRecord, ItemRecord } from '../storage/records';
import type { Core } from './core';

/** The changes of one transaction on one conversation, readable while it is being put together. */
export class Batch {
  conversation: ConversationRecord;
  group: GroupRecord | null;
  readonly #core: Core;
  readonly #groupBefore: GroupRecord | null;
  readonly #items = new Map<string, ItemRecord>();
  readonly #cards = new Map<string, CardRecord>();
  readonly #others: Change[] = [];
  #newest: ItemRecord | null;

  constructor(core: Core, conversation: ConversationRecord, group: GroupRecord | null) {
    this.#core = core;
    this.conversation = conversation;
    this.group = group;
    this.#groupBefore = group;
    this.#newest = core.previews.get(conversation.id) ?? null;
  }

  async item(key: string): Promise<ItemRecord | null> {
    return this.#items.get(key) ?? (await this.#core.db.item(this.conversation.id, key));
  }

  async card(id: string): Promise<CardRecord | null> {
    return this.#cards.get(id) ?? (await this.#core.card(id));
  }

  putItem(item: ItemRecord): void {
    this.#items.set(item.key, item);
    if (!this.#newest || item.order >= this.#newest.order || item.key === this.#newest.key) {
      this.#newest = item;
    }
  }

  putCard(card: CardRecord): void {
    this.#cards.set(card.id, card);
  }

  removeOutbox(clientId: string): void {
    this.#others.push({ remove: 'outbox', id: clientId });
  }

  /** Takes an item away; the newest one before it stands for the conversation in the list then. */
  async removeItem(key: string): Promise<void> {
    const { id } = this.conversation;
    this.#others.push({ removeItem: key, conversation: id });
    if (this.#newest?.key === key) {
      this.#newest = null;
      const newest = await this.#core.db.itemsBefore(id, Number.MAX_SAFE_INTEGER, 2);
      const before = newest.findLast((item) => item.key !== key);
      if (before) {
        this.putItem(before);
      }
    }
  }

  /** Has a message wait to be archived. */
  archive(waiting: ArchiveQueueRecord): void {
    this.#others.push({ put: 'archiveQueue', value: waiting });
  }

  /** Writes everything in one transaction. */
  async write(extra: Change[] = [], durability: 'relaxed' | 'strict' = 'relaxed'): Promise<void> {
    const newest = this.#newest;
    if (newest && newest.key !== this.conversation.previewKey) {
      this.conversation = { ...this.conversation, previewKey: newest.key };
    }
    if (newest && newest.at > this.conversation.lastActivityAt) {
      this.conversation = { ...this.conversation, lastActivityAt: newest.at };
    }
    const changes: Change[] = [{ put: 'conversations', value: this.conversation }, ...this.#others, ...extra];
    if (this.group && this.group !== this.#groupBefore) {
      changes.push({ put: 'groups', value: this.group });
    }
    for (const value of this.#cards.values()) {
      changes.push({ put: 'cards', value });
    }
    for (const value of this.#items.values()) {
      changes.push({ put: 'items', value });
    }
    await this.#core.write(changes, durability);
  }
}
