import type { ReceiptMark } from '../protocol/wire';
import { markOf } from './conversations';
import type { Core } from './core';

/** Delivered and read marks of this device: collected for a moment, then sent in one call. */
export class Receipts {
  readonly #dirty = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(readonly core: Core) {}

  stop(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
    }
  }

  /** This device has applied or read something. */
  touched(conversation: string): void {
    this.#dirty.add(conversation);
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.#flush().catch(() => undefined);
    }, this.core.timing.receiptsMs);
  }

  /** After a reconnect: whatever the server does not know yet. */
  touchedAll(): void {
    for (const conversation of this.core.conversations.values()) {
      if (conversation.active && this.#markFor(conversation.id)) {
        this.touched(conversation.id);
      }
    }
  }

  async markRead(id: string): Promise<void> {
    await this.core.update(id, (record) =>
      record.cursor > record.read || record.unread > 0 ? { ...record, read: record.cursor, unread: 0 } : null,
    );
    this.touched(id);
  }

  /** Another device of mine has read further: what it read is not unread here. */
  async followOwnDevices(id: string): Promise<void> {
    const { core } = this;
    await core.queue.run(id, async () => {
      const record = core.conversations.get(id);
      const read = record ? Math.min(markOf(record, core.device.account).read, record.cursor) : 0;
      if (record && read > record.read) {
        const unread = await core.db.countUnread(id, read);
        await core.write([{ put: 'conversations', value: { ...record, read, unread } }]);
        this.touched(id);
      }
    });
  }

  #markFor(id: string): ReceiptMark | null {
    const record = this.core.conversations.get(id);
    if (!record?.active) {
      return null;
    }
    const sent = record.marks[this.core.device.device];
    const newer = record.cursor > (sent?.delivered ?? 0) || record.read > (sent?.read ?? 0);
    return newer ? { conversation: id, delivered: record.cursor, read: record.read } : null;
  }

  async #flush(): Promise<void> {
    if (!this.core.online) {
      return;
    }
    const ids = [...this.#dirty];
    this.#dirty.clear();
    const marks = ids.map((id) => this.#markFor(id)).filter((mark) => mark !== null);
    if (marks.length === 0) {
      return;
    }
    await this.core.hub.mark(marks);
    const { account, device } = this.core.device;
    for (const mark of marks) {
      await this.core.update(mark.conversation, (record) => {
        const { delivered, read } = mark;
        return { ...record, marks: { ...record.marks, [device]: { account, delivered, read } } };
      });
    }
  }
}
